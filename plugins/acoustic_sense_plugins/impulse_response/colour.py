"""Whether a playback holds enough frequencies to divide by it."""

import torch
from jaxtyping import Float
from torch import Tensor

from acoustic_sense.errors import AudioError

HEARD_DB = 40.0
"""A frequency is played where its power is at most this far below the mean over frequency."""

LEAST_SHARE = 0.75
"""Share of frequencies that a period has to hold."""

_GRACE_FRAMES = 20


def played_share(playback: Float[Tensor, "*batch sample"]) -> Float[Tensor, "*batch"]:
    """Return the share of frequencies that a playback holds, 0 to 1; see `HEARD_DB`.

    White noise and pulses with a flat or pink spectrum come to nearly 1; a tone, and music, whose
    treble lies far below its bass, to a small part of it. Silence gives 1: it has no colour. The
    window (Hann) keeps the jump between the period's end and its beginning out of the spectrum.
    """
    window = torch.hann_window(playback.shape[-1], dtype=playback.dtype, device=playback.device)
    power = torch.fft.rfft(playback * window).abs().square()
    least = power.mean(dim=-1, keepdim=True) * 10 ** (-HEARD_DB / 10)
    share: Tensor = (power >= least).to(torch.float64).mean(dim=-1)
    return share


class ColourGuard:
    """Counts periods that hold too few frequencies, over a take."""

    def __init__(self) -> None:
        self._seen = 0
        self._coloured = 0

    def add(self, periods: Float[Tensor, "batch frame period"]) -> None:
        """Count more periods of the playback."""
        if periods.numel() == 0:
            return
        shares = played_share(periods)
        self._seen += shares.numel()
        self._coloured += int((shares < LEAST_SHARE).sum())

    def check(self, ended: bool) -> None:
        """Refuse the playback once most of its periods were coloured.

        Args:
            ended: Whether the take is over; before, the first second is waited for.

        Raises:
            AudioError: More than half of the periods hold too few frequencies.
        """
        if (ended or self._seen >= _GRACE_FRAMES) and 2 * self._coloured > self._seen:
            raise AudioError(
                f"in {self._coloured} of {self._seen} frames the playback holds less than "
                f"{LEAST_SHARE:.0%} of all frequencies, too few to divide by, so the feature "
                "'impulse-response' cannot be computed; play a chirp such as the signal source "
                "'tsp' with its length as period_samples, or use the feature 'mel-stack' for music"
            )
