"""Estimate of the static response from playback to recording, and what the recording leaves."""

from collections.abc import Iterator

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from acoustic_sense_plugins.room_cancelled.ridge import from_residual, share_of_power
from acoustic_sense_plugins.room_cancelled.spectra import Spectra, segment_spectra, solved

SEGMENT_SAMPLES = 134_400
"""Longest stretch that is transformed at once, 2.8 s at 48 kHz. A response that rings on past its
end is an error of the estimate, so longer is better as far as takes allow."""
_OVERLAP = 4
_PART_SAMPLES = 1 << 18


def room_response(
    recording: Float[Tensor, "channel sample"],
    playback: Float[Tensor, "speaker sample"],
    before: int,
    after: int,
    regularisation: float | None,
    passes: int = 1,
) -> Float[Tensor, "channel speaker tap"]:
    """Return the linear, static response from loudspeakers to microphone, by least squares.

    At each frequency H = S_yx (S_xx + r I)^-1 with the spectra of recording y and playback x
    averaged over the take (Welch: Hann, three quarters of overlap). What moves is not part of it:
    over a take its mean counts only. The regularisation r makes it the solution of least norm where
    both loudspeakers play the same.

    Windows bias this: what rings from one segment into the next is lost. Each further pass makes
    the same estimate from what is left of the recording, e, and adds it:
    H + (S_ex - r H)(S_xx + r I)^-1. The bias, some per cent, then counts in its second power, its
    third, and so on.

    Args:
        recording: Of one take.
        playback: The same moments; one or two loudspeakers.
        before: Taps before the moment of sending, for playback that is late in the file.
        after: Taps from it on.
        regularisation: r over the mean power of the loudspeakers at the frequency; None: chosen
            from how loud the residual of the pass before is, see `from_residual`.
        passes: Estimates that are made, each from what those before it left.

    Returns:
        Taps from `-before` to `after`, double precision; zeros for a silent playback.

    References:
        Bendat and Piersol, "Random data", 4th ed., chapter 7 (multiple-input systems); Golub and
        Van Loan, "Matrix computations", 4th ed., section 3.5.3 (iterative refinement).
    """
    samples = recording.shape[-1]
    length = _segment_length(samples)
    before, after = min(before, length // 8), min(after, length // 2)
    cross, power = _averaged_spectra(recording, playback, length)
    heard = _summed_power(recording, length) if regularisation is None else None

    def ridge(left: Float[Tensor, " frequency"] | None) -> Float[Tensor, " frequency"]:
        if heard is None:
            return share_of_power(power, regularisation or 0.0)
        return from_residual(power, heard, left, (before + after) / samples)

    taps = _cut(solved(cross, power, ridge(None), length), before, after)
    for _ in range(passes - 1):
        left = _residual_in_parts(recording, playback, taps, before)
        cross, _ = _averaged_spectra(left, playback, length)
        chosen = ridge(None if heard is None else _summed_power(left, length))
        cross = cross - chosen[:, None, None] * _spectrum(taps, before, length)
        taps = taps + _cut(solved(cross, power, chosen, length), before, after)
    return taps


def _residual_in_parts(
    recording: Float[Tensor, "channel sample"],
    playback: Float[Tensor, "speaker sample"],
    response: Float[Tensor, "channel speaker tap"],
    before: int,
) -> Float[Tensor, "channel sample"]:
    """Return `residual` of a whole take; transforms do not grow with its length."""
    step = _PART_SAMPLES - response.shape[-1]
    parts = [
        residual(recording, playback, response, before, first, step)
        for first in range(0, recording.shape[-1], step)
    ]
    return torch.cat(parts, dim=-1)


def _cut(
    taps: Float[Tensor, "channel speaker length"], before: int, after: int
) -> Float[Tensor, "channel speaker tap"]:
    """Return the taps from `-before` to `after` of those of a transform."""
    return torch.cat([taps[..., taps.shape[-1] - before :], taps[..., :after]], dim=-1)


def _spectrum(
    taps: Float[Tensor, "channel speaker tap"], before: int, length: int
) -> Complex[Tensor, "frequency channel speaker"]:
    """Return the transform of the taps that `_cut` gave."""
    padded = torch.nn.functional.pad(taps, (0, length - taps.shape[-1]))
    spectrum: Tensor = torch.fft.rfft(padded.roll(-before, dims=-1))
    return spectrum.permute(2, 0, 1)


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
    count = len(recording)
    both = torch.zeros(
        length // 2 + 1,
        count + len(playback),
        len(playback),
        dtype=torch.complex128,
        device=recording.device,
    )
    for heard, sent in zip(_segments(recording, length), _segments(playback, length), strict=True):
        both += segment_spectra(heard, sent)
    return both[:, :count], both[:, count:]


def _summed_power(
    signal: Float[Tensor, "channel sample"], length: int
) -> Float[Tensor, " frequency"]:
    """Return the power of a signal, mean of its channels, summed as `_averaged_spectra` does."""
    window = torch.hann_window(length, dtype=torch.float64, device=signal.device)
    total = torch.zeros(length // 2 + 1, dtype=torch.float64, device=signal.device)
    for segment in _segments(signal, length):
        total += torch.fft.rfft(segment * window).abs().square().mean(dim=0)
    return total


def _segments(
    signal: Float[Tensor, "channel sample"], length: int
) -> Iterator[Float[Tensor, "channel segment"]]:
    """Yield overlapping segments in double precision, the first ones with silence before them."""
    samples, hop = signal.shape[-1], length // _OVERLAP
    for last in range(hop, max(samples, hop) + 1, hop):
        first = max(last - length, 0)
        missing = length - (min(last, samples) - first)
        yield torch.nn.functional.pad(signal[:, first:last].double(), (missing, 0))
