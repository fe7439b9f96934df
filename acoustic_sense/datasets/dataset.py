"""What every dataset offers, whatever its layout on disk."""

from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from acoustic_sense.constants import SAMPLE_RATE_HZ
from acoustic_sense.datasets.ampl_statistics import ChannelStatistics
from acoustic_sense.datasets.skipping import Skipped
from acoustic_sense.errors import DatasetError, suggestion
from acoustic_sense.types import Take, TakeInfo


class Dataset(ABC):
    """A folder of takes.

    Attributes:
        path: The folder.
        layout: `takes` or `ampl`.
        takes: What is known of each take without opening it, sorted by id.
        sample_rate_hz: Samples per second of its audio.
        stored_feature: Name of the feature that the folder holds instead of audio, or None.
        skipped: The bad windows or takes that were left out, if that was asked for and there were
            any.
    """

    layout: str
    stored_feature: str | None = None
    skipped: Skipped | None = None

    def __init__(
        self, path: Path, takes: list[TakeInfo], sample_rate_hz: int = SAMPLE_RATE_HZ
    ) -> None:
        self.path = path
        self.sample_rate_hz = sample_rate_hz
        unique = {info.id: info for info in reversed(takes)}
        self.takes: tuple[TakeInfo, ...] = tuple(unique[key] for key in sorted(unique))

    def __repr__(self) -> str:
        """Return the layout, the path and the number of takes."""
        return f"{type(self).__name__}({str(self.path)!r}, {len(self.takes)} takes)"

    @cached_property
    def _by_id(self) -> dict[str, TakeInfo]:
        return {info.id: info for info in self.takes}

    def info(self, take_id: str) -> TakeInfo:
        """Return what is known of a take.

        Raises:
            DatasetError: There is no such take.
        """
        if take_id not in self._by_id:
            hint = suggestion(take_id, self._by_id) or " see takes.csv"
            raise DatasetError(f"{self.path}: no take '{take_id}' among {len(self.takes)};{hint}")
        return self._by_id[take_id]

    @abstractmethod
    def read_take(self, take_id: str) -> Take:
        """Return a take with its audio and its pose track.

        Raises:
            DatasetError: There is no such take, a file of it is not sound, or the dataset holds
                no audio.
        """

    @abstractmethod
    def frame_count(self, take_id: str) -> int:
        """Return the number of whole 50 ms feature frames of a take.

        Raises:
            DatasetError: There is no such take or its header cannot be read.
        """

    @abstractmethod
    def pose_targets(self, take_id: str) -> Float32[np.ndarray, "frame 21 3"]:
        """Return the joints at the feature frames of a take, shape `(frame, 21, 3)`.

        Metres in the world frame where the dataset has them; AMPL's own normalised unit there.

        Raises:
            DatasetError: There is no such take or its poses are not sound.
        """

    def microphone_yaw_deg(self, take_id: str) -> float | None:
        """Return the direction of a take's microphone, see `Microphone.yaw_deg`; None if unknown.

        Raises:
            DatasetError: There is no such take or its description is not sound.
        """
        self.info(take_id)
        return None

    @abstractmethod
    def activity(self, take_id: str) -> np.ndarray:
        """Return the activity's name at each feature frame, `""` where unlabelled."""

    @abstractmethod
    def fingerprint(self, take_id: str) -> str:
        """Return a text that changes when the files that features are made from change.

        Raises:
            DatasetError: There is no such take or a file is missing.
        """

    def stored_frames(self, take_id: str) -> Float32[np.ndarray, "channel frame bin"]:
        """Return the frames of `stored_feature`, shape `(channel, frame, bin)`.

        Raises:
            DatasetError: The dataset holds audio, not features.
        """
        raise DatasetError(f"{self.path}: holds audio, no stored features; compute them instead")

    def published_statistics(self, track: str) -> ChannelStatistics | None:
        """Return a publisher's mean and deviation of a track's first channels; None without."""
        return None


def file_fingerprint(paths: list[Path]) -> str:
    """Return sizes and modification times of files as a text.

    Raises:
        DatasetError: A file is missing.
    """
    parts = []
    for path in paths:
        try:
            stat = path.stat()
        except OSError:
            raise DatasetError(f"{path}: missing; restore the file") from None
        parts.append(f"{path.name}:{stat.st_size}:{stat.st_mtime_ns}")
    return " ".join(parts)
