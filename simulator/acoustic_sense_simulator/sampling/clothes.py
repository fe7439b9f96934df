"""Clothes: what subjects wear, as absorption of the body's surface by octave.

The presets come from absorption areas of standing people in reverberant rooms, spread over the
body's surface: a mean of absorption over all directions of incidence. The scene wants absorption at
normal incidence; both belong to one real admittance.

References:
    Kath, Kuhl: Messungen zur Schallabsorption von Personen auf ungepolsterten Stuehlen, Acustica
    14, 1964, and Messungen zur Schallabsorption von Polsterstuehlen mit und ohne Personen, Acustica
    15, 1965; tabulated for standing people by Kuttruff: Room Acoustics, section 6.8. Paris: On the
    coefficient of sound absorption measured by the reverberation method, Phil. Mag. 5, 1928. Du
    Bois, Du Bois: A formula to estimate the approximate surface area, Arch. Intern. Med. 17, 1916.
"""

from typing import Annotated, Any

import numpy as np
from jaxtyping import Float64
from pydantic import BeforeValidator, Field, field_validator, model_validator

from acoustic_sense.config import Config
from acoustic_sense.errors import suggestion
from acoustic_sense.types.scene import ABSORPTION_BANDS_HZ
from acoustic_sense_simulator.sampling.names import Name

BODY_SURFACE_M2 = 1.9
"""Du Bois' surface of a person of 1.78 m and 75 kg."""

_PLAIN_M2 = (0.12, 0.24, 0.59, 0.98, 1.13, 1.12)
_COAT_M2 = (0.17, 0.41, 0.91, 1.30, 1.43, 1.47)
_AREAS_M2 = {
    "mocap-suit": tuple(area / 2 for area in _PLAIN_M2),
    "plain-clothes": _PLAIN_M2,
    "coat": _COAT_M2,
}
"""Absorption area of a standing person in the octaves from 125 Hz to 4 kHz.

Plain clothes and heavy coat are Kath and Kuhl's. Nobody seems to have measured a motion-capture
suit, thin and tight: half of plain clothes is assumed.
"""


def random_incidence_absorption(
    admittance: Float64[np.ndarray, " value"],
) -> Float64[np.ndarray, " value"]:
    """Return the absorption, averaged over all directions, of a surface of real admittance.

    Args:
        admittance: Specific admittances, above 0 and up to 1.

    References:
        Paris, 1928; Kuttruff: Room Acoustics, equation 2.53 for a real impedance.
    """
    z = 1.0 / admittance
    result: np.ndarray = 8.0 / z * (1.0 + 1.0 / (1.0 + z) - 2.0 / z * np.log1p(z))
    return result


def normal_absorption(random_incidence: float) -> float:
    """Return the absorption at normal incidence that goes with that over all directions.

    Examples:
        >>> round(normal_absorption(0.5), 2)
        0.34
    """
    admittances = np.geomspace(1e-6, 0.63, 4000)  # up to the largest absorption, 0.95
    means = random_incidence_absorption(admittances)
    beta = float(np.interp(random_incidence, means, admittances))
    return 4.0 * beta / (1.0 + beta) ** 2


def _preset(areas_m2: tuple[float, ...]) -> tuple[float, ...]:
    """Return the absorption in all bands; what is above 4 kHz is as at 4 kHz."""
    held = (*areas_m2, *(areas_m2[-1:] * (len(ABSORPTION_BANDS_HZ) - len(areas_m2))))
    return tuple(round(normal_absorption(area / BODY_SURFACE_M2), 3) for area in held)


PRESETS = {name: _preset(areas) for name, areas in _AREAS_M2.items()}
"""Absorption in the octaves of `ABSORPTION_BANDS_HZ` by name of clothes."""


def _as_bands(value: Any) -> Any:
    """Turn a single number into a tuple of one."""
    return (value,) if isinstance(value, int | float) and not isinstance(value, bool) else value


Absorption = Annotated[float, Field(ge=0, lt=1)]
BandAbsorptions = Annotated[tuple[Absorption, ...], BeforeValidator(_as_bands)]


class ClothesConfig(Config):
    """Something that subjects may wear."""

    name: Name = Field(
        description="What to call it; becomes a split tag of the take. `mocap-suit`, "
        "`plain-clothes` and `coat` have an absorption of their own."
    )
    absorption: BandAbsorptions = Field(
        default=(),
        description="Energy absorption of the clothed surface at normal incidence, from 0 (rigid) "
        "to below 1: one value, or one per octave band from 125 Hz to 16 kHz; empty for that of "
        "the clothes of this name.",
    )

    @field_validator("absorption")
    @classmethod
    def _check_bands(cls, bands: tuple[float, ...]) -> tuple[float, ...]:
        if len(bands) not in (0, 1, len(ABSORPTION_BANDS_HZ)):
            raise ValueError(
                f"give one absorption or one for each of {len(ABSORPTION_BANDS_HZ)} octave bands, "
                f"not {len(bands)}"
            )
        return bands

    @model_validator(mode="after")
    def _check_name(self) -> "ClothesConfig":
        if not self.absorption and self.name not in PRESETS:
            hint = suggestion(self.name, PRESETS) or f" known: {', '.join(PRESETS)}"
            raise ValueError(f"no clothes are named '{self.name}';{hint}, or give its absorption")
        return self

    def surface_absorption(self) -> float | tuple[float, ...]:
        """Return the absorption as a scene's `Subject.clothes_absorption`."""
        bands = self.absorption or PRESETS[self.name]
        return bands[0] if len(bands) == 1 else bands
