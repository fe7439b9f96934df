"""Equipment: loudspeakers that are turned to somewhere, and a microphone with its errors."""

import math
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from acoustic_sense.config import Config
from acoustic_sense.types import Loudspeaker, Microphone
from acoustic_sense.types.scene import Convention, MicrophoneAxes, Vector
from acoustic_sense_simulator.sampling.layout import Layout
from acoustic_sense_simulator.sampling.ranges import Range, draw, within

Radius = Annotated[Range, AfterValidator(within(0.0, 1.0))]
Turn = Annotated[Range, AfterValidator(within(-180.0, 180.0))]

_CHEST_M = 1.2
"""Height at which the loudspeakers are aimed."""


class EquipmentConfig(Config):
    """How far loudspeakers and microphone are from perfect."""

    loudspeaker_spread_db: float = Field(
        default=2.0,
        ge=0,
        le=12,
        description="Standard deviation of a loudspeaker's response between octaves.",
    )
    microphone_spread_db: float = Field(
        default=0.5,
        ge=0,
        le=12,
        description="Standard deviation of the microphone's response between octaves.",
    )
    cabinet_radius_m: Radius = Field(
        default=(0.09, 0.11),
        description="Radius of the loudspeakers' cabinets, which makes them directive; 0 for point "
        "sources that radiate alike in all directions.",
    )
    cone_radius_m: Radius = Field(
        default=(0.06, 0.07), description="Radius of the loudspeakers' cones."
    )
    aim: Literal["subject", "microphone"] = Field(
        default="subject", description="What the loudspeakers are turned to."
    )
    aim_jitter_deg: Turn = Field(
        default=(-10.0, 10.0), description="Turn of each loudspeaker away from its aim."
    )
    channel_gain_spread_db: float = Field(
        default=0.0,
        ge=0,
        le=12,
        description="Standard deviation of the gain of each of the microphone's channels.",
    )
    microphone_axes: tuple[MicrophoneAxes, ...] = Field(
        default=("+x+y+z",),
        min_length=1,
        description="Which of the microphone's true axes, with which sign, its channels X, Y and Z "
        "are; one entry is drawn. `+x+y+z` is right, `+y-x+z` a quarter turn to the left.",
    )
    microphone_convention: tuple[Convention, ...] = Field(
        default=("ambix",),
        min_length=1,
        description="Channel order and gains that the microphone delivers, which are read as "
        "AmbiX; one entry is drawn. Only `ambix` is right.",
    )

    @model_validator(mode="after")
    def _check_cone(self) -> "EquipmentConfig":
        smallest, largest = self.cabinet_radius_m[0], self.cabinet_radius_m[1]
        if largest > 0 and not 0 < self.cone_radius_m[0] <= self.cone_radius_m[1] <= smallest:
            raise ValueError(
                f"cone_radius_m must lie above 0 and at most at the smallest cabinet_radius_m, "
                f"{smallest:g} m; set cabinet_radius_m = 0 for point sources"
            )
        return self


def draw_loudspeakers(
    config: EquipmentConfig,
    layout: Layout,
    responses_db: list[tuple[float, ...]],
    generator: np.random.Generator,
) -> tuple[Loudspeaker, ...]:
    """Draw the loudspeakers: alike in size, each turned to its aim with an error of its own.

    Args:
        config: The ranges.
        layout: Where everything stands.
        responses_db: The frequency response of each.
        generator: Source of randomness; advances the same whatever the ranges.
    """
    cabinet = draw(generator, config.cabinet_radius_m)
    cone = draw(generator, config.cone_radius_m)
    x, _, z = layout.subject_m
    aim = (x, _CHEST_M, z) if config.aim == "subject" else layout.microphone_m
    loudspeakers = []
    for position, response in zip(layout.loudspeakers_m, responses_db, strict=True):
        turn = draw(generator, config.aim_jitter_deg, 2)
        if cabinet == 0:
            loudspeakers.append(Loudspeaker(position, response))
            continue
        yaw, elevation = direction_deg(position, aim)
        turned = round(math.remainder(yaw + turn, 360.0), 2)
        loudspeakers.append(
            Loudspeaker(position, response, turned, round(elevation, 2), cabinet, cone)
        )
    return tuple(loudspeakers)


def draw_microphone(
    config: EquipmentConfig,
    layout: Layout,
    microphone_response_db: tuple[float, ...],
    generator: np.random.Generator,
) -> Microphone:
    """Draw the microphone with its errors of gain, its axes and its convention.

    Args:
        config: The ranges.
        layout: Where everything stands.
        microphone_response_db: Its frequency response.
        generator: Source of randomness; advances the same whatever the ranges.
    """
    w, x, y, z = (
        round(config.channel_gain_spread_db * float(error), 2) + 0.0
        for error in generator.standard_normal(4)
    )
    axes = config.microphone_axes[int(generator.random() * len(config.microphone_axes))]
    conventions = config.microphone_convention
    return Microphone(
        layout.microphone_m,
        layout.microphone_yaw_deg,
        microphone_response_db,
        channel_gain_db=(w, x, y, z),
        axes=axes,
        convention=conventions[int(generator.random() * len(conventions))],
    )


def direction_deg(start: Vector, aim: Vector) -> tuple[float, float]:
    """Return yaw and elevation of the direction from one place to another.

    Examples:
        >>> direction_deg((1.0, 1.0, 3.0), (1.0, 1.0, 2.0))
        (90.0, 0.0)
    """
    ahead, up, back = (b - a for a, b in zip(start, aim, strict=True))
    yaw = math.degrees(math.atan2(-back, ahead))
    return yaw, math.degrees(math.atan2(up, math.hypot(ahead, back)))
