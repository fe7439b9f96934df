"""Room simulator with moving bodies.

The names below are imported when they are first used, so that importing the package loads neither
numba nor pyroomacoustics.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from acoustic_sense.types import Room

if TYPE_CHECKING:
    from acoustic_sense_simulator.room.response import empty_room_response
    from acoustic_sense_simulator.scattering.pressure import scattered_pressure
    from acoustic_sense_simulator.simulation import simulate

__all__ = ["Room", "empty_room_response", "scattered_pressure", "simulate"]

_HOMES = {
    "empty_room_response": "acoustic_sense_simulator.room.response",
    "scattered_pressure": "acoustic_sense_simulator.scattering.pressure",
    "simulate": "acoustic_sense_simulator.simulation",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
