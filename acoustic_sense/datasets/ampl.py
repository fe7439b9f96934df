"""AMPL as it is published: windows of 15-channel features and normalised poses, no audio.

The root `dataset_spec_2400` holds `music_intensity.csv` and, in `music_with_intensity`, for each
0.6 s window a feature array `(15, 128, 12)` and a pose array `(12, 63)`. A window's index says
where in the track it starts; windows do not overlap. Here, consecutive windows of one subject and
one track are joined to a take.

References:
    BGM2Pose, IEEE OJSP 7 (2026) 790-799, doi 10.1109/OJSP.2026.3705347.
"""

import csv
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float32

from acoustic_sense.constants import CLIP_FRAMES, FRAME_RATE_HZ, JOINT_NAMES, MEL_BINS
from acoustic_sense.datasets.dataset import Dataset, file_fingerprint
from acoustic_sense.errors import DatasetError
from acoustic_sense.types import Take, TakeInfo

ROOT_NAME: Final = "dataset_spec_2400"
TABLE_NAME: Final = "music_intensity.csv"
COLUMNS: Final = ("sound_path", "testee", "music_type", "spec_duration", "joint_path")
FEATURE_SHAPE: Final = (15, MEL_BINS, CLIP_FRAMES)
POSE_SHAPE: Final = (CLIP_FRAMES, len(JOINT_NAMES) * 3)
GENRES: Final = {"arnor": "ambient", "cirrus": "ambient", "mantron": "ambient", "jazz": "jazz"}
PAPER_SUBJECTS: Final = {0: 1, 1: 9, 2: 6, 4: 7, 5: 8, 6: 2, 7: 3, 8: 4, 9: 5}
"""Subject number in the files to subject number in the paper; subject 3 is broken and unused."""

_SOUND_NAME: Final = re.compile(
    r"subject_(?P<subject>\d+)_(?P<track>.+)_(?P<index>\d+)_0\.6_music_intensity\.npy"
)


@dataclass(frozen=True)
class Window:
    """One row of AMPL's table.

    Attributes:
        subject: `subject_<number in the files>`.
        track: Name of the track.
        index: The window starts at `index * 0.6` seconds of the track.
        sound: Feature file.
        joints: Pose file.
        line: Line of the table.
    """

    subject: str
    track: str
    index: int
    sound: Path
    joints: Path
    line: int


class AmplDataset(Dataset):
    """AMPL on disk.

    Attributes:
        windows: The windows of each take, in time order.
        table: Every row of the table, in its order.
    """

    layout = "ampl"
    stored_feature = "mel-stack"

    def __init__(self, root: Path) -> None:
        self.table = read_windows(root)
        self.windows = _join_windows(self.table)
        takes = [
            TakeInfo(
                id=take_id,
                subject=windows[0].subject,
                track=windows[0].track,
                genre=GENRES.get(windows[0].track, ""),
                seconds=len(windows) * CLIP_FRAMES / FRAME_RATE_HZ,
                start_s=windows[0].index * CLIP_FRAMES / FRAME_RATE_HZ,
            )
            for take_id, windows in self.windows.items()
        ]
        super().__init__(root, takes)

    def read_take(self, take_id: str) -> Take:
        """Raise: AMPL holds features, no audio.

        Raises:
            DatasetError: Always.
        """
        self.info(take_id)
        raise DatasetError(
            f"{self.path}: AMPL is published as features, so take '{take_id}' has no audio; use "
            f"the feature '{self.stored_feature}'"
        )

    def frame_count(self, take_id: str) -> int:
        """Return the number of 50 ms frames of a take."""
        return len(self.windows[self.info(take_id).id]) * CLIP_FRAMES

    def pose_targets(self, take_id: str) -> Float32[np.ndarray, "frame 21 3"]:
        """Return the joints as published: hips at the origin, hip-spine distance 1, feet at 0."""
        windows = self.windows[self.info(take_id).id]
        poses = [_load(window.joints, POSE_SHAPE) for window in windows]
        return np.concatenate(poses).reshape(-1, len(JOINT_NAMES), 3)

    def activity(self, take_id: str) -> np.ndarray:
        """Return `""` at each frame: AMPL has no activity labels."""
        return np.full(self.frame_count(take_id), "", dtype="U1")

    def fingerprint(self, take_id: str) -> str:
        """Return a hash of the sizes and times of the take's feature files."""
        windows = self.windows[self.info(take_id).id]
        text = file_fingerprint([window.sound for window in windows])
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def stored_frames(self, take_id: str) -> Float32[np.ndarray, "channel frame bin"]:
        """Return the published 15-channel stack of a take, shape `(15, frame, 128)`."""
        windows = self.windows[self.info(take_id).id]
        frames = [_load(window.sound, FEATURE_SHAPE).transpose(0, 2, 1) for window in windows]
        return np.concatenate(frames, axis=1)


def find_ampl_root(path: Path) -> Path | None:
    """Return the folder with AMPL's table: `path` itself, or the root below it; else None."""
    for root in (path, path / ROOT_NAME):
        if (root / TABLE_NAME).is_file():
            return root
    return None


def read_windows(root: Path) -> list[Window]:
    """Return the rows of AMPL's table.

    Paths in the table are relative to the folder above the root, or absolute on the publisher's
    machine; either way what follows `dataset_spec_2400/` is taken, below `root`.

    Raises:
        DatasetError: The table is unreadable, lacks a column, or a row's path is not of AMPL's
            form; the message names table and line.
    """
    path = root / TABLE_NAME
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
            header = reader.fieldnames or []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path}: not a readable CSV table: {error}") from None
    absent = [name for name in COLUMNS if name not in header]
    if absent:
        raise DatasetError(f"{path}: lacks the column '{absent[0]}'; download AMPL's table again")
    if not rows:
        raise DatasetError(f"{path}: has no rows; download AMPL's table again")
    return [_parse_row(root, line, row) for line, row in enumerate(rows, start=2)]


def window_problem(window: Window) -> str | None:
    """Return what is wrong with a window's two files, or None."""
    for path, shape in ((window.sound, FEATURE_SHAPE), (window.joints, POSE_SHAPE)):
        try:
            _load(path, shape)
        except DatasetError as error:
            return str(error)
    return None


def _parse_row(root: Path, line: int, row: dict[str, Any]) -> Window:
    where = f"{root / TABLE_NAME}: line {line}"
    sound = _local_path(root, row["sound_path"] or "", where)
    match = _SOUND_NAME.fullmatch(sound.name)
    if match is None:
        raise DatasetError(
            f"{where}: '{sound.name}' is not named "
            "subject_<number>_<track>_<index>_0.6_music_intensity.npy"
        )
    subject = f"subject_{match['subject']}"
    if row["testee"] != subject:
        raise DatasetError(f"{where}: testee '{row['testee']}' but the file is of {subject}")
    try:
        seconds = float(row["spec_duration"])
    except (TypeError, ValueError):
        seconds = 0.0
    if seconds != CLIP_FRAMES / FRAME_RATE_HZ:
        raise DatasetError(f"{where}: spec_duration is '{row['spec_duration']}', not 0.6")
    joints = _local_path(root, row["joint_path"] or "", where)
    return Window(subject, match["track"], int(match["index"]), sound, joints, line)


def _local_path(root: Path, text: str, where: str) -> Path:
    """Return the local file that a path of the table refers to."""
    _, found, rest = text.replace("\\", "/").rpartition(f"{ROOT_NAME}/")
    if not found or not rest or ".." in rest.split("/"):
        raise DatasetError(f"{where}: the path '{text}' does not lie below {ROOT_NAME}/")
    return root / rest


def _join_windows(table: list[Window]) -> dict[str, list[Window]]:
    """Join consecutive windows of one subject and track; a repeated window counts once."""
    groups: dict[tuple[str, str], dict[int, Window]] = {}
    for window in table:
        groups.setdefault((window.subject, window.track), {}).setdefault(window.index, window)
    takes: dict[str, list[Window]] = {}
    for (subject, track), by_index in sorted(groups.items()):
        previous: int | None = None
        take: list[Window] = []
        for index in sorted(by_index):
            if previous is None or index != previous + 1:
                take = takes.setdefault(f"{subject}_{track}_{index:05d}", [])
            take.append(by_index[index])
            previous = index
    return takes


def _load(path: Path, shape: tuple[int, ...]) -> Float32[np.ndarray, "..."]:
    """Return one array of AMPL.

    Raises:
        DatasetError: The file is missing, truncated, of another shape or type, or not finite.
    """
    try:
        values = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise DatasetError(f"{path}: missing; download it again") from None
    except (ValueError, OSError, EOFError) as error:
        raise DatasetError(f"{path}: not a readable array: {error}; download it again") from None
    if not isinstance(values, np.ndarray) or values.shape != shape:
        found = getattr(values, "shape", "an archive")
        raise DatasetError(f"{path}: shape {found}, not {shape}; download it again")
    if values.dtype.kind != "f":
        raise DatasetError(f"{path}: holds {values.dtype}, not float32; download it again")
    if not np.isfinite(values).all():
        raise DatasetError(f"{path}: holds values that are not finite; leave the window out")
    return values.astype(np.float32, copy=False)
