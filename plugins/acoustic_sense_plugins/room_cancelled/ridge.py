"""What is added to the playback's power before dividing: a share of it, or what the data say."""

import torch
from jaxtyping import Complex, Float
from torch import Tensor

FLOOR = 1e-9
"""Of the loudest frequency's power: what is not played is not divided by."""
TINY = 1e-30
_WIDTH_OCTAVES = 1 / 3
_WIDTH_BINS = 8
_SMALLEST_SHARE = 1e-3
_PRIOR = 0.1
"""Of what independent taps of equal size would ask for: a room's decay, most lie before the end."""


def share_of_power(
    power: Complex[Tensor, "frequency speaker speaker"], share: float
) -> Float[Tensor, " frequency"]:
    """Return a share of the loudspeakers' mean power at each frequency."""
    trace = _trace(power)
    return share * trace / power.shape[1] + FLOOR * trace.max() + TINY


def from_residual(
    power: Complex[Tensor, "frequency speaker speaker"],
    heard: Float[Tensor, " frequency"],
    left: Float[Tensor, " frequency"] | None,
    taps_per_sample: float,
) -> Float[Tensor, " frequency"]:
    """Return the ridge that noise of the residual's power asks for.

    Least squares whose unknown taps have a variance of their own add noise variance over tap
    variance. The noise is what the estimate leaves, s_ee; the taps' variance follows from what it
    explains, s_yy - s_ee = M v s_xx for M taps of variance v. Together, over N samples,

        ridge = (M / N) s_ee / (s_yy - s_ee) s_xx,

    each smoothed over third octaves. Between the partials of a chord the ridge is as large as at
    them, and little of the noise that lies there is taken for the room's response.

    Args:
        power: Spectra within the playback, summed over segments.
        heard: Power of the recording, summed over the same segments and averaged over channels.
        left: The same of what an estimate leaves of it; a tenth of `heard` if None.
        taps_per_sample: M / N.

    References:
        Hoerl and Kennard, "Ridge regression: biased estimation for nonorthogonal problems",
        Technometrics 12, 1970; Rasmussen and Williams, "Gaussian processes for machine learning",
        MIT Press 2006, section 2.1.
    """
    trace, explained = _smoothed(_trace(power)), _smoothed(heard)
    noise = 0.1 * explained if left is None else _smoothed(left)
    signal = (explained - noise).clamp(min=0) + _SMALLEST_SHARE * explained + TINY
    return _PRIOR * taps_per_sample * noise / signal * trace + FLOOR * trace.max() + TINY


def _trace(power: Complex[Tensor, "frequency speaker speaker"]) -> Float[Tensor, " frequency"]:
    return power.diagonal(dim1=1, dim2=2).real.sum(dim=1)


def _smoothed(values: Float[Tensor, " frequency"]) -> Float[Tensor, " frequency"]:
    """Return means over third octaves, and some bins more at the lowest frequencies."""
    count = len(values)
    bins = torch.arange(count, device=values.device)
    half = 2 ** (_WIDTH_OCTAVES / 2)
    low = ((bins / half).long() - _WIDTH_BINS).clamp(min=0)
    high = ((bins * half).long() + _WIDTH_BINS + 1).clamp(max=count)
    sums = torch.nn.functional.pad(values.cumsum(dim=0), (1, 0))
    return (sums[high] - sums[low]) / (high - low)
