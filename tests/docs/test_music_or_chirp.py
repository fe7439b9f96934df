"""Music or chirp: the same scenes, equally loud, and a page that says what was measured."""

import tomllib
from dataclasses import replace

import numpy as np
import pytest
from acoustic_sense_simulator.ampl_sim import dataset_config
from acoustic_sense_simulator.sampling import scenes

from acoustic_sense.benchmarking.config import load_benchmark_config
from acoustic_sense.benchmarking.results import CellResult
from acoustic_sense.types import PlaybackSource

RATE = 48_000
A_WEIGHTS_DB = {
    63: -26.2,
    125: -16.1,
    250: -8.6,
    500: -3.2,
    1000: 0.0,
    2000: 1.2,
    4000: 1.0,
    8000: -1.1,
    16_000: -6.6,
}
"""A-weighting as IEC 61672-1 tabulates it, by nominal frequency."""


@pytest.fixture(scope="module")
def script(load_benchmark):
    return load_benchmark("music_or_chirp")


@pytest.fixture(scope="module")
def making(load_benchmark):
    return load_benchmark("music_or_chirp_scenes")


@pytest.fixture(scope="module")
def sound(load_benchmark):
    return load_benchmark("music_or_chirp_sound")


@pytest.fixture(scope="module")
def study(making):
    return making.read_study()


def tone(frequency_hz: float, seconds: float = 1.0) -> np.ndarray:
    """A sine of 1 Pa rms, which is 94 dB SPL."""
    times = np.arange(round(seconds * RATE)) / RATE
    return np.sqrt(2) * np.sin(2 * np.pi * frequency_hz * times)


def test_page_is_that_of_the_results(script):
    page = script.PAGE.read_text(encoding="utf-8")
    assert script.filled_page(page) == page, "run: python benchmarks/music_or_chirp.py page"


def test_what_the_page_says_is_what_was_measured(script, load_benchmark):
    page = load_benchmark("music_or_chirp_page")
    cells = page.read_cells(script.CELLS)

    def rmse(playback, condition, method):
        return np.mean([r.scores["method"]["rmse"] for r in cells[playback, condition, method]])

    def gap(condition, method):  # above 0 where the chirp is better
        return rmse("generated", condition, method) - rmse("tsp", condition, method)

    cancelled = "bgm2pose-room-cancelled"
    for condition in ("nc-15", "nc-25"):
        assert abs(gap(condition, cancelled)) < 0.04
        assert gap(condition, "bgm2pose") < 0 < gap(condition, "shibata2023")
    for condition in ("nc-35", "nc-45", "level-40", "level-50"):
        assert min(gap(condition, method) for method in page.METHODS) > page.MARGIN
    for condition in ("nc-35", "level-50"):
        assert rmse("generated", condition, cancelled) > 0.95 * 1.099
    for condition in ("office", "seminar-room"):
        for playback in page.NAMES:
            assert rmse(playback, condition, cancelled) < 0.9
            assert min(rmse(playback, condition, m) for m in page.METHODS[:2]) > 0.98
        assert abs(gap(condition, cancelled)) < page.MARGIN
    for playback in page.NAMES:
        assert rmse(playback, "near", cancelled) < rmse(playback, "nc-25", cancelled) + 0.04
        assert 0.9 < rmse(playback, "far", cancelled) < 1.05
        assert min(rmse(playback, "off-axis", method) for method in page.METHODS) > 1.08
    for method in page.METHODS:
        louder = rmse("generated", "level-70", method)
        helped = louder < rmse("generated", "nc-25", method) - 0.01
        assert helped == (method == "listen")
    others = page.METHODS[:-1]
    for playback, condition in ((p, c) for p, c, method in cells if method == "listen"):
        listen = rmse(playback, condition, "listen")
        if condition not in ("far", "off-axis"):
            assert listen < min(rmse(playback, condition, method) for method in others)
        if condition != "off-axis":
            assert gap(condition, "listen") > 0
    for condition in ("nc-35", "level-50"):
        assert 0.7 < rmse("generated", condition, "listen") / 1.099 < 0.8
    assert rmse("generated", "far", "listen") > 0.95 * 1.099


def test_better_playback_must_beat_the_mean_pose_and_the_other_by_the_margin(load_benchmark):
    page = load_benchmark("music_or_chirp_page")

    def result(rmse):
        scores = {"method": {"rmse": rmse}, "mean_pose": {"rmse": 1.0}}
        return CellResult.model_construct(scores=scores)

    for music, chirp, best in (
        ((0.8, 0.84), (0.9,), "music"),
        ((0.9,), (0.8,), "chirp"),
        ((0.9,), (0.88,), "alike"),
        ((1.5,), (0.99,), "chirp"),
        ((1.5,), (1.01,), "neither"),
    ):
        assert page.better(*(tuple(map(result, each)) for each in (music, chirp))) == best


@pytest.mark.parametrize(("frequency", "weight"), A_WEIGHTS_DB.items())
def test_level_is_a_weighted_as_the_standard_tabulates(making, frequency, weight):
    level = making.level_dba(tone(round(10 ** round(np.log10(frequency), 1))), RATE)
    assert level == pytest.approx(94.0 + weight, abs=0.1)


def test_levels_of_tones_add_by_their_power(making):
    both = making.level_dba(tone(1000) + tone(500), RATE)
    assert both == pytest.approx(94 + 10 * np.log10(1 + 10**-0.32), abs=0.05)


@pytest.mark.parametrize("playback", ["generated", "tsp"])
def test_base_condition_is_the_scene_of_the_training_data(making, study, playback):
    trained = {scene.id: scene for scene in scenes(dataset_config("mini", playback))}
    found = making._scenes(study, playback, "nc-25")
    assert [scene.subject.name for scene in found] == list(study.people)
    for scene in found:
        assert replace(scene, tags=()) == trained[scene.id]


def test_conditions_are_the_same_scenes_under_both_playbacks(making, study):
    for condition in study.conditions:
        for music, chirp in zip(
            *(making._scenes(study, playback, condition) for playback in study.playbacks),
            strict=True,
        ):
            assert music.playback != chirp.playback
            assert replace(music, playback=chirp.playback) == chirp


def test_conditions_change_room_and_place_but_neither_people_nor_equipment(making, study):
    base = making._scenes(study, "tsp", "nc-25")
    rooms = set()
    for condition in study.conditions:
        for scene, other in zip(making._scenes(study, "tsp", condition), base, strict=True):
            rooms.add(scene.room.name)
            assert (scene.seed, scene.playback, scene.motion) == (
                (other.seed, other.playback, other.motion)
            )
            assert scene.subject.betas == other.subject.betas
            assert scene.microphone.response_db == other.microphone.response_db
            for mine, theirs in zip(scene.loudspeakers, other.loudspeakers, strict=True):
                assert mine.response_db == theirs.response_db
    assert rooms == {"classroom", "office", "seminar-room"}


def test_playback_has_its_level_in_dba_and_the_recorder_follows(making, study):
    kinds = {"tsp": {}, "white-noise": {}}
    scene = replace(making._scenes(study, "tsp", "nc-25")[0], seconds=1.0)
    for source, config in kinds.items():
        played = replace(scene, playback=PlaybackSource(source=source, config=config))
        weighting = making.weighting_db(played)
        louder = making._played_at(played, 50.0 - weighting)
        silent = replace(louder.noise, noise_criterion=None, self_noise_db_spl=None)
        ideal = replace(louder.microphone, response_db=())
        empty = making.emptied(replace(louder, noise=silent, microphone=ideal))
        assert making.level_dba(making.heard_pa(empty), RATE) == pytest.approx(50.0, abs=0.02)
        noise = (played.noise, louder.noise)
        margins = [each.full_scale_db_spl - each.playback_level_db_spl for each in noise]
        assert margins[0] == pytest.approx(margins[1], abs=0.01)


def test_comparison_tests_every_condition_with_the_methods_of_mini_single(making, study, script):
    folder = script.ROOT / "benchmarks" / "ampl_sim"
    protocols = load_benchmark_config(folder / "music-or-chirp.toml").protocols
    wanted = [
        (playback, condition, making.dataset_name(playback, condition) if condition else None)
        for playback in study.playbacks
        for condition in (None, *study.conditions)
    ]
    found = [(each.playback, each.name, each.test_playback) for each in protocols]
    assert found == [(p, c or "as-trained", name) for p, c, name in wanted]
    own, single = (
        tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))
        for name in ("music-or-chirp", "mini-single")
    )
    assert own["defaults"] == single["defaults"]
    assert own["seeds"] == single["seeds"]
    assert all(each["protocol"] == single["protocols"][0]["protocol"] for each in own["protocols"])
    methods = {method["name"]: method for method in single["methods"]}
    assert [methods[method["name"]] for method in own["methods"]] == own["methods"]
    assert protocols[0].protocol.test_subjects == study.people


def test_tables_show_every_condition(study):
    shown = {condition for titles in study.tables.values() for condition in titles}
    assert shown == set(study.conditions)


def test_share_heard_counts_frames_and_bands(sound):
    generator = np.random.default_rng(1)
    body, noise = generator.random((7, 128)), generator.random(128)
    louder = sum(body[f, b] > noise[b] for f in range(7) for b in range(128))
    found = sound.shares(body, noise)
    assert found["all"] == pytest.approx(louder / (7 * 128), abs=1e-4)
    parts = sound.mel_parts()
    weighted = sum(found[part] * parts[part].sum() for part in ("low", "middle", "high"))
    assert weighted / 128 == pytest.approx(found["all"], abs=1e-4)


def test_mel_bands_are_divided_at_their_frequencies(sound):
    for frequency, part in ((300, "low"), (900, "low"), (2000, "middle"), (9000, "high")):
        loudest = sound.mel_power(tone(frequency)).mean(axis=0).argmax()
        assert sound.mel_parts()[part][loudest]


def test_octaves_hold_a_tone_in_one(sound):
    levels = sound._octaves_db(tone(500), -10.0)
    assert levels[3] == pytest.approx(84.0, abs=0.1)
    assert max(levels[:3] + levels[4:]) < 0
