"""Estimate of the static response from playback to recording, and what the recording leaves."""

import torch
from jaxtyping import Float
from torch import Tensor

from acoustic_sense_plugins.room_cancelled.spectra import Spectra, segment_spectra, solved

SEGMENT_SAMPLES = 134_400
"""Longest stretch that is transformed at once, 2.8 s at 48 kHz. A response that rings on past its
end is an error of the estimate, so longer is better as far as takes allow."""
_OVERLAP = 4


def room_response(
    recording: Float[Tensor, "channel sample"],
    playback: Float[Tensor, "speaker sample"],
    before: int,
    after: int,
    regularisation: float,
) -> Float[Tensor, "channel speaker tap"]:
    """Return the linear, static response from loudspeakers to microphone, by least squares.

    At each frequency H = S_yx (S_xx + r I)^-1 with the spectra of recording y and playback x
    averaged over the take (Welch: Hann, three quarters of overlap). What moves is not part of it:
    over a take its mean counts only. The regularisation r, a share of the mean power of the
    loudspeakers at that frequency, makes it the solution of least norm where both play the same.

    Args:
        recording: Of one take.
        playback: The same moments; one or two loudspeakers.
        before: Taps before the moment of sending, for playback that is late in the file.
        after: Taps from it on.
        regularisation: r over the mean power.

    Returns:
        Taps from `-before` to `after`, double precision; zeros for a silent playback.

    References:
        Bendat and Piersol, "Random data", 4th ed., chapter 7 (multiple-input systems).
    """
    length = _segment_length(recording.shape[-1])
    taps = solved(*_averaged_spectra(recording, playback, length), regularisation, length)
    before, after = min(before, length // 8), min(after, length // 2)
    return torch.cat([taps[..., length - before :], taps[..., :after]], dim=-1)


def residual(
    recording: Float[Tensor, "channel sample"],
    playback: Float[Tensor, "speaker sample"],
    response: Float[Tensor, "channel speaker tap"],
    before: int,
    first: int = 0,
    count: int | None = None,
) -> Float[Tensor, "channel part"]:
    """Return the recording minus the playback as a response renders it, double precision.

    Args:
        recording: What was heard.
        playback: The same moments.
        response: Of `room_response`.
        before: Its taps before the moment of sending.
        first: First sample that is asked for; long takes are best done in parts.
        count: Samples that are asked for; all from `first` on if None.
    """
    last = recording.shape[-1] if count is None else min(first + count, recording.shape[-1])
    taps = response.shape[-1]
    begin = first + before - taps + 1  # the earliest sample of the playback that is still heard
    played = playback[:, max(begin, 0) : last + before].double()
    late = max(0, last + before - playback.shape[-1])
    played = torch.nn.functional.pad(played, (max(0, -begin), late))
    size = 1 << (played.shape[-1] + taps - 2).bit_length()
    spectrum = torch.fft.rfft(response, size) * torch.fft.rfft(played, size)
    rendered = torch.fft.irfft(spectrum.sum(dim=1), size)[:, taps - 1 : taps - 1 + last - first]
    left: Tensor = recording[:, first:last].double() - rendered
    return left


def taps_before(before: int, sample_count: int) -> int:
    """Return how many taps before the moment of sending `room_response` gives for a take."""
    return min(before, _segment_length(sample_count) // 8)


def _segment_length(sample_count: int) -> int:
    """Return the samples to transform: at most half a take, so that there is an average."""
    length = SEGMENT_SAMPLES
    while length > 1050 and 2 * length > sample_count:
        length //= 2
    return length


def _averaged_spectra(
    recording: Float[Tensor, "channel sample"],
    playback: Float[Tensor, "speaker sample"],
    length: int,
) -> Spectra:
    """Return the spectra averaged over the take, silence before it included.

    A playback that repeats has gaps between its lines; only how it begins says what belongs there.
    """
    samples, count = recording.shape[-1], len(recording)
    both = torch.zeros(
        length // 2 + 1,
        count + len(playback),
        len(playback),
        dtype=torch.complex128,
        device=recording.device,
    )
    hop = length // _OVERLAP
    for last in range(hop, max(samples, hop) + 1, hop):
        first = max(last - length, 0)
        missing = (length - (min(last, samples) - first), 0)
        heard, sent = (
            torch.nn.functional.pad(signal[:, first:last].double(), missing)
            for signal in (recording, playback)
        )
        both += segment_spectra(heard, sent)
    return both[:, :count], both[:, count:]
