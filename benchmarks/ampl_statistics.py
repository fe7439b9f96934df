"""Statistics of simulated recordings beside those that AMPL's publisher gives of each track.

Run `python benchmarks/ampl_statistics.py`; it writes `benchmarks/results/ampl_statistics.json` and
the tables in `docs/explanation/how-close-to-ampl.md` (`--page-only`: the tables alone). The real
tracks have to be in the cache that `scripts/fetch_benchmark_music` fills.

Mean and deviation are those of the channels 0-8 of `mel-stack` over all people, frames and bands of
a track. One gain for all channels of the recording and one for both of the playback, the same for
all tracks, take the unknown levels of AMPL's recorder and files out: the means of the tracks that
scenes were tuned on then agree on the whole.

Two sets of scenes are rendered: those of AMPL-Sim-v1 with real music, people and stretches as its
size `full` begins, and the tuned ones of `benchmarks/ampl_sim/ampl-like.toml`. What reaches
the microphone is then recorded several times, with other noise and another microphone (`VARIANTS`).
"""

import argparse
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import ampl_tables
import marked
import numpy as np
import torch
from acoustic_sense_simulator import simulate
from acoustic_sense_simulator.ampl_sim import check_music, dataset_config
from acoustic_sense_simulator.noise import REFERENCE_PA
from acoustic_sense_simulator.recorder import recorded
from acoustic_sense_simulator.sampling import GenerationConfig, scenes
from ampl_tables import DIRECTIONS, LEVELS, MATCHES, SENT, TUNED_ON
from provenance import provenance

from acoustic_sense import features
from acoustic_sense.config import load_config
from acoustic_sense.datasets.ampl_statistics import PUBLISHED_STATISTICS
from acoustic_sense.types import Microphone, Scene

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "benchmarks" / "results" / "ampl_statistics.json"
PAGE = ROOT / "docs" / "explanation" / "how-close-to-ampl.md"
CONFIG = ROOT / "benchmarks" / "ampl_sim" / "ampl-like.toml"
PEOPLE = ("s01", "s02")
SECONDS = 60.0
START_S = 5.0

ORDER = (0, 2, 3, 1, 4, 5, 7, 8, 6)
"""Our channel that each of AMPL's is read as: W, Y, Z, X as on an AmbiX disk."""

FLOOR_DB = -99.99
LIFT_DB = 18.0
"""Gain before the features, near the final one, so that the floor lies where AMPL's does."""


@dataclass(frozen=True)
class Variant:
    """Recordings of one set of scenes, noise and microphone changed.

    Attributes:
        label: What to call it in tables.
        rendered: The set of scenes, `benchmark` or `ampl-like`.
        noise: What is otherwise in `Scene.noise`.
        microphone: What is otherwise in `Scene.microphone`.
    """

    label: str
    rendered: str = "benchmark"
    noise: dict[str, Any] = field(default_factory=dict)
    microphone: dict[str, Any] = field(default_factory=dict)

    def of(self, scene: Scene) -> Scene:
        """Return the scene with these changes."""
        return replace(
            scene,
            noise=replace(scene.noise, **self.noise),
            microphone=replace(scene.microphone, **self.microphone),
        )


SILENCE = {"noise_criterion": None, "self_noise_db_spl": None}
QUIETER = {"noise_criterion": 18.0, "self_noise_db_spl": 21.0}
WEAKER_Z = {"channel_gain_db": (0.0, 0.0, 0.0, -3.0)}

VARIANTS = {
    "benchmark": Variant("AMPL-Sim-v1, real music"),
    "silent": Variant("AMPL-Sim-v1, no noise", noise=SILENCE),
    "quieter": Variant("AMPL-Sim-v1, noise of `ampl-like`", noise=QUIETER),
    "ampl-like": Variant("`ampl-like`", "ampl-like"),
    "weaker-z": Variant("`ampl-like`, Z 3 dB weaker", "ampl-like", microphone=WEAKER_Z),
}
"""What is measured, by its name in the result."""


class Pool:
    """Mean and deviation of channels over everything that was added."""

    def __init__(self) -> None:
        self.count = 0
        self.sum: Any = 0.0
        self.square: Any = 0.0
        self.at_floor: Any = 0.0

    def add(self, values: np.ndarray) -> None:
        """Add values, `channel frame bin`."""
        flat = values.reshape(len(values), -1).astype(np.float64)
        self.count += flat.shape[1]
        self.sum = self.sum + flat.sum(axis=1)
        self.square = self.square + np.square(flat).sum(axis=1)
        self.at_floor = self.at_floor + (flat <= FLOOR_DB).sum(axis=1)

    def mean(self) -> np.ndarray:
        """Return the mean of each channel."""
        return np.asarray(self.sum / self.count)

    def deviation(self) -> np.ndarray:
        """Return the standard deviation of each channel."""
        return np.asarray(np.sqrt(self.square / self.count - self.mean() ** 2))

    def at_floor_percent(self) -> list[float]:
        """Return how much of each channel lies at -100 dB."""
        return [float(share) for share in 100 * np.asarray(self.at_floor) / self.count]


def wanted_scenes(rendered: str) -> list[Scene]:
    """Return one set of scenes: `benchmark` or `ampl-like`."""
    if rendered == "benchmark":
        config = dataset_config("full", "real")
    else:
        config = load_config(GenerationConfig, CONFIG)
    check_music(config)
    return [replace(scene, seconds=SECONDS) for scene in scenes(config) if _is_chosen(scene)]


def _is_chosen(scene: Scene) -> bool:
    """Say whether a scene is one of the first people in the first stretch of a track."""
    is_first = scene.playback.start_s == START_S
    return is_first and scene.subject is not None and scene.subject.name in PEOPLE


def sound_field(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Return what reaches the microphone, W, X, Y, Z in pascals, and the playback.

    It is what a perfect microphone records in silence.
    """
    quiet = replace(scene.noise, noise_criterion=None, self_noise_db_spl=None)
    perfect = Microphone(scene.microphone.position_m, scene.microphone.yaw_deg)
    take = simulate(replace(scene, noise=quiet, microphone=perfect))
    full_scale_pa = REFERENCE_PA * 10 ** (quiet.full_scale_db_spl / 20) * np.sqrt(2)
    return take.recording.samples * np.float32(full_scale_pa), take.playback.samples


def recording_of(scene: Scene, pressure: np.ndarray) -> np.ndarray:
    """Return the recording that `simulate` would make, from the sound at its microphone."""
    generators = np.random.default_rng(scene.seed).spawn(3)[1:]
    return np.asarray(recorded(scene, pressure.copy(), *generators))


def stack(recording: np.ndarray, playback: np.ndarray) -> np.ndarray:
    """Return the channels 0-8, `channel frame bin`, in AMPL's order."""
    heard, sent = (torch.from_numpy(signal)[None] for signal in (recording, playback))
    with torch.inference_mode():
        values = features.compute("mel-stack", heard, sent)[0].numpy()
    return np.asarray(values[list(ORDER)])


def measure_recordings(rendered: str, sent: dict[str, np.ndarray]) -> dict[str, dict[str, Pool]]:
    """Return the pooled channels of each variant of one set of scenes, by AMPL's track.

    Args:
        rendered: The set of scenes.
        sent: Filled with the playback of each track.
    """
    names = {ours: theirs for theirs, ours in MATCHES.items()}
    variants = {name: each for name, each in VARIANTS.items() if each.rendered == rendered}
    pools = {name: {track: Pool() for track in MATCHES} for name in variants}
    lift = np.float32(10 ** (LIFT_DB / 20))
    for scene in wanted_scenes(rendered):
        track = names[scene.playback.track]
        pressure, sent[track] = sound_field(scene)
        for name, variant in variants.items():
            recording = recording_of(variant.of(scene), pressure)
            pools[name][track].add(stack(lift * recording, sent[track]))
        print(f"{rendered}: {scene.id}", flush=True)
    return pools


def measure_playback(sent: dict[str, np.ndarray]) -> tuple[float, dict[str, Pool]]:
    """Return the gain of the playback in dB, and its channels with it.

    The gain is found twice, since the floor at -100 dB does not rise with it.
    """
    gain_db = 0.0
    for _ in range(3):
        pools = {track: Pool() for track in sent}
        for track, samples in sent.items():
            silence = np.zeros((4, samples.shape[1]), dtype=np.float32)
            pools[track].add(stack(silence, samples * np.float32(10 ** (gain_db / 20))))
        missing_db = gain_of({track: pool.mean() for track, pool in pools.items()}, SENT)
        if abs(missing_db) < 0.005:
            break
        gain_db += missing_db
    return gain_db, pools


def gain_of(means: dict[str, np.ndarray], channels: slice) -> float:
    """Return the gain in dB that makes the means agree with AMPL's over the tuned tracks."""
    off = [PUBLISHED_STATISTICS[track][0] - means[track] for track in TUNED_ON]
    return float(np.mean([difference[channels] for difference in off]))


def rows_of(pools: dict[str, Pool], playback: dict[str, Pool]) -> tuple[float, dict[str, Any]]:
    """Return the recording's gain, and each track's statistics with both gains."""
    gain_db = gain_of({track: pool.mean() for track, pool in pools.items()}, LEVELS)
    rows = {}
    for track, pool in pools.items():
        sent = playback[track]
        mean = np.concatenate([pool.mean()[LEVELS] + gain_db, sent.mean()[SENT]])
        deviation = np.concatenate([pool.deviation()[LEVELS], sent.deviation()[SENT]])
        at_floor = [*pool.at_floor_percent()[LEVELS], *sent.at_floor_percent()[SENT]]
        rows[track] = {
            "mean": rounded([*mean, *pool.mean()[DIRECTIONS]]),
            "deviation": rounded([*deviation, *pool.deviation()[DIRECTIONS]]),
            "at_floor_percent": [round(share, 1) for share in at_floor],
        }
    return gain_db + LIFT_DB, rows


def rounded(values: Iterable[float]) -> list[float]:
    """Return levels to 0.001 dB and directions to 1e-5, as they are published."""
    return [round(float(v), 5 if i >= DIRECTIONS.start else 3) for i, v in enumerate(values)]


def published() -> dict[str, Any]:
    """Return AMPL's statistics in the form of ours."""
    return {
        track: {"mean": rounded(mean), "deviation": rounded(deviation)}
        for track, (mean, deviation) in PUBLISHED_STATISTICS.items()
    }


def measure() -> dict[str, Any]:
    """Measure everything."""
    sent: dict[str, np.ndarray] = {}
    pools = measure_recordings("benchmark", sent) | measure_recordings("ampl-like", sent)
    playback_db, playback = measure_playback(sent)
    found = {name: rows_of(pools[name], playback) for name in VARIANTS}
    result: dict[str, Any] = {
        "provenance": provenance("torch", "numpy", "pyroomacoustics"),
        "people": list(PEOPLE),
        "seconds_a_take": SECONDS,
        "matches": MATCHES,
        "tuned_on": TUNED_ON,
        "gain_db": {
            "playback": round(playback_db, 2),
            "recording": {name: round(gain, 2) for name, (gain, _) in found.items()},
        },
        "published": published(),
        "labels": {name: variant.label for name, variant in VARIANTS.items()},
        "scenes": {name: rows for name, (_, rows) in found.items()},
    }
    return result | {"orders": ampl_tables.orders(result)}


def main() -> None:
    """Measure, write the result, fill the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--page-only", action="store_true", help="rewrite the page's tables only")
    if not parser.parse_args().page_only:
        RESULT.write_text(json.dumps(measure(), indent=1) + "\n", encoding="utf-8")
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    for marks, table in ampl_tables.TABLES.items():
        marked.fill(PAGE, marks, table(result))
    print(ampl_tables.scene_table(result))


if __name__ == "__main__":
    main()
