"""Predictor: from audio to poses with a trained model."""

from typing import Any

import numpy as np
from jaxtyping import Float32

from acoustic_sense.constants import JOINT_NAMES, SAMPLE_RATE_HZ
from acoustic_sense.errors import AudioError, ModelError
from acoustic_sense.inference.clips import (
    Frames,
    compute_frames,
    frame_moments,
    frame_statistics,
    predict_frames,
)
from acoustic_sense.inference.description import ModelDescription
from acoustic_sense.inference.model import Pipeline
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
    ) -> Float32[np.ndarray, "frame 21 3"]:
        """Return the pose at each 50 ms frame.

        The recording is cut into clips of 12 frames without overlap; the last clip ends with the
        recording.

        Args:
            recording: A `Recording`, or an array of shape `(4, sample)`: W, X, Y, Z with SN3D.
            playback: A `Playback`, or an array of shape `(speaker, sample)`, the same length.
            sample_rate_hz: Samples per second of arrays; recordings and playbacks know theirs.

        Returns:
            Float32 array, shape `(frame, 21, 3)`: hips at the origin, unit the hip-spine
            distance, lowest joint at height 0.

        Raises:
            AudioError: Shapes, lengths or rates do not fit, or there is less than one clip.
            ModelError: The model's task is not a pose.
        """
        return self._to_joints(self.predict_target(recording, playback, sample_rate_hz))

    def predict_target(
        self,
        recording: Recording | np.ndarray,
        playback: Playback | np.ndarray,
        sample_rate_hz: int = SAMPLE_RATE_HZ,
    ) -> Float32[np.ndarray, "frame target"]:
        """Return what the model's task predicts at each frame, shape `(frame, target)`.

        Raises:
            AudioError: As for `predict`.
        """
        frames = self.feature_frames(recording, playback, sample_rate_hz)
        statistics = None
        if self.description.normalisation.startswith("track"):
            statistics = frame_statistics(
                [frame_moments(frames)],
                self.description.normalisation,
                self.description.channel_names,
            )
        return predict_frames(self.pipeline, frames, statistics)

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
        heard = _as_recording(recording, sample_rate_hz)
        sent = _as_playback(playback, sample_rate_hz)
        self._check(heard, sent)
        return compute_frames(self.pipeline.feature, heard.samples, sent.samples)

    def _check(self, recording: Recording, playback: Playback) -> None:
        expected = self.description.sample_rate_hz
        for what, rate in (
            ("recording", recording.sample_rate_hz),
            ("playback", playback.sample_rate_hz),
        ):
            if rate != expected:
                raise AudioError(
                    f"the {what} has {rate} Hz but the model reads {expected} Hz; resample it"
                )
        heard, sent = recording.samples.shape[1], playback.samples.shape[1]
        if heard != sent:
            raise AudioError(
                f"the recording has {heard} samples and the playback {sent}; cut both to the same"
            )
        clip = self.description.clip_frames * self.pipeline.feature.frame_samples
        if heard < clip:
            raise AudioError(
                f"{heard / expected:.3g} s are shorter than one clip of {clip / expected:.3g} s; "
                "give a longer recording"
            )

    def _to_joints(self, target: np.ndarray) -> np.ndarray:
        if target.shape[-1] != len(JOINT_NAMES) * 3:
            raise ModelError(
                f"the model's task '{self.description.task.name}' predicts {target.shape[-1]} "
                "values a frame, not a pose; call predict_target"
            )
        return target.reshape(*target.shape[:-1], len(JOINT_NAMES), 3)


def _as_recording(recording: Recording | np.ndarray, sample_rate_hz: int) -> Recording:
    if isinstance(recording, Recording):
        return recording
    return Recording(np.asarray(recording, dtype=np.float32), sample_rate_hz)


def _as_playback(playback: Playback | np.ndarray, sample_rate_hz: int) -> Playback:
    if isinstance(playback, Playback):
        return playback
    return Playback(np.atleast_2d(np.asarray(playback, dtype=np.float32)), sample_rate_hz)
