"""What moves beside the direct sound, phase kept, and where it flows to."""

import torch
from jaxtyping import Complex, Float
from torch import Tensor

_TINY = 1e-20  # -200 dBFS: silence gives zero, not the ratio of two roundings
_EARLIER_S = 0.001
_LENGTH_S = 0.005


def direct_response(
    response: Float[Tensor, "speaker tap"], sample_rate_hz: int
) -> Float[Tensor, "speaker tap"]:
    """Return what of a response is the direct sound: about its strongest tap, the rest zero.

    From 1 ms before the strongest tap of each loudspeaker on it falls, as a quarter of a cosine,
    to nothing in 5 ms, before most of what walls and floor send back.
    """
    taps = torch.arange(response.shape[-1], device=response.device)
    strongest = response.abs().argmax(dim=-1, keepdim=True)
    since = taps - strongest + round(_EARLIER_S * sample_rate_hz)
    share = since / round(_LENGTH_S * sample_rate_hz)
    window = torch.where((share >= 0) & (share < 1), torch.cos(torch.pi / 2 * share), 0.0)
    direct: Tensor = response * window.to(response.dtype)
    return direct


class CrossSpectrum:
    """How the residual follows the direct sound, and how its channels follow its W.

    In each mel band with weights w, for each channel R of the residual and the direct sound D,

        c = sum(w R conj(D)) / (sum(w |D|^2) + sum(w |R|^2)),

    and for R of X, Y, Z and the residual's W

        f = Re sum(w conj(W) R) / (sum(w |W|^2) + sum(w |R|^2)),

    each sum over the band and over the last frames. Both are the body's doing and hardly the
    music's: where the residual is faint, c is the least-squares ratio of both, whatever is played,
    and f is where the sound comes from, each frequency by its energy. What does not follow, noise
    above all, adds to the denominators and lowers them: noise alone is near zero, and nothing is
    above 1/2 (Cauchy and Schwarz).

    A take comes in one piece or many, in order.

    Args:
        filters: Weights of the bands.
        frames: Frames that a sum goes over, the newest included.

    References:
        Bendat and Piersol, "Random data", 4th ed., chapter 6 (cross-spectrum over power); Merimaa
        and Pulkki, "Spatial impulse response rendering I", JAES 53, 2005 (intensity over energy).
    """

    def __init__(self, filters: Float[Tensor, "frequency bin"], frames: int) -> None:
        self._filters = filters
        self._frames = frames
        self._last: Float[Tensor, "sum before bin"] | None = None

    def push(
        self,
        residual: Complex[Tensor, "4 frame frequency"],
        direct: Complex[Tensor, "frame frequency"],
    ) -> Float[Tensor, "11 frame bin"]:
        """Return both for the next frames of the take.

        Args:
            residual: Spectra of W, X, Y, Z without the room.
            direct: Spectra of the loudspeakers' direct sound at the microphone, which came when
                sound by way of the body is about to, so that phases change slowly within a band.

        Returns:
            Real parts of c for W, X, Y, Z, then imaginary parts, then f for X, Y, Z; no unit, -1/2
            to 1/2; zero in silence.
        """
        cross = residual * direct.conj()
        flow = (residual[1:] * residual[:1].conj()).real
        each = torch.cat([cross.real, cross.imag, flow, _power(residual), _power(direct)[None]])
        sums = self._summed(each @ self._filters)
        cross_sums, flow_sums, power, sent = torch.split(sums, [8, 3, 4, 1])
        return torch.cat(
            [
                cross_sums / (sent + power + _TINY).repeat(2, 1, 1),
                flow_sums / (power[:1] + power[1:] + _TINY),
            ]
        )

    def _summed(self, each: Float[Tensor, "sum frame bin"]) -> Float[Tensor, "sum frame bin"]:
        """Return sums over the last frames, and keep those that the next piece needs."""
        if not each.shape[1]:
            return each
        before = each.new_zeros(len(each), self._frames - 1, each.shape[2])
        joined = torch.cat([before if self._last is None else self._last, each], dim=1)
        self._last = joined[:, joined.shape[1] - self._frames + 1 :]
        total: Tensor = joined.unfold(1, self._frames, 1).sum(dim=-1)
        return total


def _power(spectrum: Complex[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    return spectrum.real.square() + spectrum.imag.square()
