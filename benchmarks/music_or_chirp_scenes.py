"""Scenes of `music_or_chirp.py`: AMPL-Sim's under other conditions, playback at a level in dB(A).

Conditions are those of `music-or-chirp-conditions.toml`. The recorder's gain follows the playback:
in the digital recording the empty room is as loud as in training, and noise is louder or quieter.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from acoustic_sense_simulator import simulate
from acoustic_sense_simulator.ampl_sim import dataset_config, overlaid
from acoustic_sense_simulator.generation.jobs import TakeJob
from acoustic_sense_simulator.generation.threads import single_thread
from acoustic_sense_simulator.generation.workers import run_jobs
from acoustic_sense_simulator.noise import REFERENCE_PA, a_weighting
from acoustic_sense_simulator.sampling import GenerationConfig, scenes
from pydantic import Field

from acoustic_sense.config import Config, load_config, parse_config
from acoustic_sense.datasets import DatasetWriter
from acoustic_sense.datasets.manifest import write_manifest
from acoustic_sense.types import Noise, Scene

FILE: Final = Path(__file__).parent / "music-or-chirp-conditions.toml"
SIZE: Final = "mini"
QUIET_DB_SPL: Final = 65.0
_DECIMALS: Final = 2


class Condition(Config):
    """What is otherwise than in AMPL-Sim mini."""

    level_dba: float | None = Field(default=None, description="Level of the playback, or None.")
    scene: dict[str, Any] = Field(default_factory=dict, description="As in a `GenerationConfig`.")
    room: dict[str, Any] = Field(default_factory=dict, description="As an entry of its `rooms`.")


class Study(Config):
    """All conditions, and whom they are tried with."""

    people: tuple[str, ...] = Field(description="Subjects of the test takes.")
    track: str = Field(description="Track of AMPL-Sim whose scenes they are.")
    playbacks: tuple[str, ...] = Field(description="Variants of AMPL-Sim to compare.")
    level_dba: float = Field(description="Level at the microphone where a condition has none.")
    noise_criterion: float = Field(description="NC curve where a condition has none.")
    conditions: dict[str, Condition] = Field(description="The conditions by name.")
    tables: dict[str, dict[str, str]] = Field(
        description="Conditions of each table of the page, and what it calls them."
    )

    def level(self, condition: str) -> float:
        """Return how loud the playback is under a condition, dB(A) at the microphone."""
        own = self.conditions[condition].level_dba
        return self.level_dba if own is None else own


def read_study() -> Study:
    """Return the study that comes with the project."""
    return load_config(Study, FILE)


def dataset_name(playback: str, condition: str) -> str:
    """Return the folder of the test takes of a condition, e.g. `tsp-nc-25`."""
    return f"{playback}-{condition}"


def condition_scenes(study: Study, playback: str, condition: str) -> tuple[Scene, ...]:
    """Return the scenes of a condition, the playback at its level in dB(A).

    Args:
        study: The study.
        playback: One of its playbacks.
        condition: One of its conditions.
    """
    found = _scenes(study, playback, condition)
    level_db_spl = round(study.level(condition) - weighting_db(found[0]), _DECIMALS)
    return tuple(_played_at(scene, level_db_spl) for scene in found)


def trained_scenes(study: Study, playback: str) -> tuple[Scene, ...]:
    """Return AMPL-Sim's own scenes with the study's people and track."""
    return _chosen(study, dataset_config(SIZE, playback))


def quiet(scene: Scene) -> Scene:
    """Return a scene without noise, heard by an ideal microphone, its playback at 65 dB SPL."""
    noise = Noise(playback_level_db_spl=QUIET_DB_SPL, noise_criterion=None, self_noise_db_spl=None)
    return replace(
        scene, noise=noise, microphone=replace(scene.microphone, response_db=()), tags=()
    )


def emptied(scene: Scene) -> Scene:
    """Return a scene without its person; what is random in a person's take is left out too."""
    return replace(scene, subject=None, seed=0, id="empty")


def heard_pa(scene: Scene) -> np.ndarray:
    """Return W of what the microphone of a scene records, in pascals, shape `(sample,)`.

    What was rendered once is kept; do not write to it.
    """
    return _rendered_pa(json.dumps(scene.to_json()))


def level_dba(pressure: np.ndarray, sample_rate_hz: int) -> float:
    """Return the A-weighted equivalent level of a sound pressure, dB(A).

    Args:
        pressure: Pascals, shape `(sample,)`.
        sample_rate_hz: Samples per second.

    References:
        IEC 61672-1, annex E.
    """
    power = np.abs(np.fft.rfft(pressure)) ** 2 / len(pressure) ** 2
    power[1 : (len(pressure) + 1) // 2] *= 2  # both halves of the spectrum
    weight = a_weighting(np.fft.rfftfreq(len(pressure), 1 / sample_rate_hz)) ** 2
    return float(10 * np.log10((power * weight).sum() / REFERENCE_PA**2))


def write_test_sets(study: Study, out: Path, only: str = "") -> Iterator[Path]:
    """Make the test takes of every condition and playback that are not there yet.

    Args:
        study: The study.
        out: Where their folders lie.
        only: Part of the names of those to make.

    Yields:
        Each folder when it is done.
    """
    for playback in study.playbacks:  # its track is kept from one condition to the next
        for condition in study.conditions:
            name = dataset_name(playback, condition)
            if only not in name:
                continue
            found = condition_scenes(study, playback, condition)
            description = {"name": name, "scenes": [scene.to_json() for scene in found]}
            writer = DatasetWriter(out / name, description)
            for _ in run_jobs([TakeJob(scene.to_json(), str(out / name)) for scene in found]):
                pass
            writer.finish()
            write_manifest(out / name)
            yield out / name


def weighting_db(scene: Scene) -> float:
    """Return how much higher a playback's level in dB(A) is than that in dB SPL.

    Both are levels of W over the whole take in the empty room.
    """
    return level_dba(heard_pa(emptied(quiet(scene))), scene.sample_rate_hz) - QUIET_DB_SPL


@cache
def _rendered_pa(text: str) -> np.ndarray:
    scene = Scene.from_json(json.loads(text))
    full_scale_pa = REFERENCE_PA * np.sqrt(2) * 10 ** (scene.noise.full_scale_db_spl / 20)
    with single_thread():
        w = simulate(scene).recording.samples[0] * np.float32(full_scale_pa)
    w.setflags(write=False)
    return w


def _scenes(study: Study, playback: str, condition: str) -> tuple[Scene, ...]:
    """Return the scenes of a condition with the playback as many dB SPL loud as in AMPL-Sim."""
    trained, wanted = dataset_config(SIZE, playback), study.conditions[condition]
    room = trained.rooms[0].model_dump() | wanted.room
    name = str(room["name"])
    room["name"] = trained.rooms[0].name  # equipment and places are drawn for this name
    above = {"noise": {"noise_criterion": study.noise_criterion}, "tags": (condition,)}
    above = overlaid(overlaid(above, wanted.scene), {"rooms": [room]})
    config = parse_config(GenerationConfig, overlaid(trained.model_dump(), above), condition)
    return tuple(
        replace(scene, room=replace(scene.room, name=name)) for scene in _chosen(study, config)
    )


def _chosen(study: Study, config: GenerationConfig) -> tuple[Scene, ...]:
    """Return the scenes of a dataset with the study's people and track."""
    return tuple(
        scene
        for scene in scenes(config)
        if scene.playback.track == study.track
        and scene.subject is not None
        and scene.subject.name in study.people
    )


def _played_at(scene: Scene, level_db_spl: float) -> Scene:
    """Return a scene with its playback at another level, the recorder's gain lower by as much."""
    louder_db = level_db_spl - scene.noise.playback_level_db_spl
    full_scale = round(scene.noise.full_scale_db_spl + louder_db, _DECIMALS)
    noise = replace(scene.noise, playback_level_db_spl=level_db_spl, full_scale_db_spl=full_scale)
    return replace(scene, noise=noise)
