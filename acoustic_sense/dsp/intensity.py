"""Acoustic intensity: where sound comes from, at each frequency."""

from jaxtyping import Complex, Float
from torch import Tensor

_SMALLEST_SQUARE = 1e-30  # about -180 dBFS; keeps a silent bin and its gradient from being NaN


def intensity_direction(
    spectrum: Complex[Tensor, "*batch 4 frame frequency"],
) -> Float[Tensor, "*batch 3 frame frequency"]:
    """Return the active intensity vector of a first-order recording, scaled to unit length.

    `I = Re(conj(W) (X, Y, Z))`, divided at each bin by its own norm; a silent bin gives zero.
    With SN3D gains and a plane wave, the vector points to where the wave comes from.

    Args:
        spectrum: Spectra of W, X, Y, Z, shape `(*batch, 4, frame, frequency)`.

    Returns:
        X, Y and Z parts, shape `(*batch, 3, frame, frequency)`.

    References:
        Jarrett, Habets, Naylor, "3D source localization in the spherical harmonic domain using a
        pseudointensity vector", EUSIPCO 2010.
    """
    pressure, velocity = spectrum[..., :1, :, :], spectrum[..., 1:, :, :]
    intensity = pressure.real * velocity.real + pressure.imag * velocity.imag
    norm = intensity.square().sum(dim=-3, keepdim=True).clamp(min=_SMALLEST_SQUARE).sqrt()
    return intensity / norm
