"""Response of the empty room at an ambisonics microphone, through pyroomacoustics.

The images, their damping, pyroomacoustics' own delay filters and octave bands make the response;
the direction of each image gives the four channels. W equals `room.rir` of the same room with the
10 Hz high-pass switched off (`constants.set("rir_hpf_enable", False)`): zero-phase, it would put
energy before the direct sound. Two conventions are pyroomacoustics': an image has the amplitude
`damping / distance`, without `1 / (4 pi)`, and arrives `LEAD_SAMPLES` later than
`distance / c`, room for the left half of the delay filter. `physical_response` cuts that lead.

A directive loudspeaker multiplies each image, octave by octave, by its gain towards where that
image's sound leaves it (`radiation`); a room with one absorption is split into octaves for it.
"""

from typing import Any

import numpy as np
from jaxtyping import Float64

from acoustic_sense.constants import SPEED_OF_SOUND_M_S
from acoustic_sense.errors import SimulationError
from acoustic_sense.types import Loudspeaker, Room
from acoustic_sense.types.scene import ABSORPTION_BANDS_HZ
from acoustic_sense_simulator.room.axes import microphone_axes, to_pyroomacoustics
from acoustic_sense_simulator.room.images import mirrored_share
from acoustic_sense_simulator.room.radiation import image_gains

LEAD_SAMPLES = 40
"""Samples that pyroomacoustics' responses are late: half its 81-tap fractional delay."""

_TAPS = 2 * LEAD_SAMPLES + 1


def empty_room_response(
    room: Room,
    source_m: tuple[float, float, float],
    microphone_m: tuple[float, float, float],
    sample_rate_hz: int,
    *,
    yaw_deg: float = 0.0,
    seed: int = 0,
    loudspeaker: Loudspeaker | None = None,
) -> Float64[np.ndarray, "4 tap"]:
    """Return the response of a room without a person.

    Args:
        room: The room; `late_tail` adds a ray-traced diffuse tail in which W, X, Y, Z are
            decorrelated and X, Y, Z each have a third of W's energy.
        source_m: World position of the source inside the room, metres.
        microphone_m: World position of the microphone inside the room, metres.
        sample_rate_hz: Samples per second.
        yaw_deg: Direction of the microphone's front; 0 is world +x.
        seed: Seed of the diffuse tail.
        loudspeaker: Whose directivity the source has; its position and frequency response are
            left out. None for a source that radiates alike in all directions.

    Returns:
        Float64 array, shape `(4, tap)`, channels W, X, Y, Z with SN3D gains; the sound at
        distance d arrives at tap `LEAD_SAMPLES + d / c * sample_rate_hz` with amplitude `1 / d`
        (on the loudspeaker's axis, if it is directive).

    Raises:
        SimulationError: A position outside the room, a wrong number of absorption bands, or a cone
            wider than its cabinet.
    """
    for name, position in (("source", source_m), ("microphone", microphone_m)):
        check_inside(room, position, name)
    if loudspeaker is not None and loudspeaker.cabinet_radius_m == 0:
        loudspeaker = None
    response = _image_response(room, source_m, microphone_m, sample_rate_hz, loudspeaker)
    if room.late_tail:
        from acoustic_sense_simulator.room.tail import diffuse_tail

        tail = diffuse_tail(room, source_m, microphone_m, sample_rate_hz, seed, loudspeaker)
        padded = np.zeros((4, max(response.shape[1], tail.shape[1])))
        padded[:, : response.shape[1]] = response
        padded[:, : tail.shape[1]] += tail
        response = padded
    axes = microphone_axes(yaw_deg) @ microphone_axes(0.0).T
    response[1:] = axes @ response[1:]
    return response


def physical_response(
    room: Room,
    source_m: tuple[float, float, float],
    microphone_m: tuple[float, float, float],
    sample_rate_hz: int,
    *,
    yaw_deg: float = 0.0,
    seed: int = 0,
    loudspeaker: Loudspeaker | None = None,
) -> Float64[np.ndarray, "4 tap"]:
    """Return `empty_room_response` with its lead cut: delay `distance / c`, amplitude `1 / d`."""
    response = empty_room_response(
        room,
        source_m,
        microphone_m,
        sample_rate_hz,
        yaw_deg=yaw_deg,
        seed=seed,
        loudspeaker=loudspeaker,
    )
    return response[:, LEAD_SAMPLES:]


def check_inside(room: Room, position_m: tuple[float, float, float], name: str) -> None:
    """Raise SimulationError unless a position lies inside the room."""
    if not all(0 < p < size for p, size in zip(position_m, room.size_m, strict=True)):
        place = ", ".join(f"{p:.2f}" for p in position_m)
        size = " x ".join(f"{s:.2f}" for s in room.size_m)
        raise SimulationError(
            f"the {name} at ({place}) m is outside the room of {size} m; move it or enlarge "
            "room.size_m"
        )


def shoebox(room: Room, sample_rate_hz: int, order: int, **options: Any) -> Any:
    """Return pyroomacoustics' room, still empty, Z up.

    Raises:
        SimulationError: A wrong number of absorption bands, or an absorption outside 0..1.
    """
    import pyroomacoustics as pra

    size = room.size_m
    box = pra.ShoeBox(
        [size[0], size[2], size[1]],
        fs=sample_rate_hz,
        materials=pra.Material(_absorption(room)),
        max_order=order,
        air_absorption=room.air_absorption,
        **options,
    )
    box.set_sound_speed(SPEED_OF_SOUND_M_S)
    return box


def place(
    box: Any,
    room: Room,
    source_m: tuple[float, float, float],
    microphone_m: tuple[float, float, float],
) -> None:
    """Put source and microphone into pyroomacoustics' room."""
    box.add_source(to_pyroomacoustics(np.asarray(source_m, float), room.size_m))
    box.add_microphone(to_pyroomacoustics(np.asarray(microphone_m, float), room.size_m))


def _absorption(room: Room) -> Any:
    """Return the absorption as pyroomacoustics' materials take it."""
    values = room.absorption if isinstance(room.absorption, tuple) else (room.absorption,)
    if not all(0 <= value <= 1 for value in values):
        raise SimulationError(f"room.absorption must lie between 0 and 1, not {room.absorption}")
    if not isinstance(room.absorption, tuple):
        return float(room.absorption)
    if len(values) != len(ABSORPTION_BANDS_HZ):
        raise SimulationError(
            f"room.absorption has {len(values)} bands; give one number or one for each of "
            f"{len(ABSORPTION_BANDS_HZ)} octaves from 125 Hz to 16 kHz"
        )
    return {"coeffs": list(values), "center_freqs": list(ABSORPTION_BANDS_HZ)}


def _image_response(
    room: Room,
    source_m: tuple[float, float, float],
    microphone_m: tuple[float, float, float],
    sample_rate_hz: int,
    loudspeaker: Loudspeaker | None,
) -> Float64[np.ndarray, "4 tap"]:
    """Return the image sources' part, in pyroomacoustics' axes (the microphone's at yaw 0)."""
    from pyroomacoustics import libroom
    from pyroomacoustics.parameters import constants

    box = shoebox(room, sample_rate_hz, room.image_order)
    place(box, room, source_m, microphone_m)
    box.image_source_model()
    visible = np.asarray(box.visibility[0][0]).astype(bool)
    source = box.sources[0]
    away = source.images[:, visible] - box.mic_array.R[:, :1]
    distance = np.linalg.norm(away, axis=0)
    gains = np.concatenate([np.ones((1, len(distance))), away / distance])
    amplitudes = source.damping[:, visible] / distance
    amplitudes = amplitudes * mirrored_share(room) ** (source.orders[visible] / 2)
    if box.air_absorption is not None:
        amplitudes = amplitudes * np.exp(-0.5 * box.air_absorption[:, None] * distance)
    if loudspeaker is not None:
        orders, bands = source.orders_xyz[:, visible], np.asarray(box.octave_bands.centers)
        amplitudes = amplitudes * image_gains(loudspeaker, orders, away / distance, bands)
    times = (distance / box.c + LEAD_SAMPLES / box.fs).astype(np.float32)
    count = int(np.ceil(times.max() * box.fs + LEAD_SAMPLES + 1)) + 1
    response = np.zeros((4, count))
    for band, amplitude in enumerate(amplitudes):
        for channel, gain in enumerate(gains):
            taps = np.zeros(count, dtype=np.float32)
            libroom.rir_builder(
                taps,
                times,
                (amplitude * gain).astype(np.float32),
                box.fs,
                _TAPS,
                constants.get("sinc_lut_granularity"),
                1,
            )
            single = len(amplitudes) == 1
            response[channel] += taps if single else box.octave_bands.analysis(taps, band=band)
    return response
