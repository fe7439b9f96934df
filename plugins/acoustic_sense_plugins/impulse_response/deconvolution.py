"""Deconvolution of a recording by one period of the playback."""

import torch
from jaxtyping import Float
from torch import Tensor

_SMALLEST_POWER = 1e-20  # keeps silence from being divided by nothing


def response(
    recording: Float[Tensor, "*batch channel sample"],
    playback: Float[Tensor, "*batch sample"],
    regularisation: float,
) -> Float[Tensor, "*batch channel tap"]:
    """Return the impulse response from playback to recording, both one period long.

    H = Y conj(X) / (|X|^2 + r mean |X|^2), back in time. Exact up to the regularisation r where
    the playback repeats with the period and the room has settled; a response that is longer than
    the period wraps round.

    Args:
        recording: One period of what was heard.
        playback: The same moments of what was played.
        regularisation: r; where the playback's power is the mean, the response is 1 / (1 + r) of
            the true one.

    Returns:
        As many taps as samples; silent playback gives zeros.
    """
    sent = torch.fft.rfft(playback)[..., None, :]
    heard = torch.fft.rfft(recording)
    power = sent.abs().square()
    floor = (regularisation * power.mean(dim=-1, keepdim=True)).clamp(min=_SMALLEST_POWER)
    taps: Tensor = torch.fft.irfft(heard * sent.conj() / (power + floor), recording.shape[-1])
    return taps
