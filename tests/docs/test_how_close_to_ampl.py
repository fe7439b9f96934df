"""The page on how close the simulator is to AMPL shows what was measured, measured right."""

import json
from dataclasses import replace

import numpy as np
import pytest
from acoustic_sense_simulator import simulate
from acoustic_sense_simulator.ampl_sim import dataset_config
from acoustic_sense_simulator.sampling import GenerationConfig

from acoustic_sense import load_plugins
from acoustic_sense.config import load_config
from acoustic_sense.datasets.ampl_statistics import PUBLISHED_STATISTICS
from acoustic_sense.types import Microphone, Noise, PlaybackSource, Room, Scene


@pytest.fixture(scope="module")
def script(load_benchmark):
    return load_benchmark("ampl_statistics")


@pytest.fixture(scope="module")
def result(script):
    return json.loads(script.RESULT.read_text(encoding="utf-8"))


def test_tables_are_those_of_the_result(script, result, load_benchmark):
    page = script.PAGE.read_text(encoding="utf-8")
    for marks, table in script.ampl_tables.TABLES.items():
        filled = load_benchmark("marked").filled(page, marks, table(result))
        assert filled == page, "run: python benchmarks/ampl_statistics.py --page-only"


def test_ratios_and_verdicts_follow_their_numbers(script, result):
    """Literal: channel by channel, what the page calls kept is within 25 % or a factor of 1.5."""
    changed = json.loads(json.dumps(result))
    for track, (_, deviation) in PUBLISHED_STATISTICS.items():
        changed["scenes"]["benchmark"][track]["deviation"] = [
            *(1.2 * d for d in deviation[:6]),
            *(d / 1.45 for d in deviation[6:]),
        ]
    tables = script.ampl_tables
    row = "| AMPL-Sim-v1, real music | check | 1.20 to 1.20 | 1.20 to 1.20 | 0.69 to 0.69 |"
    assert row in tables.scene_table(changed)
    assert tables.kept(changed, "benchmark", "jazz")
    for place, factor in ((0, 1.05), (5, 0.6), (8, 0.95)):
        worse = json.loads(json.dumps(changed))
        worse["scenes"]["benchmark"]["jazz"]["deviation"][place] *= factor
        assert not tables.kept(worse, "benchmark", "jazz")


def test_one_gain_makes_the_tuned_tracks_agree_on_the_whole(script, result):
    """Channels and tracks may be off, and are; their sum is not. The check has no part in it."""
    for rows in result["scenes"].values():
        for channels in (slice(0, 4), slice(4, 6)):
            off = [
                np.subtract(rows[track]["mean"], PUBLISHED_STATISTICS[track][0])[channels]
                for track in ("cirrus", "arnor", "jazz")
            ]
            assert abs(np.mean(off)) < 0.02
            assert np.abs(off).max() > 0.1


def test_published_statistics_are_ampls(result):
    for track, (mean, deviation) in PUBLISHED_STATISTICS.items():
        assert result["published"][track] == {"mean": list(mean), "deviation": list(deviation)}


def test_channels_are_read_in_the_order_of_ambix(script):
    names = load_plugins().features["mel-stack"].channel_names
    assert [names[place] for place in script.ORDER] == [
        *(f"recording/{axis}" for axis in "WYZX"),
        *("playback/1", "playback/2"),
        *(f"intensity/{axis}" for axis in "YZX"),
    ]


def test_pool_is_the_statistics_of_all_values_together(script):
    generator = np.random.default_rng(0)
    parts = [generator.normal(-20, 15, (3, frames, 8)).astype(np.float32) for frames in (5, 12)]
    parts[0][1, 2] = -100.0
    pool = script.Pool()
    for part in parts:
        pool.add(part)
    whole = np.concatenate(parts, axis=1).astype(float)
    assert np.allclose(pool.mean(), whole.mean(axis=(1, 2)))
    assert np.allclose(pool.deviation(), whole.std(axis=(1, 2)))
    assert np.allclose(pool.at_floor_percent(), [0, 100 * 8 / (17 * 8), 0])


def test_recording_made_apart_is_that_of_the_scene(script):
    """Every way in which variants differ is in it: noise, gains, axes, convention, response."""
    scene = Scene(
        seconds=0.4,
        seed=5,
        room=Room(image_order=1),
        playback=PlaybackSource(source="white-noise"),
        subject=None,
        noise=Noise(noise_criterion=60.0, self_noise_db_spl=45.0),
        microphone=Microphone(
            (3.0, 1.2, 4.3),
            90.0,
            response_db=(3.0, 0.0, 1.0, -2.0, 0.0, 4.0, 0.0, -3.0, 0.0),
            channel_gain_db=(0.0, 1.0, 0.0, -3.0),
            axes="-x-y+z",
            convention="acn-n3d",
        ),
    )
    expected = simulate(scene)
    pressure, playback = script.sound_field(scene)
    found = script.recording_of(scene, pressure)
    peak = np.abs(expected.recording.samples).max()
    assert np.abs(found - expected.recording.samples).max() < 1e-5 * peak
    assert np.array_equal(playback, expected.playback.samples)
    silent = script.VARIANTS["silent"].of(scene)
    assert not np.allclose(script.recording_of(silent, pressure), found, atol=1e-3 * peak)
    assert silent == replace(
        scene, noise=replace(scene.noise, noise_criterion=None, self_noise_db_spl=None)
    )


def test_tuned_scenes_are_the_benchmarks_but_for_what_is_marked(script):
    """So that the page's list of what was tuned is all of it."""
    text = script.CONFIG.read_text(encoding="utf-8")
    marked = {line.split("=")[0].strip() for line in text.splitlines() if "# tuned" in line}
    tuned = load_config(GenerationConfig, script.CONFIG).model_dump()
    benchmark = dataset_config("full", "real").model_dump()
    amount = {"name", "seconds", "repeats", "count", "repeats_continue"}
    assert set(differences(tuned, benchmark)) - amount == marked
    assert {key: (level, level) for key, level in script.QUIETER.items()} == {
        key: tuned["noise"][key] for key in script.QUIETER
    }


def differences(left, right, key=""):
    """The innermost keys under which two nested tables are not equal."""
    if isinstance(left, dict):
        return [k for name in left for k in differences(left[name], right[name], name)]
    if isinstance(left, tuple | list) and any(isinstance(item, dict) for item in left):
        pairs = zip(left, right, strict=True)
        return [k for mine, other in pairs for k in differences(mine, other, key)]
    return [] if left == right else [key]
