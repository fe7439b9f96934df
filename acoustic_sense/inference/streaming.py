"""Streaming: predictions while recording and playback still arrive, in bounded memory.

Samples are gathered into frames, frames into clips. Every step has the same shapes however the
samples came, so that buffers of any size give the same bits, and a whole file is one large buffer.
"""

from collections import deque
from collections.abc import Callable, Iterator

import numpy as np
import torch
from jaxtyping import Float32

from acoustic_sense.constants import SAMPLE_RATE_HZ
from acoustic_sense.errors import AudioError, ModelError
from acoustic_sense.inference.clips import Statistics, predict_clips, statistics_tensors
from acoustic_sense.inference.model import Pipeline
from acoustic_sense.inference.signals import checked_signals
from acoustic_sense.types import Playback, Recording

Predictions = Float32[np.ndarray, "frame ..."]


class Stream:
    """A model on one recording that arrives in buffers of any size; made by `Predictor.stream`.

    All that `push` and `finish` return, joined, is what `Predictor.predict` returns for the whole
    recording. Memory does not grow with the recording. One stream serves one recording.

    Attributes:
        hop_frames: Frames between the ends of two clips.
        frame_count: Frames that predictions were returned for.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        sample_rate_hz: int = SAMPLE_RATE_HZ,
        *,
        hop_frames: int | None = None,
        statistics: Statistics | None = None,
        form: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> None:
        """Begin a recording.

        Args:
            pipeline: Feature and model; the model is put in evaluation mode.
            sample_rate_hz: Samples per second of arrays that are pushed.
            hop_frames: Frames between the ends of two clips; a clip's length if None.
            statistics: Mean and deviation of the features; those of the training set if None.
            form: Given predictions `(frame, target)`, returns what callers get.

        Raises:
            ModelError: `hop_frames` lies outside 1 to a clip's length.
        """
        description = pipeline.description
        clip_frames, context = description.clip_frames, pipeline.model.encoder.context_frames
        self.hop_frames = clip_frames if hop_frames is None else hop_frames
        if not 1 <= self.hop_frames <= clip_frames:
            raise ModelError(
                f"hop_frames is {hop_frames}, but must lie between 1 and the {clip_frames} frames "
                "of a clip"
            )
        self.frame_count = 0
        self._pipeline = pipeline
        self._sample_rate_hz = sample_rate_hz
        self._form = form
        self._statistics = statistics_tensors(pipeline.model, statistics)
        self._feature = pipeline.feature.stream()
        self._samples = _SampleBuffer(pipeline.feature.frame_samples)
        self._clips = _ClipBuffer(clip_frames, context, self.hop_frames)
        self._ended = False
        pipeline.model.eval()

    @property
    def latency_s(self) -> float:
        """Longest wait in seconds from the beginning of a frame's sound to its prediction.

        It is the hop and what the feature looks ahead, without the time of computing; the frames
        of the first clip wait for `first_latency_s`. Infinite where the feature has to hear the
        whole recording.
        """
        return self._seconds(self.hop_frames)

    @property
    def first_latency_s(self) -> float:
        """Seconds of sound until the first predictions: a clip and what the feature looks ahead."""
        return self._seconds(self._clips.clip_frames)

    def push(
        self, recording: Recording | np.ndarray, playback: Playback | np.ndarray
    ) -> Predictions:
        """Take the next buffer and return the predictions that became final, maybe none.

        Args:
            recording: A `Recording`, or an array of shape `(4, sample)`: W, X, Y, Z with SN3D;
                any number of samples.
            playback: A `Playback`, or an array of shape `(speaker, sample)`, of the same moments.

        Returns:
            Predictions of the next frames, in the form of the method that made the stream:
            `(frame, 21, 3)` of `Predictor.stream`, `(frame, target)` of `stream_target`.

        Raises:
            AudioError: Channels, lengths or rates do not fit, samples are not finite, or the
                stream has ended. A refused buffer leaves the stream as it was.
        """
        heard, sent = checked_signals(
            recording, playback, self._sample_rate_hz, self._pipeline.description.sample_rate_hz
        )
        self._check_open()
        done = []
        with torch.inference_mode():
            for frame in self._samples.add(heard.samples, sent.samples):
                done += self._predict(self._feature.push(*frame))
        return self._joined(done)

    def finish(self) -> Predictions:
        """End the recording and return the predictions of its last frames.

        The last clip ends with the last whole frame, as in `Predictor.predict`.

        Raises:
            AudioError: There was less than one clip, or the stream has ended before.
        """
        self._check_open()
        self._ended = True
        with torch.inference_mode():
            done = self._predict(self._feature.finish())
            if self._clips.frame_count < self._clips.clip_frames:
                have_s, need_s = self._clips.frame_count * self._frame_s, self.first_latency_s
                raise AudioError(
                    f"the stream ended after {have_s:.3g} s, less than one clip of {need_s:.3g} s; "
                    "push a longer recording"
                )
            last = self._clips.last()
            done += [] if last is None else [self._predict_clip(*last)]
        return self._joined(done)

    @property
    def _frame_s(self) -> float:
        return self._samples.frame_samples / self._pipeline.description.sample_rate_hz

    def _seconds(self, frames: int) -> float:
        ahead = self._feature.look_ahead_frames
        return float("inf") if ahead is None else (frames + ahead) * self._frame_s

    def _check_open(self) -> None:
        if self._ended:
            raise AudioError("the stream has ended; begin another one with Predictor.stream()")

    def _predict(self, frames: torch.Tensor) -> list[np.ndarray]:
        """Take new frames `(channel, frame, bin)` and return predictions of clips they complete."""
        values = frames.to(torch.float32).cpu().numpy()
        clips = (self._clips.add(values[:, i]) for i in range(values.shape[1]))
        return [self._predict_clip(*clip) for clip in clips if clip is not None]

    def _predict_clip(self, clip: np.ndarray, new_count: int) -> np.ndarray:
        predictions = predict_clips(self._pipeline.model, clip[None], self._statistics)
        return predictions[0, -new_count:]

    def _joined(self, parts: list[np.ndarray]) -> Predictions:
        width = self._pipeline.model.task.target_dim
        result = np.concatenate([np.empty((0, width), np.float32), *parts])
        self.frame_count += len(result)
        return result if self._form is None else self._form(result)


class _SampleBuffer:
    """Samples of recording and playback, gathered into frames."""

    def __init__(self, frame_samples: int) -> None:
        self.frame_samples = frame_samples
        self._heard: np.ndarray | None = None
        self._sent: np.ndarray | None = None
        self._filled = 0

    def add(
        self, heard: Float32[np.ndarray, "4 sample"], sent: Float32[np.ndarray, "speaker sample"]
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Return the frames that the samples complete, one by one.

        Raises:
            AudioError: The number of loudspeakers is not that of the samples before.
        """
        if self._heard is None or self._sent is None:
            self._heard = np.empty((len(heard), self.frame_samples), np.float32)
            self._sent = np.empty((len(sent), self.frame_samples), np.float32)
        if len(sent) != len(self._sent):
            raise AudioError(
                f"the playback has {len(sent)} channels, but had {len(self._sent)} before in this "
                "stream; always push as many"
            )
        return self._frames(heard, sent, self._heard, self._sent)

    def _frames(
        self, heard: np.ndarray, sent: np.ndarray, heard_frame: np.ndarray, sent_frame: np.ndarray
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        taken = 0
        while taken < heard.shape[1]:
            count = min(self.frame_samples - self._filled, heard.shape[1] - taken)
            place = slice(self._filled, self._filled + count)
            heard_frame[:, place] = heard[:, taken : taken + count]
            sent_frame[:, place] = sent[:, taken : taken + count]
            taken += count
            self._filled += count
            if self._filled == self.frame_samples:
                self._filled = 0
                yield torch.from_numpy(heard_frame.copy()), torch.from_numpy(sent_frame.copy())


class _ClipBuffer:
    """Frames, gathered into clips with the frames before them."""

    def __init__(self, clip_frames: int, context_frames: int, hop_frames: int) -> None:
        self.clip_frames = clip_frames
        self.frame_count = 0
        self._hop_frames = hop_frames
        self._next_end = clip_frames
        self._predicted = 0
        self._kept: deque[np.ndarray] = deque(maxlen=context_frames + clip_frames)

    def add(
        self, frame: Float32[np.ndarray, "channel bin"]
    ) -> tuple[Float32[np.ndarray, "channel frame bin"], int] | None:
        """Return the clip that the frame completes, and how many of its last frames are new."""
        self._kept.append(frame)
        self.frame_count += 1
        if self.frame_count < self._next_end:
            return None
        self._next_end += self._hop_frames
        return self.last()

    def last(self) -> tuple[Float32[np.ndarray, "channel frame bin"], int] | None:
        """Return the clip that ends with the newest frame; None if all its frames were in others.

        Before the recording the first frame is repeated.
        """
        new_count = self.frame_count - self._predicted
        self._predicted = self.frame_count
        if new_count == 0:
            return None
        missing = (self._kept.maxlen or 0) - len(self._kept)
        return np.stack([self._kept[0]] * missing + list(self._kept), axis=1), new_count
