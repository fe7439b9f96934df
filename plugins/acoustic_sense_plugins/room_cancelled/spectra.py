"""Averaged spectra of playback and recording, and the response that they imply."""

import torch
from jaxtyping import Complex, Float
from torch import Tensor

_TINY = 1e-30
_BANDS = 64  # in which loud segments are told from usual ones
_LOUD = 4.0  # times the usual residual's power, 6 dB
_SETTLED = 8  # segments until the usual power is known

Spectra = tuple[
    Complex[Tensor, "frequency channel speaker"], Complex[Tensor, "frequency speaker speaker"]
]
"""Cross spectra of recording and playback, and those within the playback."""


def segment_spectra(
    recording: Float[Tensor, "channel sample"], playback: Float[Tensor, "speaker sample"]
) -> Complex[Tensor, "frequency both speaker"]:
    """Return a segment's cross spectra: recording and playback, each with the playback."""
    window = torch.hann_window(recording.shape[-1], dtype=torch.float64, device=recording.device)
    spectra = torch.fft.rfft(torch.cat([recording, playback]) * window).T
    products: Tensor = spectra[:, :, None] * spectra[:, None, len(recording) :].conj()
    return products


def solved(
    cross: Complex[Tensor, "frequency channel speaker"],
    power: Complex[Tensor, "frequency speaker speaker"],
    ridge: Float[Tensor, " frequency"],
    length: int,
) -> Float[Tensor, "channel speaker tap"]:
    """Return the response H = S_yx (S_xx + r I)^-1 as `length` taps, those before sending last.

    Args:
        cross: S_yx.
        power: S_xx, of one or two loudspeakers.
        ridge: r at each frequency.
        length: Samples of the transform.
    """
    spectrum = cross @ _inverse(power, ridge)
    taps: Tensor = torch.fft.irfft(spectrum.permute(1, 2, 0), length)
    return taps


def _inverse(
    power: Complex[Tensor, "frequency speaker speaker"], ridge: Float[Tensor, " frequency"]
) -> Complex[Tensor, "frequency speaker speaker"]:
    """Return the inverse of the Hermitian matrices with the ridge on their diagonals."""
    diagonal = power.diagonal(dim1=1, dim2=2).real + ridge[:, None]
    if power.shape[1] == 1:
        return (1 / diagonal)[:, :, None].to(power.dtype)
    off = power[:, 0, 1]
    determinant = diagonal[:, 0] * diagonal[:, 1] - off.real.square() - off.imag.square()
    rows = [diagonal[:, 1] + 0j, -off, -off.conj(), diagonal[:, 0] + 0j]
    matrices = torch.stack(rows, dim=1).reshape(-1, 2, 2)
    inverse: Tensor = matrices / determinant[:, None, None]
    return inverse


class SpectralSums:
    """Fading sums of segments' spectra; unusually loud segments count less, band by band.

    Args:
        channels: Channels of the recording.
        speakers: Channels of the playback.
        length: Samples of a segment.
    """

    def __init__(self, channels: int, speakers: int, length: int) -> None:
        self._channels = channels
        self._sums = torch.zeros(
            length // 2 + 1, channels + speakers, speakers, dtype=torch.complex128
        )
        self._usual: list[Tensor] = []
        edges = torch.linspace(0, 1, _BANDS + 1).square() * (length // 2 + 1)
        self._band = torch.bucketize(
            torch.arange(length // 2 + 1), edges[1:-1].round().long(), right=True
        )

    @property
    def averages(self) -> Spectra:
        """The sums: averages but for a factor, on which the response does not depend."""
        return self._sums[:, : self._channels], self._sums[:, self._channels :]

    def add(
        self,
        recording: Float[Tensor, "channel sample"],
        playback: Float[Tensor, "speaker sample"],
        residual: Float[Tensor, "channel sample"],
        fade: float,
    ) -> Float[Tensor, " frequency"]:
        """Let the sums fade and add a segment; return its weight at each frequency.

        Args:
            recording: What was heard.
            playback: The same moments.
            residual: What was left of it then.
            fade: Factor on the sums.
        """
        weight = self._weight(residual, playback)[self._band]
        self._sums = fade * self._sums
        self._sums += weight[:, None, None] * segment_spectra(recording, playback)
        return weight

    def _weight(
        self, residual: Float[Tensor, "channel sample"], playback: Float[Tensor, "speaker sample"]
    ) -> Float[Tensor, " band"]:
        """Return 1 where the residual is as loud as usual, beside the playback, less if louder."""
        ratio = self._by_band(residual) / (self._by_band(playback) + _TINY)
        usual = torch.stack(self._usual).median(dim=0).values if self._usual else ratio
        settled = len(self._usual) >= _SETTLED
        self._usual = [*self._usual[-63:], ratio]
        if not settled:
            return torch.ones_like(ratio)
        return (_LOUD * usual / (ratio + _TINY)).clamp(max=1.0)

    def _by_band(self, signal: Float[Tensor, "channel sample"]) -> Float[Tensor, " band"]:
        window = torch.hann_window(signal.shape[-1], dtype=torch.float64)
        power = torch.fft.rfft(signal * window).abs().square().sum(dim=0)
        return torch.zeros(_BANDS, dtype=torch.float64).index_add(0, self._band, power)
