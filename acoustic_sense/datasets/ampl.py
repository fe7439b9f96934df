"""AMPL as it is published: windows of 15-channel features and normalised poses, no audio.

The root `dataset_spec_2400` holds `music_intensity.csv` and, in `music_with_intensity`, for each
0.6 s window a feature array `(15, 128, 12)` and a pose array `(12, 63)`. A window's index says
where in the track it starts; windows do not overlap. Here, consecutive windows of one subject and
one track are joined to a take. Where a window is absent or left out, one take ends and another
begins, so that no clip spans the hole.

References:
    BGM2Pose, IEEE OJSP 7 (2026) 790-799, doi 10.1109/OJSP.2026.3705347.
"""

import hashlib
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from acoustic_sense.constants import CLIP_FRAMES, FRAME_RATE_HZ
from acoustic_sense.datasets.ampl_arrays import (
    FEATURE_SHAPE,
    POSE_SHAPE,
    read_features,
    read_poses,
    window_problems,
)
from acoustic_sense.datasets.ampl_statistics import PUBLISHED_STATISTICS, ChannelStatistics
from acoustic_sense.datasets.ampl_table import (
    GENRES,
    ROOT_NAME,
    TABLE_NAME,
    Window,
    read_windows,
)
from acoustic_sense.datasets.dataset import Dataset, file_fingerprint
from acoustic_sense.datasets.skipping import Bad, Skipped
from acoustic_sense.errors import DatasetError
from acoustic_sense.types import Take, TakeInfo

__all__ = [
    "FEATURE_SHAPE",
    "POSE_SHAPE",
    "ROOT_NAME",
    "TABLE_NAME",
    "AmplDataset",
    "Window",
    "find_ampl_root",
]


class AmplDataset(Dataset):
    """AMPL on disk.

    Attributes:
        windows: The windows of each take, in time order.
        table: Every usable row of the table, in its order.
        row_problems: What is wrong with the other rows.
    """

    layout = "ampl"
    stored_feature = "mel-stack"

    def __init__(self, root: Path, bad: Bad = "refuse") -> None:
        """Read the table.

        Args:
            root: The folder with the table.
            bad: What to do about bad windows; with `skip`, every array is read.

        Raises:
            DatasetError: The table is not AMPL's, a row is not usable (`refuse`), or every window
                is bad (`skip`).
        """
        self.table, self.row_problems = read_windows(root)
        if self.row_problems and bad == "refuse":
            raise DatasetError(self.row_problems[0])
        sound = self.table
        if bad == "skip":
            sound, self.skipped = _sound_windows(root, self.table, self.row_problems)
        self.windows = _join_windows(sound)
        takes = [_take_info(take_id, windows) for take_id, windows in self.windows.items()]
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
        return np.concatenate([read_poses(window.joints) for window in windows])

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
        return np.concatenate([read_features(window.sound) for window in windows], axis=1)

    def published_statistics(self, track: str) -> ChannelStatistics | None:
        """Return the publisher's statistics of a track's channels 0-8; None if it has none."""
        return PUBLISHED_STATISTICS.get(track)


def find_ampl_root(path: Path) -> Path | None:
    """Return the folder with AMPL's table: `path` itself, or the root below it; else None."""
    for root in (path, path / ROOT_NAME):
        if (root / TABLE_NAME).is_file():
            return root
    return None


def _sound_windows(
    root: Path, table: list[Window], row_problems: list[str]
) -> tuple[list[Window], Skipped | None]:
    """Return the windows whose two arrays can be used, and what was left out.

    A window counts once, however often the table lists it.

    Raises:
        DatasetError: None can be used.
    """
    found = {(window.sound, window.joints): window_problems(window) for window in table}
    messages = [*row_problems, *(problems[0] for problems in found.values() if problems)]
    sound = [window for window in table if not found[window.sound, window.joints]]
    if not sound:
        raise DatasetError(f"{root}: every window is bad; the first: {messages[0]}")
    if not messages:
        return sound, None
    return sound, Skipped("window", len(row_problems) + len(found), tuple(messages))


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


def _take_info(take_id: str, windows: list[Window]) -> TakeInfo:
    first = windows[0]
    return TakeInfo(
        id=take_id,
        subject=first.subject,
        track=first.track,
        genre=GENRES.get(first.track, ""),
        seconds=len(windows) * CLIP_FRAMES / FRAME_RATE_HZ,
        start_s=first.index * CLIP_FRAMES / FRAME_RATE_HZ,
    )
