"""The recorder: from sound pressure at the microphone to a digital recording.

Order of things: latency and clock, room noise, microphone response, axes and gains of its channels,
self-noise, digital full scale, channel convention.
"""

import numpy as np
from jaxtyping import Float32

from acoustic_sense.dsp.ambisonics import convert, from_ambix
from acoustic_sense.errors import SimulationError
from acoustic_sense.types import Microphone, Noise, Scene
from acoustic_sense_simulator.blocks import blocks
from acoustic_sense_simulator.clock import HALF_TAPS, reread
from acoustic_sense_simulator.noise import REFERENCE_PA, add_diffuse_noise, add_self_noise
from acoustic_sense_simulator.rendering.equalisation import equalise


def clock_ratio(noise: Noise) -> float:
    """Return the recorder's samples per sample of the player: 1 without drift."""
    return 1.0 + noise.clock_drift_ppm * 1e-6


def samples_after(scene: Scene) -> int:
    """Return how many samples after the take's end still fall into its recording.

    A recording that is early, or whose clock is slow, ends later on the player's clock.
    """
    count = round(scene.seconds * scene.sample_rate_hz)
    delay = round(scene.noise.latency_s * scene.sample_rate_hz)
    ratio = clock_ratio(scene.noise)
    margin = HALF_TAPS + 1 if ratio != 1.0 else 0
    return max(0, int(np.ceil((count - delay) / ratio)) + margin - count)


def clocked(
    sound: Float32[np.ndarray, "4 sample"], zero: int, count: int, scene: Scene
) -> Float32[np.ndarray, "4 out"]:
    """Return what the recorder samples of a sound, late by its latency and on its own clock.

    Args:
        sound: Sound on the player's clock, of at least `count` samples; its memory is used for the
            result.
        zero: Sample of it that the player sends at time 0.
        count: Samples to record.
        scene: Latency and clock drift.

    Returns:
        Float32 array, shape `(4, count)`, contiguous.
    """
    delay = round(scene.noise.latency_s * scene.sample_rate_hz)
    ratio = clock_ratio(scene.noise)
    if ratio == 1.0:
        return _cut(sound, zero - delay, count)
    reread(sound, zero - delay / ratio, 1 / ratio, count)
    return _cut(sound, 0, count)


def _cut(
    sound: Float32[np.ndarray, "4 sample"], start: int, count: int
) -> Float32[np.ndarray, "4 out"]:
    """Return `count` samples from number `start` on, silence beyond the ends, in `sound`'s memory.

    Row after row moves towards the front, so that none overwrites one that has yet to move.
    """
    cut = sound.reshape(-1)[: len(sound) * count].reshape(len(sound), count)
    begin, end = (int(np.clip(place - start, 0, count)) for place in (0, sound.shape[1]))
    for row, samples in zip(cut, sound, strict=True):
        row[begin:end] = samples[start + begin : start + end]  # numpy minds the overlap
        row[:begin] = row[end:] = 0.0
    return cut


def recorded(
    scene: Scene,
    pressure: Float32[np.ndarray, "4 sample"],
    room_generator: np.random.Generator,
    microphone_generator: np.random.Generator,
) -> Float32[np.ndarray, "4 sample"]:
    """Return the digital recording of a sound pressure in pascals.

    Args:
        scene: Microphone, noise and levels.
        pressure: W, X, Y, Z of the playback at the microphone, SN3D; its memory is used for the
            noise and for the result.
        room_generator: Source of the room noise.
        microphone_generator: Source of the microphone's own noise.

    Returns:
        The recording as the framework reads it; W, X, Y, Z with SN3D gains if the microphone's
        axes and convention are right.

    Raises:
        SimulationError: It would clip.
    """
    noise, rate = scene.noise, scene.sample_rate_hz
    if noise.noise_criterion is not None:
        add_diffuse_noise(pressure, noise.noise_criterion, rate, room_generator)
    equalise(pressure, scene.microphone.response_db, rate)
    to_channels(scene.microphone, pressure)
    if noise.self_noise_db_spl is not None:
        add_self_noise(pressure, noise.self_noise_db_spl, rate, microphone_generator)
    full_scale_pa = REFERENCE_PA * 10 ** (noise.full_scale_db_spl / 20) * np.sqrt(2)
    pressure /= np.float32(full_scale_pa)
    if scene.microphone.convention != "ambix":  # else it is as it is read: nothing to exchange
        for block in blocks(pressure.shape[1]):
            digital = convert(pressure[:, block], "sn3d", scene.microphone.convention)
            pressure[:, block] = from_ambix(digital)
    peak = max(-float(pressure.min()), float(pressure.max()))
    if peak > 1.0:
        raise SimulationError(
            f"the recording clips by {20 * np.log10(peak):.1f} dB; raise "
            "noise.full_scale_db_spl or lower noise.playback_level_db_spl"
        )
    return pressure


def to_channels(microphone: Microphone, field: Float32[np.ndarray, "4 sample"]) -> None:
    """Turn a field into the microphone's four channels in place, axes and gains as they are.

    Args:
        microphone: Its `axes` and `channel_gain_db`.
        field: True W, X, Y, Z; the channels afterwards.
    """
    if microphone.axes == "+x+y+z" and not any(microphone.channel_gain_db):
        return
    names, signs = microphone.axes[1::2], microphone.axes[::2]
    order = [0, *(1 + "xyz".index(name) for name in names)]
    factors = np.array([1.0, *(1.0 if sign == "+" else -1.0 for sign in signs)])
    factors *= 10 ** (np.array(microphone.channel_gain_db) / 20)
    column = factors[:, None].astype(np.float32)
    for block in blocks(field.shape[1]):
        field[:, block] = field[order, block] * column
