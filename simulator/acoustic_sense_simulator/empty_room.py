"""Responses of a scene's empty room: what each loudspeaker's impulse gives at the microphone."""

from dataclasses import replace
from typing import Final

import numpy as np
from jaxtyping import Float32

from acoustic_sense.errors import SimulationError
from acoustic_sense.types import Loudspeaker, Scene
from acoustic_sense_simulator.rendering.equalisation import equalised
from acoustic_sense_simulator.rendering.renderer import static_sound

SILENCE: Final = 1e-6
"""A response ends where it stays below this part of its peak (-120 dB)."""
_LONGEST_S: Final = 60.0


def room_responses(scene: Scene) -> Float32[np.ndarray, "speaker 4 tap"]:
    """Return what the microphone hears of an impulse on each playback channel, nobody present.

    Through the response and the directivity of the loudspeaker, the room and the response of the
    microphone, exactly as in a take; levels, noise and latency are left out.

    Args:
        scene: Room, loudspeakers and microphone; the rest does not matter.

    Returns:
        Float32 array, shape `(speaker, 4, tap)`, channels W, X, Y, Z with SN3D gains; the sound
        at distance d arrives at tap `d / c * sample_rate_hz` with amplitude `1 / d`.

    Raises:
        SimulationError: A loudspeaker or the microphone is outside the room, or a response does
            not end.
    """
    responses = [_response(scene, loudspeaker) for loudspeaker in scene.loudspeakers]
    taps = max(response.shape[1] for response in responses)
    return np.stack([np.pad(each, ((0, 0), (0, taps - each.shape[1]))) for each in responses])


def _response(scene: Scene, loudspeaker: Loudspeaker) -> Float32[np.ndarray, "4 tap"]:
    """Return one loudspeaker's response, cut where it has died away."""
    alone = replace(scene, loudspeakers=(loudspeaker,), subject=None)
    rate = scene.sample_rate_hz
    seconds = 0.5
    while seconds <= _LONGEST_S:
        impulse = np.zeros((1, round(seconds * rate)), dtype=np.float32)
        impulse[0, 0] = 1.0
        sent = equalised(impulse, loudspeaker.response_db, rate)
        heard = equalised(static_sound(alone, sent), scene.microphone.response_db, rate)
        size = np.abs(heard).max(axis=0)
        (loud,) = np.nonzero(size > SILENCE * size.max())
        if len(loud) and loud[-1] < 0.9 * heard.shape[1]:
            return np.ascontiguousarray(heard[:, : loud[-1] + 1])
        seconds *= 2
    raise SimulationError(
        f"the response of room '{scene.room.name}' has not died away after {_LONGEST_S:.0f} s; "
        "raise room.absorption"
    )
