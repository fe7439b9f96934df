"""Layout: where loudspeakers, subject and microphone are in a room.

The loudspeakers stand in a row across an axis that leads from their middle to the microphone; the
subject stands on the axis between them, or beside it. The default is the geometry of AMPL: two
loudspeakers 1.5-2 m apart, the microphone some 3 m in front of them and turned to them, the subject
half way, facing the microphone.
"""

import math
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field

from acoustic_sense.config import Config
from acoustic_sense.types.scene import Vector
from acoustic_sense_simulator.sampling.ranges import Range, draw, within

Facing = Literal["microphone", "loudspeakers", "any"]
Angle = Annotated[Range, AfterValidator(within(-360.0, 360.0))]
Fraction = Annotated[Range, AfterValidator(within(0.0, 1.0))]
Length = Annotated[Range, AfterValidator(within(0.0, 100.0))]


class LayoutConfig(Config):
    """Ranges of all positions. Lengths in metres, angles in degrees."""

    loudspeaker_count: int = Field(default=2, ge=1, le=8, description="Number of loudspeakers.")
    loudspeaker_spacing_m: Length = Field(
        default=(1.5, 2.0), description="Distance between neighbouring loudspeakers."
    )
    loudspeaker_height_m: Length = Field(
        default=(1.1, 1.3), description="Height of the loudspeakers above the floor."
    )
    distance_m: Length = Field(
        default=(2.8, 4.0),
        description="Distance from the middle of the loudspeakers to the microphone, on the floor.",
    )
    microphone_height_m: Length = Field(
        default=(1.1, 1.4), description="Height of the microphone above the floor."
    )
    microphone_yaw_deg: Angle = Field(
        default=(-5.0, 5.0),
        description="Turn of the microphone's front away from the loudspeakers, to its left.",
    )
    axis_deg: Angle = Field(
        default=(0.0, 0.0),
        description="Direction from loudspeakers to microphone: 0 is world +z, 90 is world +x.",
    )
    offset_m: Range = Field(
        default=(-0.5, 0.5),
        description="Distance of the axis' middle from the room's, along x and along z.",
    )
    subject_along: Fraction = Field(
        default=(0.45, 0.55),
        description="Where the subject stands between loudspeakers (0) and microphone (1).",
    )
    subject_off_axis_m: Range = Field(
        default=(0.0, 0.0),
        description="How far the subject stands beside the axis; positive is the right, seen "
        "from the microphone.",
    )
    subject_jitter_m: Range = Field(
        default=(-0.1, 0.1),
        description="Shift of the subject in each take, along the axis and across it.",
    )
    facing: Facing = Field(
        default="microphone",
        description="What the subject faces: `microphone`, `loudspeakers`, or `any` direction.",
    )
    heading_jitter_deg: Angle = Field(
        default=(-10.0, 10.0), description="Turn of the subject in each take."
    )
    wall_clearance_m: float = Field(
        default=0.4, ge=0, description="Least distance of equipment from walls, floor and ceiling."
    )
    body_wall_clearance_m: float = Field(
        default=1.25,
        ge=0,
        description="Least distance of the subject's place from the walls; the procedural "
        "activities reach 1.15 m from it, captures that travel need more.",
    )
    body_equipment_clearance_m: float = Field(
        default=1.15,
        ge=0,
        description="Least distance, on the floor, of the subject's place from loudspeakers and "
        "microphone.",
    )


@dataclass(frozen=True)
class Layout:
    """Where everything stands, before the jitter of a take.

    Attributes:
        loudspeakers_m: World positions; the first is the left one, seen from the microphone.
        microphone_m: World position.
        microphone_yaw_deg: As `Microphone.yaw_deg`.
        axis_deg: Direction from loudspeakers to microphone, as a subject's heading.
        subject_m: Place of the subject on the floor.
    """

    loudspeakers_m: tuple[Vector, ...]
    microphone_m: Vector
    microphone_yaw_deg: float
    axis_deg: float
    subject_m: Vector


def draw_layout(config: LayoutConfig, size_m: Vector, generator: np.random.Generator) -> Layout:
    """Draw a layout, valid or not; see `layout_problem`.

    Args:
        config: The ranges.
        size_m: Inner size of the room.
        generator: Source of randomness.

    Returns:
        The layout.
    """
    axis_deg = draw(generator, config.axis_deg, 2)
    along, across = _directions(axis_deg)
    centre = (
        size_m[0] / 2 + draw(generator, config.offset_m),
        size_m[2] / 2 + draw(generator, config.offset_m),
    )
    distance = draw(generator, config.distance_m)
    spacing = draw(generator, config.loudspeaker_spacing_m)
    loudspeaker_height = draw(generator, config.loudspeaker_height_m)
    microphone_height = draw(generator, config.microphone_height_m)
    yaw = draw(generator, config.microphone_yaw_deg, 2)
    fraction = draw(generator, config.subject_along)
    off_axis = draw(generator, config.subject_off_axis_m)

    def place(ahead: float, beside: float, height: float) -> Vector:
        x = centre[0] + ahead * along[0] + beside * across[0]
        z = centre[1] + ahead * along[1] + beside * across[1]
        return (round(x, 3), height, round(z, 3))

    middle = (config.loudspeaker_count - 1) / 2
    return Layout(
        loudspeakers_m=tuple(
            place(-distance / 2, (index - middle) * spacing, loudspeaker_height)
            for index in range(config.loudspeaker_count)
        ),
        microphone_m=place(distance / 2, 0.0, microphone_height),
        # the microphone's front is world +x at yaw 0 and turns towards world -z
        microphone_yaw_deg=round(_wrapped(90.0 + axis_deg + yaw), 2),
        axis_deg=axis_deg,
        subject_m=place((fraction - 0.5) * distance, off_axis, 0.0),
    )


def draw_stance(
    config: LayoutConfig, layout: Layout, generator: np.random.Generator
) -> tuple[Vector, float]:
    """Draw where the subject of one take stands, and its heading in degrees."""
    along, across = _directions(layout.axis_deg)
    ahead = draw(generator, config.subject_jitter_m)
    beside = draw(generator, config.subject_jitter_m)
    x = layout.subject_m[0] + ahead * along[0] + beside * across[0]
    z = layout.subject_m[2] + ahead * along[1] + beside * across[1]
    turn = draw(generator, config.heading_jitter_deg, 2)
    anywhere = draw(generator, (0.0, 360.0), 2)
    facing_deg = {"microphone": 0.0, "loudspeakers": 180.0, "any": anywhere}[config.facing]
    heading_deg = round(_wrapped(layout.axis_deg + facing_deg + turn), 2)
    return (round(x, 3), 0.0, round(z, 3)), heading_deg


def layout_problem(
    config: LayoutConfig, size_m: Vector, layout: Layout, subject_m: Vector
) -> str | None:
    """Return what is wrong with a layout, or None if everything has its room.

    Args:
        config: The clearances.
        size_m: Inner size of the room.
        layout: Positions of the equipment.
        subject_m: Place of the subject.

    Returns:
        The first problem in words, e.g. `the microphone is nearer than 0.4 m to a wall`.
    """
    equipment = [(f"loudspeaker {i + 1}", p) for i, p in enumerate(layout.loudspeakers_m)]
    equipment.append(("the microphone", layout.microphone_m))
    clearance = config.wall_clearance_m
    for what, position in equipment:
        if any(not clearance <= p <= s - clearance for p, s in zip(position, size_m, strict=True)):
            return f"{what} is nearer than {clearance:g} m to a wall, the floor or the ceiling"
    clearance = config.body_wall_clearance_m
    if any(not clearance <= subject_m[i] <= size_m[i] - clearance for i in (0, 2)):
        return f"the subject is nearer than {clearance:g} m to a wall"
    clearance = config.body_equipment_clearance_m
    for what, position in equipment:
        if math.hypot(position[0] - subject_m[0], position[2] - subject_m[2]) < clearance:
            return f"the subject is nearer than {clearance:g} m to {what}"
    return None


def _directions(axis_deg: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the axis' direction on the floor (x, z), and the one to its left-hand side.

    The second leads from the left loudspeaker to the right one, seen from the microphone.
    """
    angle = math.radians(axis_deg)
    return (math.sin(angle), math.cos(angle)), (math.cos(angle), -math.sin(angle))


def _wrapped(angle_deg: float) -> float:
    """Return the same angle between -180 (excluded) and 180 degrees."""
    return 180.0 - (180.0 - angle_deg) % 360.0
