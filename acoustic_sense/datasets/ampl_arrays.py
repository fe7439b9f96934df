"""AMPL's arrays: the features and the poses of one window, checked as they are read."""

from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32

from acoustic_sense.constants import CLIP_FRAMES, JOINT_NAMES, MEL_BINS
from acoustic_sense.datasets.ampl_table import Window
from acoustic_sense.errors import DatasetError

FEATURE_SHAPE: Final = (15, MEL_BINS, CLIP_FRAMES)
POSE_SHAPE: Final = (CLIP_FRAMES, len(JOINT_NAMES) * 3)
MEND: Final = "download it again, or leave it out with --skip-bad"

_HIPS: Final = JOINT_NAMES.index("Hips")
_SPINE: Final = JOINT_NAMES.index("Spine")
_MAGIC: Final = b"\x93NUMPY"


def read_features(path: Path) -> Float32[np.ndarray, "15 frame 128"]:
    """Return the 15-channel stack of a window, shape `(15, 12, 128)`, not normalised.

    Raises:
        DatasetError: The file is missing, truncated, of another shape or type, or not finite.
    """
    return _read_array(path, FEATURE_SHAPE).transpose(0, 2, 1)


def read_poses(path: Path) -> Float32[np.ndarray, "frame 21 3"]:
    """Return the poses of a window as published, shape `(12, 21, 3)`.

    Raises:
        DatasetError: As for `read_features`, or Hips and Spine of a pose coincide, so that it has
            no scale.
    """
    poses = _read_array(path, POSE_SHAPE).reshape(CLIP_FRAMES, len(JOINT_NAMES), 3)
    if not (poses[:, _HIPS] != poses[:, _SPINE]).any(axis=-1).all():
        raise DatasetError(f"{path}: a pose has Hips and Spine at one point; {MEND}")
    return poses


def window_problems(window: Window) -> list[str]:
    """Return what is wrong with the two files of a window, a line for each that is bad."""
    problems = []
    for read, path in ((read_features, window.sound), (read_poses, window.joints)):
        try:
            read(path)
        except DatasetError as error:
            problems.append(str(error))
    return problems


def _read_array(path: Path, shape: tuple[int, ...]) -> Float32[np.ndarray, "..."]:
    """Return one array of AMPL; objects, archives and pickles are refused unread."""
    try:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise DatasetError(f"{path}: not a NumPy array file; {MEND}")
            file.seek(0)
            values: np.ndarray = np.lib.format.read_array(file, allow_pickle=False)
    except FileNotFoundError:
        raise DatasetError(f"{path}: missing; {MEND}") from None
    except (ValueError, OSError, EOFError, MemoryError) as error:
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DatasetError(f"{path}: not a readable array: {cause}; {MEND}") from None
    if values.shape != shape:
        raise DatasetError(f"{path}: shape {values.shape}, not {shape}; {MEND}")
    if values.dtype.kind != "f":
        raise DatasetError(f"{path}: holds {values.dtype}, not float32; {MEND}")
    with np.errstate(over="ignore"):
        values = values.astype(np.float32, copy=False)
    if not np.isfinite(values).all():
        raise DatasetError(f"{path}: holds values that are not finite; {MEND}")
    return values
