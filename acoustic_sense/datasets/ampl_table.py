"""AMPL's table: a row for each window, and what it says of subject, track and time.

References:
    BGM2Pose, IEEE OJSP 7 (2026) 790-799, doi 10.1109/OJSP.2026.3705347.
"""

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from acoustic_sense.constants import CLIP_FRAMES, FRAME_RATE_HZ
from acoustic_sense.errors import DatasetError

ROOT_NAME: Final = "dataset_spec_2400"
TABLE_NAME: Final = "music_intensity.csv"
COLUMNS: Final = ("sound_path", "testee", "music_type", "spec_duration", "joint_path")
MEND_ROW: Final = "mend the row, or leave it out with --skip-bad"
GENRES: Final = {"arnor": "ambient", "cirrus": "ambient", "mantron": "ambient", "jazz": "jazz"}
"""Genre of each published track."""
PAPER_SUBJECTS: Final = {0: 1, 1: 9, 2: 6, 4: 7, 5: 8, 6: 2, 7: 3, 8: 4, 9: 5}
"""Subject number in the files to subject number in the paper; subject 3 is broken and unused."""

_SOUND_NAME: Final = re.compile(
    r"(?P<stem>subject_(?P<subject>\d+)_(?P<track>.+)_(?P<index>\d+)_0\.6)_music_intensity\.npy"
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


def read_windows(root: Path) -> tuple[list[Window], list[str]]:
    """Return the rows of AMPL's table, and what is wrong with those that cannot be used.

    Paths in the table are relative to the folder above the root, or absolute on the publisher's
    machine; either way what follows `dataset_spec_2400/` is taken, below `root`.

    Args:
        root: The folder with the table.

    Returns:
        The windows in the order of the table, and a message with table and line for each row
        that is not of AMPL's form or contradicts itself.

    Raises:
        DatasetError: The table as a whole is unreadable, is empty, or lacks a column.
    """
    path = root / TABLE_NAME
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows = [(reader.line_num, row) for row in reader]
            header = reader.fieldnames or []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path}: not a readable CSV table: {error}") from None
    absent = [name for name in COLUMNS if name not in header]
    if absent:
        raise DatasetError(f"{path}: lacks the column '{absent[0]}'; download AMPL's table again")
    if not rows:
        raise DatasetError(f"{path}: has no rows; download AMPL's table again")
    windows, problems = [], []
    for line, row in rows:
        try:
            windows.append(_parse_row(root, line, row))
        except DatasetError as error:
            problems.append(f"{error}; {MEND_ROW}")
    return windows, problems


def paper_subject(subject: str) -> int | None:
    """Return the paper's number of `subject_<number in the files>`; None if it has none.

    Examples:
        >>> paper_subject("subject_1"), paper_subject("subject_3")
        (9, None)
    """
    number = subject.removeprefix("subject_")
    return PAPER_SUBJECTS.get(int(number)) if number.isdecimal() else None


def _parse_row(root: Path, line: int, row: dict[str, Any]) -> Window:
    where = f"{root / TABLE_NAME}: line {line}"
    sound = _local_path(root, row["sound_path"] or "", where)
    match = _SOUND_NAME.fullmatch(sound.name)
    if match is None:
        raise DatasetError(
            f"{where}: '{sound.name}' is not named "
            "subject_<number>_<track>_<index>_0.6_music_intensity.npy"
        )
    subject, track = f"subject_{match['subject']}", match["track"]
    if row["testee"] != subject:
        raise DatasetError(f"{where}: testee '{row['testee']}' but the file is of {subject}")
    if row["music_type"] in GENRES and track in GENRES and row["music_type"] != track:
        raise DatasetError(
            f"{where}: music_type '{row['music_type']}' but the file is of '{track}'"
        )
    if _seconds(row["spec_duration"]) != CLIP_FRAMES / FRAME_RATE_HZ:
        raise DatasetError(f"{where}: spec_duration is '{row['spec_duration']}', not 0.6")
    joints = _local_path(root, row["joint_path"] or "", where)
    if joints.name != f"joint_pos_{match['stem']}.npy":
        raise DatasetError(
            f"{where}: '{joints.name}' holds no poses of '{sound.name}'; the two names differ"
        )
    return Window(subject, track, int(match["index"]), sound, joints, line)


def _seconds(text: str | None) -> float:
    try:
        return float(text or "")
    except ValueError:
        return 0.0


def _local_path(root: Path, text: str, where: str) -> Path:
    """Return the local file that a path of the table refers to."""
    _, found, rest = text.replace("\\", "/").rpartition(f"{ROOT_NAME}/")
    parts = [part for part in rest.split("/") if part not in ("", ".")]
    if not found or not parts or any(part == ".." or ":" in part for part in parts):
        raise DatasetError(f"{where}: the path '{text}' does not lie below {ROOT_NAME}/")
    return root.joinpath(*parts)
