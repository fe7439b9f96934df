"""How loud the body is beside the noise, under music and under the chirp, for `music_or_chirp.py`.

The body's sound is a take with the person less the same take without, noise left out of both. It is
held against the noise in octaves, and in the frames and mel bands that the networks read.
"""

from typing import Any, Final

import numpy as np
import torch
from acoustic_sense_simulator.noise import NC_BANDS_HZ, REFERENCE_PA, diffuse_noise, self_noise
from music_or_chirp_scenes import (
    QUIET_DB_SPL,
    Study,
    condition_scenes,
    emptied,
    heard_pa,
    quiet,
    trained_scenes,
    weighting_db,
)
from provenance import provenance

from acoustic_sense.constants import FRAME_SAMPLES, SAMPLE_RATE_HZ
from acoustic_sense.dsp.mel import mel_filters
from acoustic_sense.dsp.stft import stft
from acoustic_sense.types import Noise, Scene

BASE: Final = "nc-25"
"""Condition whose octaves are kept."""
SPLIT_HZ: Final = (1000.0, 4000.0)
"""Where mel bands are divided into low, middle and high ones."""
PARTS: Final = ("all", "low", "middle", "high")
_NOISE_SECONDS: Final = 20


def measured(study: Study) -> dict[str, Any]:
    """Return everything that the page says about sound, as plain data."""
    before = provenance("numpy", "scipy", "numba")
    heard = {  # by playback first, whose track is kept from one condition to the next
        playback: {name: _heard(study, playback, name) for name in study.conditions}
        for playback in study.playbacks
    }
    noises = [_scene(study, study.playbacks[0], name).noise for name in study.tables["noise"]]
    return {
        "benchmark": "music-or-chirp-sound",
        "level_dba": study.level(BASE),
        "bands_hz": list(NC_BANDS_HZ),
        "noise_db": {f"{n.noise_criterion:g}": _octaves_db(_noise_pa(n)) for n in noises},
        "playbacks": {playback: _playback(study, playback) for playback in study.playbacks},
        "conditions": {
            name: {playback: heard[playback][name] for playback in study.playbacks}
            for name in study.conditions
        },
        "provenance": before,
    }


def mel_power(pressure: np.ndarray) -> np.ndarray:
    """Return the power of each frame in each mel band, shape `(frame, bin)`, Pa^2 in a scale."""
    spectrum = stft(torch.from_numpy(pressure), FRAME_SAMPLES).numpy()
    power: np.ndarray = np.abs(spectrum) ** 2 @ mel_filters(SAMPLE_RATE_HZ, FRAME_SAMPLES).T
    return power


def mel_parts() -> dict[str, np.ndarray]:
    """Return which mel bands belong to each of `PARTS`, by the frequency of their peak."""
    filters = mel_filters(SAMPLE_RATE_HZ, FRAME_SAMPLES)
    peaks_hz = filters.argmax(axis=1) * SAMPLE_RATE_HZ / FRAME_SAMPLES
    place = np.digitize(peaks_hz, SPLIT_HZ)
    return {"all": place >= 0, "low": place == 0, "middle": place == 1, "high": place == 2}


def shares(body: np.ndarray, noise: np.ndarray) -> dict[str, float]:
    """Return in what share of frames and mel bands the body is louder than the noise.

    Args:
        body: Power of the body's sound, shape `(frame, bin)`.
        noise: Mean power of the noise, shape `(bin,)`.
    """
    louder = body > noise
    return {part: round(float(louder[:, bands].mean()), 4) for part, bands in mel_parts().items()}


def _heard(study: Study, playback: str, condition: str) -> dict[str, Any]:
    """Return the level of a playback under a condition, and how much of the body is heard."""
    scenes = condition_scenes(study, playback, condition)
    noise = scenes[0].noise
    gain = 10 ** ((noise.playback_level_db_spl - QUIET_DB_SPL) / 10)
    body = np.concatenate([mel_power(_body_pa(scene)) for scene in scenes])
    floor = mel_power(_noise_pa(noise)).mean(axis=0)
    return {
        "level_dba": study.level(condition),
        "level_db_spl": noise.playback_level_db_spl,
        "heard": shares(body * gain, floor),
    }


def _playback(study: Study, playback: str) -> dict[str, Any]:
    """Return the octaves of a playback and of the body under it, in dB SPL of W."""
    scene = _scene(study, playback, BASE)
    trained = trained_scenes(study, playback)[0]
    louder_db = scene.noise.playback_level_db_spl - QUIET_DB_SPL
    body, room = _body_pa(scene), heard_pa(emptied(quiet(scene)))
    return {
        "trained_dba": round(trained.noise.playback_level_db_spl + weighting_db(trained), 1),
        "trained_db_spl": trained.noise.playback_level_db_spl,
        "room_db": _octaves_db(room, louder_db),
        "body_db": _octaves_db(body, louder_db),
    }


def _scene(study: Study, playback: str, condition: str) -> Scene:
    return condition_scenes(study, playback, condition)[0]


def _body_pa(scene: Scene) -> np.ndarray:
    """Return W of what the person adds to a playback at `QUIET_DB_SPL`, pascals."""
    body: np.ndarray = heard_pa(quiet(scene)).astype(float) - heard_pa(emptied(quiet(scene)))
    return body


def _noise_pa(noise: Noise) -> np.ndarray:
    """Return W of the room's noise and of the microphone's own, pascals."""
    assert noise.noise_criterion is not None
    assert noise.self_noise_db_spl is not None
    generator = np.random.default_rng(0)
    count = _NOISE_SECONDS * SAMPLE_RATE_HZ
    room = diffuse_noise(noise.noise_criterion, count, SAMPLE_RATE_HZ, generator)[0]
    own = self_noise(noise.self_noise_db_spl, count, SAMPLE_RATE_HZ, generator)[0]
    return room.astype(float) + own


def _octaves_db(pressure: np.ndarray, louder_db: float = 0.0) -> list[float]:
    """Return the level in each octave of `NC_BANDS_HZ`, dB SPL, `louder_db` added."""
    power = 2 * np.abs(np.fft.rfft(pressure)) ** 2 / len(pressure) ** 2
    frequency = np.fft.rfftfreq(len(pressure), 1 / SAMPLE_RATE_HZ)
    edges = np.outer(NC_BANDS_HZ, (2**-0.5, 2**0.5))
    sums = [power[(frequency >= low) & (frequency < high)].sum() for low, high in edges]
    levels = 10 * np.log10(np.array(sums) / REFERENCE_PA**2) + louder_db
    return [round(float(level), 1) for level in levels]
