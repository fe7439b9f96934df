"""Changes of a take's audio whose features are cached, and random delays of the playback."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from acoustic_sense.inference.clips import Frames


@dataclass(frozen=True)
class AudioChange:
    """A change of recording or playback, made before features are computed.

    Attributes:
        delay_samples: Samples that the playback comes later; earlier where negative.
        inverted: Whether all channels of the recording change their sign.
    """

    delay_samples: int = 0
    inverted: bool = False

    def apply(
        self,
        recording: Float32[np.ndarray, "4 sample"],
        playback: Float32[np.ndarray, "speaker sample"],
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the changed recording and playback.

        Where a delayed playback has nothing to play it is silent: up to the delay's length at one
        end of the take.
        """
        return (
            -recording if self.inverted else recording,
            delayed(playback, self.delay_samples),
        )


@dataclass(frozen=True, eq=False)
class ChangedFrames:
    """What changes of the audio change in a take's feature.

    Attributes:
        channels: Feature channels that any of the changes touches.
        frames: Those channels after each change, shape `(change, channel, frame, bin)`.
    """

    channels: tuple[int, ...]
    frames: Float32[np.ndarray, "change channel frame bin"]

    def put_into(self, clip: Frames, change: int, first: int) -> None:
        """Overwrite the channels of a clip that begins at frame `first` of the take.

        Frames before the take, of a clip with context, repeat its first one.
        """
        rows = np.arange(first, first + clip.shape[1]).clip(min=0)
        clip[list(self.channels)] = self.frames[change][:, rows]


def delayed(
    signal: Float32[np.ndarray, "channel sample"], delay_samples: int
) -> Float32[np.ndarray, "channel sample"]:
    """Return a signal that comes later, or earlier if negative, silent where nothing is left.

    Examples:
        >>> delayed(np.array([[1.0, 2.0, 3.0]]), 1)
        array([[0., 1., 2.]])
        >>> delayed(np.array([[1.0, 2.0, 3.0]]), -1)
        array([[2., 3., 0.]])
    """
    result = np.zeros_like(signal)
    count = max(0, signal.shape[1] - abs(delay_samples))
    if delay_samples >= 0:
        result[:, signal.shape[1] - count :] = signal[:, :count]
    else:
        result[:, :count] = signal[:, signal.shape[1] - count :]
    return result


def random_delays(take_id: str, largest_samples: int, count: int) -> tuple[int, ...]:
    """Return a take's delays: one drawn from each of `count` equal parts of the range.

    They depend on the take's name only, so that runs with other seeds read the same cache.

    Args:
        take_id: The take.
        largest_samples: Largest delay, either way.
        count: Number of delays.
    """
    seed = int.from_bytes(hashlib.sha256(take_id.encode()).digest()[:8])
    places = np.random.default_rng(seed).random(count)
    shares = (np.arange(count) + places) / count
    return tuple(round(float(share)) for share in (2 * shares - 1) * largest_samples)


def changes_name(changes: Sequence[AudioChange]) -> str:
    """Return a short name that differs wherever the changes do."""
    text = repr([(change.delay_samples, change.inverted) for change in changes])
    return hashlib.sha256(text.encode()).hexdigest()[:12]
