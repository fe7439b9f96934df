"""`pose.npz`: a pose track as a zip of plain arrays, the same bytes for the same track."""

import io
import zipfile
from pathlib import Path
from typing import Final

import numpy as np

from acoustic_sense.errors import DatasetError
from acoustic_sense.types import PoseTrack

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_OPTIONAL: Final = ("activity", "smpl_pose", "smpl_trans", "smpl_betas")


def write_pose(path: Path, pose: PoseTrack) -> None:
    """Write a pose track.

    The archive is stored without compression and without times, so that its bytes depend on the
    arrays alone; `numpy.load` reads it.
    """
    arrays: dict[str, np.ndarray] = {
        "joints": np.asarray(pose.joints, dtype=np.float32),
        "rate_hz": np.asarray(pose.rate_hz, dtype=np.float64),
    }
    for name in _OPTIONAL:
        values = getattr(pose, name)
        if values is not None:
            arrays[name] = np.asarray(values, dtype=np.str_ if name == "activity" else np.float32)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, values in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(
                buffer, np.asarray(values, order="C"), version=(1, 0), allow_pickle=False
            )
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=_EPOCH)
            entry.create_system = 3
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, buffer.getvalue())


def read_pose(path: Path) -> PoseTrack:
    """Read a pose track; pickled objects are refused.

    Raises:
        DatasetError: The file is missing, corrupt, or its arrays are not a pose track.
    """
    if not path.is_file():
        raise DatasetError(f"{path}: missing; restore the file or make the take again")
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{path}: not a readable npz of arrays: {error}") from None
    absent = {"joints", "rate_hz"} - set(arrays)
    if absent:
        raise DatasetError(f"{path}: holds no '{sorted(absent)[0]}'; see the dataset format")
    try:
        return PoseTrack(
            joints=arrays["joints"].astype(np.float32, copy=False),
            rate_hz=float(arrays["rate_hz"]),
            **{name: arrays[name] for name in _OPTIONAL if name in arrays},
        )
    except (DatasetError, TypeError, ValueError) as error:
        raise DatasetError(f"{path}: {error}") from None
