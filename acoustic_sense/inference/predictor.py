"""Predictor: from audio to poses with a trained model."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float32

from acoustic_sense.constants import JOINT_NAMES, SAMPLE_RATE_HZ
from acoustic_sense.errors import AudioError, ModelError
from acoustic_sense.inference.clips import (
    Frames,
    Statistics,
    compute_frames,
    frame_moments,
    frame_statistics,
)
from acoustic_sense.inference.description import ModelDescription, is_by_track
from acoustic_sense.inference.model import Pipeline
from acoustic_sense.inference.signals import checked_signals
from acoustic_sense.inference.streaming import Stream
from acoustic_sense.types import Playback, Recording


class Predictor:
    """A trained model, ready to use.

    Attributes:
        pipeline: Feature and model.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        pipeline.model.eval()

    @property
    def description(self) -> ModelDescription:
        """What the model is made of and was trained on."""
        return self.pipeline.description

    @property
    def feature_name(self) -> str:
        """Name of the feature that the model reads."""
        return self.description.feature.name

    @property
    def card(self) -> dict[str, Any]:
        """Everything the model file says of the model, as plain data."""
        return self.description.model_dump(mode="json")

    @property
    def mean_pose(self) -> Float32[np.ndarray, "21 3"]:
        """Mean pose of the training set in the task's normalised unit, shape `(21, 3)`.

        Raises:
            ModelError: The model's task is not a pose.
        """
        return self._to_joints(self.pipeline.model.mean_target.cpu().numpy())

    def predict(
        self,
        recording: Recording | np.ndarray,
        playback: Playback | np.ndarray,
        sample_rate_hz: int = SAMPLE_RATE_HZ,
        *,
        hop_frames: int | None = None,
    ) -> Float32[np.ndarray, "frame 21 3"]:
        """Return the pose at each 50 ms frame.

        The recording is cut into clips of 12 frames, each `hop_frames` later than the one before;
        the last clip ends with the recording. A frame's pose is that of the first clip that holds
        it.

        Args:
            recording: A `Recording`, or an array of shape `(4, sample)`: W, X, Y, Z with SN3D.
            playback: A `Playback`, or an array of shape `(speaker, sample)`, the same length.
            sample_rate_hz: Samples per second of arrays; recordings and playbacks know theirs.
            hop_frames: Frames between two clips; without overlap if None.

        Returns:
            Float32 array, shape `(frame, 21, 3)`: hips at the origin, unit the hip-spine
            distance, lowest joint at height 0.

        Raises:
            AudioError: Shapes, lengths or rates do not fit, or there is less than one clip.
            ModelError: The model's task is not a pose, or `hop_frames` is not 1 to 12.
        """
        return self._to_joints(
            self.predict_target(recording, playback, sample_rate_hz, hop_frames=hop_frames)
        )

    def predict_target(
        self,
        recording: Recording | np.ndarray,
        playback: Playback | np.ndarray,
        sample_rate_hz: int = SAMPLE_RATE_HZ,
        *,
        hop_frames: int | None = None,
    ) -> Float32[np.ndarray, "frame target"]:
        """Return what the model's task predicts at each frame, shape `(frame, target)`.

        Raises:
            AudioError: As for `predict`.
            ModelError: `hop_frames` is not 1 to 12.
        """
        heard, sent = self._checked(recording, playback, sample_rate_hz)
        statistics = self.track_statistics(heard, sent) if self._by_track else None
        stream = Stream(self.pipeline, hop_frames=hop_frames, statistics=statistics)
        return np.concatenate([stream.push(heard, sent), stream.finish()])

    def stream(
        self,
        sample_rate_hz: int = SAMPLE_RATE_HZ,
        *,
        hop_frames: int | None = None,
        statistics: Statistics | None = None,
    ) -> Stream:
        """Return a stream of poses: `predict` for a recording that arrives piece by piece.

        Args:
            sample_rate_hz: Samples per second of arrays that are pushed.
            hop_frames: Frames between two clips; without overlap if None. A smaller hop gives
                poses earlier and computes more.
            statistics: For models that normalise by the recording itself, which cannot be known
                before it ends: `track_statistics` of an earlier one.

        Raises:
            ModelError: The model's task is not a pose, it normalises by the recording and
                `statistics` are missing, its feature has to hear the whole recording, or
                `hop_frames` is not 1 to 12.
        """
        self._to_joints(self.pipeline.model.mean_target.cpu().numpy())
        return self._stream(sample_rate_hz, hop_frames, statistics, self._to_joints)

    def stream_target(
        self,
        sample_rate_hz: int = SAMPLE_RATE_HZ,
        *,
        hop_frames: int | None = None,
        statistics: Statistics | None = None,
    ) -> Stream:
        """Return a stream of what the model's task predicts: `predict_target` piece by piece.

        Raises:
            ModelError: As for `stream`, but for any task.
        """
        return self._stream(sample_rate_hz, hop_frames, statistics, None)

    def track_statistics(
        self,
        recording: Recording | np.ndarray,
        playback: Playback | np.ndarray,
        sample_rate_hz: int = SAMPLE_RATE_HZ,
    ) -> Statistics:
        """Return mean and deviation of the model's feature over a recording.

        Returns:
            Two float64 arrays, shape `(channel, bin)`.

        Raises:
            AudioError: As for `predict`.
        """
        frames = self.feature_frames(recording, playback, sample_rate_hz)
        return frame_statistics(
            [frame_moments(frames)], self.description.normalisation, self.description.channel_names
        )

    def feature_frames(
        self,
        recording: Recording | np.ndarray,
        playback: Playback | np.ndarray,
        sample_rate_hz: int = SAMPLE_RATE_HZ,
    ) -> Frames:
        """Return the model's feature over the recording, shape `(channel, frame, bin)`.

        Raises:
            AudioError: As for `predict`.
        """
        heard, sent = self._checked(recording, playback, sample_rate_hz)
        return compute_frames(self.pipeline.feature, heard.samples, sent.samples)

    @property
    def _by_track(self) -> bool:
        return is_by_track(self.description.normalisation)

    def _stream(
        self,
        sample_rate_hz: int,
        hop_frames: int | None,
        statistics: Statistics | None,
        form: Callable[[np.ndarray], np.ndarray] | None,
    ) -> Stream:
        if self._by_track and statistics is None:
            raise ModelError(
                f"the model normalises by the whole recording ('{self.description.normalisation}')"
                ", which a stream cannot know; give statistics=predictor.track_statistics(...) of "
                "an earlier recording"
            )
        stream = Stream(
            self.pipeline, sample_rate_hz, hop_frames=hop_frames, statistics=statistics, form=form
        )
        if not math.isfinite(stream.latency_s):
            raise ModelError(
                f"the feature '{self.feature_name}' has to hear the whole recording; use predict, "
                "or a feature with a streaming form"
            )
        return stream

    def _checked(
        self,
        recording: Recording | np.ndarray,
        playback: Playback | np.ndarray,
        sample_rate_hz: int,
    ) -> tuple[Recording, Playback]:
        expected = self.description.sample_rate_hz
        heard, sent = checked_signals(recording, playback, sample_rate_hz, expected)
        count = heard.samples.shape[1]
        clip = self.description.clip_frames * self.pipeline.feature.frame_samples
        if count < clip:
            raise AudioError(
                f"{count / expected:.3g} s are shorter than one clip of {clip / expected:.3g} s; "
                "give a longer recording"
            )
        return heard, sent

    def _to_joints(self, target: np.ndarray) -> np.ndarray:
        if target.shape[-1] != len(JOINT_NAMES) * 3:
            raise ModelError(
                f"the model's task '{self.description.task.name}' predicts {target.shape[-1]} "
                "values a frame, not a pose; call predict_target"
            )
        return target.reshape(*target.shape[:-1], len(JOINT_NAMES), 3)
