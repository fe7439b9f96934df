"""The room cancelled while the take arrives: an estimate from what was heard so far."""

import math

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from acoustic_sense.constants import FRAME_RATE_HZ
from acoustic_sense_plugins.room_cancelled.cross_spectrum import direct_response
from acoustic_sense_plugins.room_cancelled.ridge import from_residual, share_of_power
from acoustic_sense_plugins.room_cancelled.spectra import SpectralSums, solved

SEGMENT_FRAMES = 56
"""Frames that are transformed at once: 2.8 s."""
HOP_FRAMES = 14
"""Frames from one estimate to the next."""
_RECENT = 0.7  # what the residual's power before the last 0.7 s counts when the ridge is chosen


class RunningCanceller:
    """Cancels the static room frame by frame; what a frame gets depends on no later sample.

    Every 0.7 s the last 2.8 s are added to the averaged spectra, older ones having faded by their
    age, and the response is solved anew. The frames after that are cancelled with it by partitioned
    convolution. A stretch whose residual is much louder than usual, in a band, counts less there
    (somebody speaks, a door falls shut). Nothing is cancelled in the first 0.7 s.

    Args:
        channels: Channels of the recording.
        speakers: Channels of the playback.
        frame: Samples in a frame.
        taps: Taps of the response from the moment of sending on, at most half of 2.8 s.
        memory_frames: Frames after which a stretch counts 1 / e.
        regularisation: As of `room_response`; None: chosen from the residual of the last seconds.
        direct: Whether the direct sound in W, see `direct_response`, follows behind the residual.

    References:
        Haykin, "Adaptive filter theory", 5th ed., chapter 10 (recursive least squares); Soo and
        Pang, "Multidelay block frequency domain adaptive filter", IEEE Trans. ASSP 38, 1990 (the
        partitions).
    """

    def __init__(
        self,
        channels: int,
        speakers: int,
        *,
        frame: int,
        taps: int,
        memory_frames: float,
        regularisation: float | None,
        direct: bool = False,
    ) -> None:
        self._frame = frame
        self._direct = direct
        self._regularisation = regularisation
        self._partitions = min(-(-taps // frame), SEGMENT_FRAMES // 2)
        self._fade = math.exp(-HOP_FRAMES / memory_frames)
        samples = SEGMENT_FRAMES * frame
        self._heard = torch.zeros(channels, samples, dtype=torch.float64)
        self._sent = torch.zeros(speakers, samples, dtype=torch.float64)
        self._left = torch.zeros(channels, samples, dtype=torch.float64)
        shape = (self._partitions, channels + direct, speakers, frame + 1)
        self._filters = torch.zeros(shape, dtype=torch.complex128)
        self._spectra = torch.zeros(shape[0], speakers, frame + 1, dtype=torch.complex128)
        self._sums = SpectralSums(channels, speakers, samples)
        self._recent: Float[Tensor, "2 frequency"] | None = None  # power of recording, residual
        self._counted = 0.0
        self._done = 0

    def push(
        self, heard: Float[Tensor, "channel frame"], sent: Float[Tensor, "speaker frame"]
    ) -> Float[Tensor, "given frame"]:
        """Return the residual of the next frame, double precision; then, if asked, direct sound."""
        heard = heard.double()
        self._heard = _shifted(self._heard, heard)
        self._sent = _shifted(self._sent, sent.double())
        newest = torch.fft.rfft(self._sent[:, -2 * self._frame :])
        self._spectra = torch.cat([newest[None], self._spectra[:-1]])
        rendered = torch.einsum("pcsf,psf->cf", self._filters, self._spectra)
        sound: Tensor = torch.fft.irfft(rendered, 2 * self._frame)[:, self._frame :]
        left = heard - sound[: len(heard)]
        self._left = _shifted(self._left, left)
        self._done += 1
        if self._done % HOP_FRAMES == 0:
            self._estimate()
        return torch.cat([left, sound[len(heard) :]])

    def _estimate(self) -> None:
        """Add the last stretch and solve for the response."""
        weight = self._sums.add(self._heard, self._sent, self._left, self._fade)
        cross, power = self._sums.averages
        ridge = self._ridge(power, weight)
        response = solved(cross, power, ridge, self._heard.shape[1])
        taps = response[..., : self._partitions * self._frame]
        if self._direct:
            taps = torch.cat([taps, direct_response(taps[0], FRAME_RATE_HZ * self._frame)[None]])
        blocks = taps.reshape(*taps.shape[:2], self._partitions, self._frame)
        trust = -math.expm1(-2 * self._done / SEGMENT_FRAMES)  # little of it before 2.8 s
        filters = torch.fft.rfft(trust * blocks, 2 * self._frame)
        self._filters = filters.permute(2, 0, 1, 3).contiguous()

    def _ridge(
        self,
        power: Complex[Tensor, "frequency speaker speaker"],
        weight: Float[Tensor, " frequency"],
    ) -> Float[Tensor, " frequency"]:
        """Return what is added to the playback's power, chosen anew from the last seconds.

        What counts less in the sums counts less here too: a shout is not the noise in them.
        """
        if self._regularisation is not None:
            return share_of_power(power, self._regularisation)
        hop = HOP_FRAMES * self._frame
        self._counted = self._fade * self._counted + hop
        window = torch.hann_window(hop, dtype=torch.float64)
        last = torch.stack([self._heard[:, -hop:], self._left[:, -hop:]]) * window
        spectra = torch.fft.rfft(last, self._heard.shape[1])
        now = weight * spectra.abs().square().mean(dim=1)
        kept = now if self._recent is None else _RECENT * self._recent + (1 - _RECENT) * now
        first = self._recent is None  # nothing was cancelled yet
        self._recent = kept
        share = self._partitions * self._frame / self._counted
        return from_residual(power, kept[0], None if first else kept[1], share)


def _shifted(
    buffer: Float[Tensor, "channel sample"], new: Float[Tensor, "channel new"]
) -> Float[Tensor, "channel sample"]:
    """Return the buffer with its oldest samples out and new ones in."""
    return torch.cat([buffer[:, new.shape[1] :], new], dim=1)
