"""Clips of a set of takes, cut from memory maps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int

from acoustic_sense.constants import CLIP_FRAMES, FRAME_RATE_HZ
from acoustic_sense.contracts import ClipBatch
from acoustic_sense.datasets.pose_frame import PoseFrame, seen_from_microphone
from acoustic_sense.errors import DatasetError
from acoustic_sense.inference.clips import (
    Frames,
    Statistics,
    cut_clip,
    frame_moments,
    frame_statistics,
)
from acoustic_sense.inference.description import Normalisation, is_by_track
from acoustic_sense.training.feature_store import FeatureStore
from acoustic_sense.types import TakeInfo

OnTake = Callable[[int, int], None]
"""Called after each take with how many are done and how many there are."""
Cut = Callable[[int, int, int], Frames]
"""From the row in a batch, the take and the clip's first frame to the clip with its context."""


@dataclass(frozen=True, eq=False)
class ClipIndex:
    """Which clips there are: one entry a clip in each array.

    Attributes:
        take: Index of the clip's take.
        start: First frame of the clip within its take.
        track: Index of the clip's track.
        segment: Which stretch of the track the clip hears, counted along the track, so that clips
            of different takes with the same track and segment hear the same music.
    """

    take: Int[np.ndarray, " clip"]
    start: Int[np.ndarray, " clip"]
    track: Int[np.ndarray, " clip"]
    segment: Int[np.ndarray, " clip"]

    def __len__(self) -> int:
        """Return the number of clips."""
        return len(self.take)


class ClipSet:
    """Takes opened for training: features as memory maps, everything else in memory.

    Attributes:
        takes: The takes, in their order.
        frames: Feature of each take, shape `(channel, frame, bin)`, not normalised.
        joints: Joints of each take at the feature frames, shape `(frame, 21, 3)`; of takes whose
            microphone's direction is unknown always as they are.
        subjects: Names behind `ClipBatch.subject`.
        tracks: Names behind `ClipBatch.track`.
        activities: Names behind `ClipBatch.activity`.
        labelled_frames: Frames at the beginning of each take that clips are cut from.
        statistics: Mean and deviation of the channels of each take; set by `normalise`.
    """

    def __init__(
        self,
        store: FeatureStore,
        takes: Sequence[TakeInfo],
        *,
        context_frames: int = 0,
        clip_frames: int = CLIP_FRAMES,
        pose_frame: PoseFrame = "world",
        label_share: float = 1.0,
        on_take: OnTake | None = None,
    ) -> None:
        """Open the takes, computing features that are not cached.

        Args:
            store: Where features and labels come from.
            takes: The takes.
            context_frames: Frames before a clip that are cut with it.
            clip_frames: Length of a clip.
            pose_frame: Frame of the joints.
            label_share: Share of each take's frames, from its beginning, that clips are cut from;
                at least one clip. Statistics are always those of whole takes.
            on_take: Called after each take.

        Raises:
            DatasetError: A take's files are not sound, or no take is as long as a clip.
        """
        self.takes = tuple(takes)
        self._dataset = store.dataset
        self.context_frames = context_frames
        self.clip_frames = clip_frames
        self.frames: list[Frames] = []
        self.joints: list[np.ndarray] = []
        activity_names: list[np.ndarray] = []
        for done, info in enumerate(self.takes, start=1):
            self.frames.append(store.frames(info.id))
            if on_take is not None:
                on_take(done, len(self.takes))
        # After all features: what is kept must not lie between the large arrays that they free.
        for info, frames in zip(self.takes, self.frames, strict=True):
            joints = store.dataset.pose_targets(info.id)
            if pose_frame == "microphone":
                yaw_deg = store.dataset.microphone_yaw_deg(info.id)
                joints = joints if yaw_deg is None else seen_from_microphone(joints, yaw_deg)
            self.joints.append(joints)
            activity_names.append(store.dataset.activity(info.id))
            self._check_length(info, frames, joints)
        if max((f.shape[1] for f in self.frames), default=0) < clip_frames:
            raise DatasetError(
                f"{store.dataset.path}: none of {len(self.takes)} takes is as long as a clip of "
                f"{clip_frames / FRAME_RATE_HZ} s"
            )
        self.subjects = tuple(sorted({info.subject for info in self.takes}))
        self.tracks = tuple(sorted({info.track for info in self.takes}))
        lengths = [frames.shape[1] for frames in self.frames]
        self.labelled_frames = tuple(
            min(length, max(clip_frames, round(label_share * length))) for length in lengths
        )
        labels = {str(name) for names in activity_names for name in names}
        self.activities = tuple(sorted(labels - {""}))
        self._activity = [_activity_indices(n, self.activities) for n in activity_names]
        self._subject = np.array([self.subjects.index(info.subject) for info in self.takes])
        self._track = np.array([self.tracks.index(info.track) for info in self.takes])
        self._offset = [round(info.start_s * FRAME_RATE_HZ) for info in self.takes]
        shape = self.frames[0].shape[0], self.frames[0].shape[2]
        self.statistics: list[Statistics] = [(np.zeros(shape), np.ones(shape)) for _ in self.takes]

    def _check_length(self, info: TakeInfo, frames: Frames, joints: np.ndarray) -> None:
        if frames.shape[1] != len(joints):
            raise DatasetError(
                f"{self._dataset.path}: take '{info.id}' has {frames.shape[1]} feature frames and "
                f"{len(joints)} pose frames; run `dataset validate`"
            )

    def measure(
        self, normalisation: Normalisation, channel_names: Sequence[str]
    ) -> list[Statistics]:
        """Return the mean and deviation for each take: over all takes, its track's, or its own."""
        moments = [frame_moments(frames) for frames in self.frames]
        groups = np.zeros(len(self.takes), dtype=int)
        if normalisation.startswith("take"):
            groups = np.arange(len(self.takes))
        elif is_by_track(normalisation):
            groups = self._track
        of_group = {
            group: frame_statistics(
                [item for item, own in zip(moments, groups, strict=True) if own == group],
                normalisation,
                channel_names,
            )
            for group in sorted({int(group) for group in groups})
        }
        if normalisation == "ampl":
            of_group = {group: self._published(group, own) for group, own in of_group.items()}
        return [of_group[int(group)] for group in groups]

    def _published(self, track: int, own: Statistics) -> Statistics:
        """Return a track's statistics with the published ones in place, where there are any."""
        published = self._dataset.published_statistics(self.tracks[track])
        if published is None:
            return own
        mean, deviation = (np.array(values) for values in own)
        count = len(published[0])
        mean[:count], deviation[:count] = (values[:, None] for values in published)
        return mean, deviation

    def normalise(self, statistics: Sequence[Statistics]) -> None:
        """Set the mean and deviation that each take's clips are normalised by."""
        self.statistics = list(statistics)

    def grid(self, hop_frames: int, phases: Sequence[int] | None = None) -> ClipIndex:
        """Return the clips on a grid in track time, within each take's labelled frames.

        A take whose labelled frames are so few that the grid misses them has one clip at its
        beginning, with a negative segment that it shares with clips of the same music only.

        Args:
            hop_frames: Frames from one clip to the next.
            phases: First frame of each track's grid, below `hop_frames`; 0 if None.
        """
        columns: list[list[int]] = [[], [], [], []]
        for take, (labelled, offset) in enumerate(
            zip(self.labelled_frames, self._offset, strict=True)
        ):
            track = int(self._track[take])
            phase = phases[track] if phases is not None else 0
            first = -((phase - offset) // hop_frames)  # smallest segment at or after the take
            last = (offset + labelled - self.clip_frames - phase) // hop_frames
            chosen = [(n * hop_frames + phase - offset, n) for n in range(first, last + 1)]
            if not chosen and labelled < self.frames[take].shape[1]:
                chosen = [(0, -1 - offset)]
            for start, segment in chosen:
                for column, value in zip(columns, (take, start, track, segment), strict=True):
                    column.append(value)
        return ClipIndex(*(np.array(column, dtype=np.int64) for column in columns))

    def gather(self, index: ClipIndex, rows: np.ndarray, cut: Cut | None = None) -> ClipBatch:
        """Return the chosen clips of an index as a batch, normalised.

        Args:
            index: The clips.
            rows: Which of them.
            cut: Cuts a clip out of a take's frames; as it is if None.
        """
        cut = cut or self._cut
        takes, starts = index.take[rows], index.start[rows]
        channels, _, bins = self.frames[0].shape
        width = self.context_frames + self.clip_frames
        clips = np.empty((len(rows), channels, width, bins), dtype=np.float32)
        joints = np.empty((len(rows), self.clip_frames, *self.joints[0].shape[1:]), np.float32)
        activity = np.empty(len(rows), dtype=np.int64)
        for row, (take, start) in enumerate(zip(takes, starts, strict=True)):
            end = start + self.clip_frames
            clip = cut(row, int(take), int(start))
            mean, deviation = self.statistics[take]
            np.subtract(clip, mean[:, None].astype(np.float32), out=clips[row])
            clips[row] *= (1.0 / deviation[:, None]).astype(np.float32)
            joints[row] = self.joints[take][start:end]
            activity[row] = _most_frequent(self._activity[take][start:end])
        return ClipBatch(
            features=torch.from_numpy(clips),
            joints=torch.from_numpy(joints),
            subject=torch.from_numpy(self._subject[takes]),
            track=torch.from_numpy(index.track[rows]),
            segment=torch.from_numpy(index.segment[rows]),
            take=torch.from_numpy(takes),
            activity=torch.from_numpy(activity),
        )

    def _cut(self, row: int, take: int, start: int) -> Frames:
        return cut_clip(self.frames[take], start, self.clip_frames, self.context_frames)


def _activity_indices(names: np.ndarray, known: tuple[str, ...]) -> np.ndarray:
    positions = {name: index for index, name in enumerate(known)}
    return np.array([positions.get(str(name), -1) for name in names], dtype=np.int64)


def _most_frequent(indices: np.ndarray) -> int:
    return int(np.bincount(indices + 1).argmax()) - 1
