"""From a take to clips and back: features over a take, clips cut from them, predictions joined."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float32

from acoustic_sense.contracts import Feature
from acoustic_sense.errors import AudioError
from acoustic_sense.inference.description import Normalisation
from acoustic_sense.inference.model import Pipeline, SensingModel

CHUNK_FRAMES = 400
"""Frames that a local feature is computed for at a time, so that memory stays small."""
BATCH_CLIPS = 64
_MIN_DEVIATION = 1e-6

Frames = Float32[np.ndarray, "channel frame bin"]
Statistics = tuple[np.ndarray, np.ndarray]
"""Mean and standard deviation, shape `(channel, bin)` each."""
Moments = tuple[int, np.ndarray, np.ndarray]
"""Frames, and sum and sum of squares over them, shape `(channel, bin)` each, float64."""


def compute_frames(
    feature: Feature,
    recording: Float32[np.ndarray, "4 sample"],
    playback: Float32[np.ndarray, "speaker sample"],
) -> Frames:
    """Return a feature over a whole take.

    Args:
        feature: In evaluation mode.
        recording: Shape `(4, sample)`, W, X, Y, Z.
        playback: Shape `(speaker, sample)`, the same length.

    Returns:
        Float32 array, shape `(channel, frame, bin)`.
    """
    step = CHUNK_FRAMES * feature.frame_samples if feature.local else recording.shape[1]
    frame_count = recording.shape[1] // feature.frame_samples
    end = frame_count * feature.frame_samples
    parts = []
    with torch.inference_mode():
        for first in range(0, end, step):
            last = min(first + step, end)
            heard = torch.from_numpy(np.ascontiguousarray(recording[:, first:last]))
            sent = torch.from_numpy(np.ascontiguousarray(playback[:, first:last]))
            parts.append(feature(heard[None], sent[None])[0].to(torch.float32).numpy())
    return np.concatenate(parts, axis=1)


def clip_starts(frame_count: int, clip_frames: int) -> list[int]:
    """Return the first frames of clips that cover a take without overlap.

    The last clip ends with the take; it overlaps the one before it where the take's length is no
    multiple of a clip's.

    Examples:
        >>> clip_starts(30, 12)
        [0, 12, 18]
    """
    starts = list(range(0, frame_count - clip_frames + 1, clip_frames))
    if starts and starts[-1] + clip_frames < frame_count:
        starts.append(frame_count - clip_frames)
    return starts


def cut_clip(frames: Frames, start: int, clip_frames: int, context_frames: int) -> Frames:
    """Return one clip with the frames before it; the first frame is repeated before the take."""
    first = start - context_frames
    if first >= 0:
        return frames[:, first : start + clip_frames]
    head = np.repeat(frames[:, :1], -first, axis=1)
    return np.concatenate([head, frames[:, : start + clip_frames]], axis=1)


def frame_moments(frames: Frames) -> Moments:
    """Return what `frame_statistics` needs of a take."""
    total = np.zeros((len(frames), frames.shape[2]))
    squares = np.zeros_like(total)
    for channel, values in enumerate(frames):
        wide = np.asarray(values, dtype=np.float64)
        total[channel] = wide.sum(axis=0)
        squares[channel] = np.square(wide).sum(axis=0)
    return frames.shape[1], total, squares


def frame_statistics(
    moments: Sequence[Moments], normalisation: Normalisation, channel_names: Sequence[str]
) -> Statistics:
    """Return mean and standard deviation over takes with these moments.

    Args:
        moments: Of each take, see `frame_moments`.
        normalisation: Without `-bins`, all bins of a channel share mean and deviation. With it,
            every bin has its own mean, and all channels of a kind share one deviation from it.
        channel_names: One per channel. A kind is what comes before the slash; `recording` and
            `playback` are one kind, levels in dB, so that their difference stays one in dB.
    """
    count = sum(item[0] for item in moments)
    mean = np.sum([item[1] for item in moments], axis=0) / count
    square = np.sum([item[2] for item in moments], axis=0) / count
    if not normalisation.endswith("-bins"):
        shape = mean.shape
        mean, square = (np.broadcast_to(v.mean(1, keepdims=True), shape) for v in (mean, square))
    variance = np.maximum(square - mean**2, 0.0)
    if normalisation.endswith("-bins"):
        kinds = np.array([_kind(name) for name in channel_names])
        for kind in set(kinds):
            variance[kinds == kind] = variance[kinds == kind].mean()
    return np.array(mean), np.maximum(np.sqrt(variance), _MIN_DEVIATION)


def _kind(channel_name: str) -> str:
    prefix = channel_name.split("/")[0]
    return "level" if prefix in ("recording", "playback") else prefix


def predict_frames(
    pipeline: Pipeline, frames: Frames, statistics: Statistics | None = None
) -> Float32[np.ndarray, "frame target"]:
    """Return the model's prediction at each frame of a take.

    Args:
        pipeline: The model; put in evaluation mode for the call.
        frames: The feature over the take, not normalised, at least one clip long.
        statistics: Mean and deviation; the training set's if None.

    Returns:
        Float32 array, shape `(frame, target)`.

    Raises:
        AudioError: The take is shorter than one clip.
    """
    model, description = pipeline.model, pipeline.description
    clip_frames, context = description.clip_frames, model.encoder.context_frames
    tensors = statistics_tensors(model, statistics)
    starts = clip_starts(frames.shape[1], clip_frames)
    if not starts:
        raise AudioError(
            f"{frames.shape[1]} frames are shorter than one clip of {clip_frames}; give a longer "
            "take"
        )
    result = np.empty((frames.shape[1], model.task.target_dim), dtype=np.float32)
    was_training = model.training
    model.eval()
    done = 0
    with torch.inference_mode():
        for first in range(0, len(starts), BATCH_CLIPS):
            chosen = starts[first : first + BATCH_CLIPS]
            clips = np.stack([cut_clip(frames, s, clip_frames, context) for s in chosen])
            predictions = predict_clips(model, clips, tensors)
            for start, prediction in zip(chosen, predictions, strict=True):
                end = start + clip_frames
                result[done:end] = prediction[done - start :]
                done = end
    model.train(was_training)
    return result


def predict_clips(
    model: SensingModel,
    clips: Float32[np.ndarray, "clip channel frame bin"],
    statistics: tuple[torch.Tensor, torch.Tensor],
) -> Float32[np.ndarray, "clip frame target"]:
    """Return the model's prediction for clips that are not normalised, in the mode it is in.

    Args:
        model: Encoder and task.
        clips: With `encoder.context_frames` frames before each.
        statistics: Mean and deviation, see `statistics_tensors`.
    """
    mean, deviation = statistics
    batch = (torch.from_numpy(clips).to(mean.device) - mean[:, None]) / deviation[:, None]
    predictions: np.ndarray = model(batch).to(torch.float32).cpu().numpy()
    return predictions


def statistics_tensors(
    model: SensingModel, statistics: Statistics | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and deviation on the model's device; the training set's if None."""
    if statistics is None:
        return model.feature_mean, model.feature_deviation
    mean, deviation = (
        torch.from_numpy(np.asarray(value, dtype=np.float32)).to(model.feature_mean.device)
        for value in statistics
    )
    return mean, deviation
