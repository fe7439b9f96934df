"""Setups: a room with its equipment in place, valid for a body to move in."""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from acoustic_sense.errors import SimulationError
from acoustic_sense.types import Loudspeaker, Microphone, Noise, Room
from acoustic_sense.types.scene import RESPONSE_FREQUENCIES_HZ, Vector
from acoustic_sense_simulator.sampling.config import GenerationConfig
from acoustic_sense_simulator.sampling.equipment import draw_loudspeakers, draw_microphone
from acoustic_sense_simulator.sampling.layout import (
    Layout,
    draw_layout,
    draw_stance,
    layout_problem,
)
from acoustic_sense_simulator.sampling.ranges import draw
from acoustic_sense_simulator.sampling.responses import response_db
from acoustic_sense_simulator.sampling.rooms import RoomConfig, draw_room
from acoustic_sense_simulator.sampling.surroundings import draw_noise

MAX_ATTEMPTS = 1000
"""Draws before a configuration is called impossible."""


@dataclass(frozen=True)
class Setup:
    """A room with loudspeakers and microphone in place.

    Attributes:
        room: The room.
        layout: Where everything stands.
        loudspeakers: The loudspeakers, responses included.
        microphone: The microphone, response included.
        noise: Levels, noise and timing.
    """

    room: Room
    layout: Layout
    loudspeakers: tuple[Loudspeaker, ...]
    microphone: Microphone
    noise: Noise


def draw_setup(
    config: GenerationConfig, room_config: RoomConfig, generator: np.random.Generator
) -> Setup:
    """Draw a setup by rejection: rooms and layouts until one is valid.

    Args:
        config: The dataset.
        room_config: Ranges of the room.
        generator: Source of randomness.

    Returns:
        The first valid setup.

    Raises:
        SimulationError: None of many draws is valid.
    """
    problems: Counter[str] = Counter()
    for _ in range(MAX_ATTEMPTS):
        room = draw_room(room_config, generator)
        layout = draw_layout(config.layout, room.size_m, generator)
        problem = layout_problem(config.layout, room.size_m, layout, layout.subject_m)
        if problem is None:
            return _equip(config, room_config, room, layout, generator)
        problems[problem] += 1
    raise _impossible(f"room '{room_config.name}'", problems)


def draw_valid_stance(
    config: GenerationConfig, setup: Setup, take: str, generator: np.random.Generator
) -> tuple[Vector, float]:
    """Draw by rejection where the subject of one take stands, and its heading in degrees.

    Raises:
        SimulationError: None of many draws is valid.
    """
    problems: Counter[str] = Counter()
    for _ in range(MAX_ATTEMPTS):
        position_m, heading_deg = draw_stance(config.layout, setup.layout, generator)
        problem = layout_problem(config.layout, setup.room.size_m, setup.layout, position_m)
        if problem is None:
            return position_m, heading_deg
        problems[problem] += 1
    raise _impossible(f"take '{take}'", problems)


def _equip(
    config: GenerationConfig,
    room_config: RoomConfig,
    room: Room,
    layout: Layout,
    generator: np.random.Generator,
) -> Setup:
    """Draw what does not decide whether a layout is valid: equipment, noise, scattering."""
    bands = len(RESPONSE_FREQUENCIES_HZ)
    equipment = config.equipment
    responses = [
        response_db(generator, equipment.loudspeaker_spread_db, bands)
        for _ in layout.loudspeakers_m
    ]
    microphone_response = response_db(generator, equipment.microphone_spread_db, bands)
    noise = draw_noise(config.noise, generator)
    loudspeakers = draw_loudspeakers(equipment, layout, responses, generator)
    microphone = draw_microphone(equipment, layout, microphone_response, generator)
    room = replace(room, scattering=draw(generator, room_config.scattering, 2))
    return Setup(room, layout, loudspeakers, microphone, noise)


def _impossible(where: str, problems: Counter[str]) -> SimulationError:
    problem, _ = problems.most_common(1)[0]
    return SimulationError(
        f"{where}: no valid layout in {MAX_ATTEMPTS} draws, most often because {problem}; "
        "make the room larger or the ranges of [layout] smaller"
    )
