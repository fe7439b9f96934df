"""Latency and clock drift of a recording: found beside its playback, and given to the playback.

A sound that was sent at sample n of the playback lies at `(1 + drift) n + delay` of the recording,
and what the air takes. Playback and recording need not be read by one device, nor start together.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Complex, Float
from torch import Tensor

_SEGMENT_S = 1.4
_MOST_SEGMENTS = 128
_FEWEST_SEGMENTS = 4
_HIGHEST_HZ = 8_000.0  # more has no louder say, and costs time
_LARGEST_DRIFT = 300e-6
_LARGEST_DELAY_S = 0.55
_AIR_S = 0.025  # 8.6 m: what a delay may be without latency
_KEPT_S = 0.005  # what is left for the air where there is latency
_FINER = 4  # places a sample between which a peak is looked for
_CLEAR = 6.0  # times the rms of all lags: a peak, and no chance
_LEAST_SAMPLES = 0.25  # of delay gained in half a take: less is not told from none
_BLOCK = 1_024
_HOP = _BLOCK // 4
_BLOCKS_AT_ONCE = 2_048


@dataclass(frozen=True)
class Clock:
    """How a recording's time lies beside its playback's.

    Attributes:
        delay_samples: Latency, whole samples; negative if the recording is early.
        drift: How much faster the recorder's clock runs, as a share: 20e-6 for 20 ppm.
    """

    delay_samples: int = 0
    drift: float = 0.0


def found_clock(
    recording: Float[Tensor, "channel sample"],
    playback: Float[Tensor, "speaker sample"],
    sample_rate_hz: int,
) -> Clock:
    """Return latency and drift of a recording, zero each where none stands out.

    Cross spectra of segments turn in phase as the delay grows. Those half a take apart, multiplied
    (one conjugate), summed over segments and whitened by their magnitudes, have a peak at the delay
    gained in between, whatever the room and the music are. The latency is that of the highest
    peak of the whitened cross spectrum itself, once the drift is out.

    Only what matters is reported: a drift of a quarter of a sample and more in half the take, up to
    300 ppm; a latency that cannot be the sound's way through the air, up to half a second.

    Args:
        recording: W, X, Y, Z; its first channel is read.
        playback: The same moments; one or two loudspeakers.
        sample_rate_hz: Samples per second of both.

    References:
        Knapp and Carter, "The generalized correlation method for estimation of time delay", IEEE
        Trans. ASSP 24, 1976; Chinaev, Thuene and Enzner, "Double-cross-correlation processing for
        blind sampling-rate and time-offset estimation", IEEE/ACM Trans. ASLP 29, 2021.
    """
    length = 1 << round(math.log2(_SEGMENT_S * sample_rate_hz))
    if recording.shape[1] < _FEWEST_SEGMENTS * length // 2 + length // 2:
        return Clock()
    bins = round(_HIGHEST_HZ * length / sample_rate_hz) + 1
    drift = 0.0
    cross, step = _cross_spectra(recording, playback, length, bins)
    if first := _drift(cross, step, length):
        moved = on_recorders_clock(playback, Clock(0, first))
        cross, step = _cross_spectra(recording, moved, length, bins)
        drift = (1 + first) * (1 + _drift(cross, step, length)) - 1
    return Clock(_delay(cross, length, sample_rate_hz), drift)


def on_recorders_clock(
    playback: Float[Tensor, "speaker sample"], clock: Clock
) -> Float[Tensor, "speaker sample"]:
    """Return the playback at the recorder's moments, silence beyond its ends.

    Overlapping blocks are cut where they lie, to the sample, and turned in phase by the rest; their
    Hann windows add up to one. Band-limited, up to half the sample rate.

    Args:
        playback: Shape `(speaker, sample)`.
        clock: What `found_clock` returned.
    """
    if clock == Clock():
        return playback
    samples, device = playback.shape[1], playback.device
    if clock.drift == 0.0:
        left, right = max(clock.delay_samples, 0), max(-clock.delay_samples, 0)
        return torch.nn.functional.pad(playback[:, right : samples - left], (left, right))
    window = torch.hann_window(_BLOCK, dtype=torch.float64, device=device) / 2
    omega = 2 * math.pi * torch.arange(_BLOCK // 2 + 1, device=device) / _BLOCK
    centres = torch.arange(0, samples + _BLOCK, _HOP, device=device)
    places = (centres - clock.delay_samples).double() / (1 + clock.drift)
    whole = places.round()
    margin = _BLOCK + int(max(-whole.min(), whole.max() - samples, torch.tensor(0.0)))
    padded = torch.nn.functional.pad(playback.double(), (margin, margin))
    moved = torch.zeros(len(playback), len(centres) * _HOP + _BLOCK, dtype=torch.float64)
    moved = moved.to(device)
    around = torch.arange(_BLOCK, device=device) + margin - _BLOCK // 2
    for start in range(0, len(centres), _BLOCKS_AT_ONCE):
        part = slice(start, start + _BLOCKS_AT_ONCE)
        turned = torch.polar(torch.ones(()).double(), (places - whole)[part, None] * omega)
        blocks = padded[:, whole[part].long()[:, None] + around] * window
        blocks = torch.fft.irfft(torch.fft.rfft(blocks) * turned, _BLOCK).transpose(1, 2)
        count = blocks.shape[2]
        size = (1, (count - 1) * _HOP + _BLOCK)
        added = torch.nn.functional.fold(blocks, size, (1, _BLOCK), stride=(1, _HOP))
        moved[:, start * _HOP : start * _HOP + size[1]] += added[:, 0, 0]
    first = _BLOCK // 2
    return moved[:, first : first + samples].to(playback.dtype)


def _cross_spectra(
    recording: Float[Tensor, "channel sample"],
    playback: Float[Tensor, "speaker sample"],
    length: int,
    bins: int,
) -> tuple[Complex[Tensor, "segment speaker bin"], int]:
    """Return cross spectra of segments spread over the take, and the samples between them."""
    samples = recording.shape[1]
    count = min(2 * samples // length - 1, _MOST_SEGMENTS)
    step = (samples - length) // (count - 1)
    window = torch.hann_window(length, dtype=torch.float64, device=recording.device)
    cross = []
    for first in range(0, count * step, step):
        part = slice(first, first + length)
        both = torch.cat([recording[:1, part].double(), playback[:, part].double()]) * window
        spectra = torch.fft.rfft(both)[:, :bins]
        cross.append(spectra[:1] * spectra[1:].conj())
    return torch.stack(cross), step


def _drift(cross: Complex[Tensor, "segment speaker bin"], step: int, length: int) -> float:
    """Return the drift, 0 where none stands out."""
    half = len(cross) // 2
    turned = cross[half:] * cross[: len(cross) - half].conj()
    lags, values = _correlation(turned.flatten(0, 1), length)
    near = lags.abs() <= _LARGEST_DRIFT * half * step + 1
    lags, near_values = lags[near], values[near]
    peak = int(near_values.argmax())
    gained = float(lags[peak]) + _offset(near_values, peak) / _FINER
    clear = near_values[peak] > _CLEAR * values.square().mean().sqrt()
    return gained / (half * step) if clear and abs(gained) > _LEAST_SAMPLES else 0.0


def _delay(cross: Complex[Tensor, "segment speaker bin"], length: int, sample_rate_hz: int) -> int:
    """Return the latency, 0 where the delay may be the sound's way through the air.

    What repeats has a peak each period: one within that way is as good as any other.
    """
    largest, delay = 0.0, 0
    for spectra in cross.unbind(dim=1):
        lags, values = _correlation(spectra, length)
        values = values.abs() / values.square().mean().sqrt()
        near = lags.abs() <= _LARGEST_DELAY_S * sample_rate_hz
        peak = int((values * near).argmax())
        air = (lags >= 0) & (lags <= _AIR_S * sample_rate_hz)
        if values[air].max() > values[peak] / 2:
            return 0
        if float(values[peak]) > max(largest, _CLEAR):
            largest, delay = float(values[peak]), round(float(lags[peak]))
    return delay - round(_KEPT_S * sample_rate_hz) if largest else 0


def _correlation(
    spectra: Complex[Tensor, "part bin"], length: int
) -> tuple[Float[Tensor, " lag"], Float[Tensor, " lag"]]:
    """Return lags in samples, rising, and the correlation of whitened, averaged spectra there."""
    magnitude = spectra.abs().sum(dim=0)
    played = magnitude > 1e-12 * magnitude.max()
    whitened = torch.where(played, spectra.sum(dim=0) / magnitude.clamp(min=1e-300), 0)
    size = _FINER * length
    values = torch.fft.irfft(whitened, size).roll(size // 2)
    lags = (torch.arange(size, device=values.device) - size // 2) / _FINER
    return lags, values


def _offset(values: Float[Tensor, " lag"], peak: int) -> float:
    """Return where between its neighbours a peak lies, by the parabola through them."""
    if not 0 < peak < len(values) - 1:
        return 0.0
    left, middle, right = values[peak - 1 : peak + 2].tolist()
    bend = left - 2 * middle + right
    return 0.5 * (left - right) / bend if bend else 0.0
