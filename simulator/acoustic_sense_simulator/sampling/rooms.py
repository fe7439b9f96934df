"""Rooms: shoeboxes with a plausible reverberation time."""

import math
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field, field_validator

from acoustic_sense.config import Config
from acoustic_sense.types import Room
from acoustic_sense.types.scene import ABSORPTION_BANDS_HZ
from acoustic_sense_simulator.room.decay import absorption_for
from acoustic_sense_simulator.sampling.names import Name
from acoustic_sense_simulator.sampling.ranges import Range, draw, within
from acoustic_sense_simulator.sampling.responses import smooth_octaves

Side = Annotated[Range, AfterValidator(within(1.5, 100.0))]
Height = Annotated[Range, AfterValidator(within(2.5, 30.0))]
ReverberationTime = Annotated[Range, AfterValidator(within(0.05, 10.0))]
Scattering = Annotated[Range, AfterValidator(within(0.0, 1.0))]
BandAbsorption = Annotated[float, Field(gt=0, lt=1)]


class RoomConfig(Config):
    """A room, or the ranges that rooms are drawn from. The defaults are those of a classroom."""

    name: Name = Field(default="classroom", description="What to call it in tables and protocols.")
    width_m: Side = Field(default=(7.0, 9.0), description="Inner size along world x.")
    height_m: Height = Field(default=(2.7, 3.2), description="Inner size along world y.")
    depth_m: Side = Field(default=(6.0, 8.0), description="Inner size along world z.")
    rt60_s: ReverberationTime = Field(
        default=(0.3, 0.7),
        description="Reverberation time at mid frequencies, without the air's absorption.",
    )
    rt60_spread: float = Field(
        default=0.15,
        ge=0,
        le=0.5,
        description="Relative standard deviation of the reverberation time between octave bands.",
    )
    absorption: tuple[BandAbsorption, ...] = Field(
        default=(),
        description="Energy absorption of the walls: one value, or one per octave band from "
        "125 Hz to 16 kHz; replaces `rt60_s` when given.",
    )
    image_order: int = Field(
        default=10, ge=0, le=60, description="Highest order of wall reflections as images."
    )
    scattering: Scattering = Field(
        default=(0.6, 0.8),
        description="Share of the reflected energy that walls and furniture scatter; with 0, bare "
        "walls, reverberation in a flat room is longer than `rt60_s` says.",
    )
    late_tail: bool = Field(default=True, description="Whether a diffuse tail follows the images.")
    air_absorption: bool = Field(
        default=True, description="Whether air takes high frequencies away over distance."
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


def draw_room(config: RoomConfig, generator: np.random.Generator) -> Room:
    """Draw a room.

    Args:
        config: Its ranges.
        generator: Source of randomness.

    Returns:
        The room, its walls mirroring; scattering is drawn with the equipment.
    """
    size_m = (
        draw(generator, config.width_m),
        draw(generator, config.height_m),
        draw(generator, config.depth_m),
    )
    rt60_s = draw(generator, config.rt60_s)
    curve = smooth_octaves(generator, len(ABSORPTION_BANDS_HZ))
    bands = (absorption_for(size_m, rt60_s * math.exp(config.rt60_spread * g)) for g in curve)
    drawn = tuple(min(max(round(band, 4), 0.01), 0.95) for band in bands)
    given = config.absorption[0] if len(config.absorption) == 1 else config.absorption
    return Room(
        size_m=size_m,
        absorption=given or drawn,
        image_order=config.image_order,
        late_tail=config.late_tail,
        air_absorption=config.air_absorption,
        name=config.name,
    )
