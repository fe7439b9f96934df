"""How the channels of a piece of music are given to the loudspeakers."""

import numpy as np
from jaxtyping import Float


def to_loudspeakers(
    music: Float[np.ndarray, "channel sample"], speaker_count: int
) -> Float[np.ndarray, "speaker sample"]:
    """Return the music with one channel a loudspeaker.

    One loudspeaker gets the mean of all channels. Otherwise the channels are dealt out in turn:
    mono goes to every loudspeaker, stereo as left, right, left, right, ... and, with fewer
    loudspeakers than channels, the last channels are left out.

    Args:
        music: Samples, shape `(channel, sample)`.
        speaker_count: Number of loudspeakers, at least 1.

    Returns:
        Samples, shape `(speaker, sample)`; never louder than the loudest channel.

    Examples:
        >>> to_loudspeakers(np.array([[1.0], [0.0]]), 3).tolist()
        [[1.0], [0.0], [1.0]]
        >>> to_loudspeakers(np.array([[1.0], [0.0]]), 1).tolist()
        [[0.5]]
    """
    if speaker_count == 1:
        return np.asarray(music.mean(axis=0, keepdims=True))
    return np.asarray(music[np.arange(speaker_count) % music.shape[0]])
