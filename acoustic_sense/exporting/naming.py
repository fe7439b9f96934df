"""Names in AMPL's layout: subjects by number, tracks that hold each window of a subject once."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from acoustic_sense.errors import DatasetError
from acoustic_sense.types import TakeInfo

_TRACK_PATTERN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+ -]*")


@dataclass(frozen=True)
class AmplName:
    """What a take is called in AMPL's layout.

    Attributes:
        testee: `subject_<number>`.
        music_type: The track, with `+2` and so on for further takes of the same stretch.
        first_index: Index of its first window: that begins at `first_index * 0.6` s of the track.
        window_count: Windows that the take gives.
    """

    testee: str
    music_type: str
    first_index: int
    window_count: int

    def stem(self, window: int) -> str:
        """Return what the file names of a window share."""
        return f"{self.testee}_{self.music_type}_{self.first_index + window}_0.6"


def ampl_names(
    takes: Sequence[TakeInfo], windows: Mapping[str, tuple[int, int]]
) -> dict[str, AmplName]:
    """Return the name of each take that has windows.

    Subjects are numbered from 0 in the order of their names. A window's name is made of subject,
    track and index alone, so where a subject has several takes of one stretch of a track (in
    another room, or repeated), the second becomes the track `<track>+2`, and so on.

    Args:
        takes: The dataset's takes.
        windows: First index and number of windows of each take, by its id.

    Raises:
        DatasetError: A track's name cannot be part of a file name.
    """
    told = [info for info in takes if windows.get(info.id, (0, 0))[1] > 0]
    subjects = sorted({info.subject for info in told})
    numbers = {subject: f"subject_{number}" for number, subject in enumerate(subjects)}
    tracks = {info.track for info in takes}
    used: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    names = {}
    for info in sorted(told, key=lambda info: info.id):
        _check_track(info)
        first, count = windows[info.id]
        indices = set(range(first, first + count))
        for track in _copies(info.track, tracks):
            if not used[info.subject, track] & indices:
                break
        used[info.subject, track] |= indices
        names[info.id] = AmplName(numbers[info.subject], track, first, count)
    return names


def _copies(track: str, known: set[str]) -> Iterable[str]:
    """Yield a track's name and then names for its copies that no other track has."""
    yield track
    copy = 2
    while True:
        if f"{track}+{copy}" not in known:
            yield f"{track}+{copy}"
        copy += 1


def _check_track(info: TakeInfo) -> None:
    if not _TRACK_PATTERN.fullmatch(info.track):
        raise DatasetError(
            f"take '{info.id}': its track '{info.track}' cannot be part of a file name; rename it "
            "with letters, digits, '.', '_', '+', '-' and spaces"
        )
