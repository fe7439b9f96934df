"""Ambisonics conventions: channel order and gain of first-order recordings.

Inside the framework a recording is W, X, Y, Z with SN3D gains. Files come in other conventions;
convert them by name, since nothing in the samples tells one convention from another.

| name | order | gains |
|---|---|---|
| `sn3d` | W X Y Z | SN3D: the framework's own |
| `n3d` | W X Y Z | N3D: X, Y, Z larger by sqrt(3) |
| `fuma` | W X Y Z | Furse-Malham (classic B-format): W smaller by sqrt(2) |
| `ambix` | W Y Z X (ACN) | SN3D |
| `acn-n3d` | W Y Z X (ACN) | N3D |
"""

import math
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from acoustic_sense.constants import AMBISONIC_CHANNELS
from acoustic_sense.errors import AudioError, suggestion

if TYPE_CHECKING:
    import torch

ArrayT = TypeVar("ArrayT", np.ndarray, "torch.Tensor")

_SN3D = (1.0, 1.0)
_N3D = (1.0, math.sqrt(3.0))
_FUMA = (1.0 / math.sqrt(2.0), 1.0)

CONVENTIONS: Final[dict[str, tuple[str, tuple[float, float]]]] = {
    "sn3d": ("WXYZ", _SN3D),
    "n3d": ("WXYZ", _N3D),
    "fuma": ("WXYZ", _FUMA),
    "ambix": ("WYZX", _SN3D),
    "acn-n3d": ("WYZX", _N3D),
}
"""Channel order, and the gains of W and of X, Y, Z relative to SN3D, by name."""


def convert(samples: ArrayT, source: str, target: str) -> ArrayT:
    """Return a first-order signal in another convention.

    Args:
        samples: Numpy array or tensor, shape `(*batch, 4, sample)`.
        source: The convention it is in, a name of `CONVENTIONS`.
        target: The convention to return.

    Returns:
        A new array of the same kind, shape and dtype.

    Raises:
        AudioError: A convention is unknown or the second-last axis does not hold 4 channels.

    Examples:
        >>> ambix = np.array([[0.0], [2.0], [3.0], [1.0]])  # W, Y, Z, X
        >>> convert(ambix, "ambix", "sn3d")[:, 0].tolist()  # W, X, Y, Z
        [0.0, 1.0, 2.0, 3.0]
    """
    if samples.ndim < 2 or samples.shape[-2] != len(AMBISONIC_CHANNELS):
        raise AudioError(
            f"first-order ambisonics has shape (..., 4, sample), not {tuple(samples.shape)}; "
            "put the channels first and give all four"
        )
    source_order, source_gains = _convention(source)
    target_order, target_gains = _convention(target)
    places = [source_order.index(name) for name in target_order]
    kinds = [0 if name == "W" else 1 for name in target_order]
    gains = [target_gains[kind] / source_gains[kind] for kind in kinds]
    if isinstance(samples, np.ndarray):
        result = np.empty_like(samples)
        for index, (place, gain) in enumerate(zip(places, gains, strict=True)):
            result[..., index, :] = samples[..., place, :] * gain
        return result
    import torch  # a simulator's worker converts arrays alone and is spared it

    channels = zip(places, gains, strict=True)
    return torch.stack([samples[..., place, :] * gain for place, gain in channels], dim=-2)


def from_ambix(samples: ArrayT) -> ArrayT:
    """Return W, X, Y, Z with SN3D gains from AmbiX (W, Y, Z, X; SN3D), the order on disk."""
    return convert(samples, "ambix", "sn3d")


def to_ambix(samples: ArrayT) -> ArrayT:
    """Return AmbiX (W, Y, Z, X; SN3D), the order on disk, from W, X, Y, Z with SN3D gains."""
    return convert(samples, "sn3d", "ambix")


def _convention(name: str) -> tuple[str, tuple[float, float]]:
    if name not in CONVENTIONS:
        hint = suggestion(name, CONVENTIONS) or f" known: {', '.join(CONVENTIONS)}"
        raise AudioError(f"unknown ambisonics convention '{name}';{hint}")
    return CONVENTIONS[name]
