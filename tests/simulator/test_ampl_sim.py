"""AMPL-Sim: datasets that differ in what their names say, and are made by one command."""

import hashlib
from collections import Counter
from dataclasses import fields, replace

import numpy as np
import pytest
from acoustic_sense_simulator.ampl_sim import (
    check_music,
    dataset_config,
    dataset_name,
    published_manifest,
)
from acoustic_sense_simulator.noise import noise_criterion_levels
from acoustic_sense_simulator.sampling import scenes
from llvmlite.binding import get_host_cpu_name
from threadpoolctl import threadpool_info

from acoustic_sense.cli.main import run
from acoustic_sense.datasets import open_dataset
from acoustic_sense.datasets.manifest import MANIFEST_NAME, compare_manifests, parse_manifest
from acoustic_sense.errors import ConfigError

MADE = {}

PUBLISHED_ON = {"SkylakeX"}, "znver4"
"""Kernels of the matrix library and processor that the published sums were made with."""


@pytest.fixture
def tiny(tmp_path_factory):
    """The folder of `tiny`, made once by the program itself."""
    if "tiny" not in MADE:
        folder = tmp_path_factory.mktemp("ampl-sim") / "tiny"
        assert run(["benchmark", "data", "tiny", "--out", str(folder)]) == 0
        MADE["tiny"] = folder
    return MADE["tiny"]


@pytest.mark.parametrize(
    ("size", "people", "tracks", "takes", "seconds"),
    [("tiny", 2, 2, 4, 24), ("mini", 9, 4, 36, 36 * 60), ("full", 9, 4, 144, 4.2 * 3600)],
)
def test_sizes_hold_what_they_promise(size, people, tracks, takes, seconds):
    made = scenes(dataset_config(size))
    assert len({scene.subject.name for scene in made}) == people
    assert len({scene.playback.track for scene in made}) == tracks
    assert len(made) == takes
    assert sum(scene.seconds for scene in made) == pytest.approx(seconds)
    assert {scene.room.name for scene in made} == {"classroom"}


@pytest.mark.parametrize("size", ["tiny", "mini", "full"])
@pytest.mark.parametrize("variant", ["real", "tsp"])
def test_variants_share_everything_but_the_playback(size, variant):
    music, other = scenes(dataset_config(size)), scenes(dataset_config(size, variant))
    assert len(music) == len(other)
    for one, two in zip(music, other, strict=True):
        assert one.playback.source != two.playback.source
        assert replace(one, playback=two.playback) == two


@pytest.mark.parametrize(
    ("condition", "changed"),
    [("noise", "noise"), ("plain-clothes", "subject"), ("off-axis", "subject")],
)
def test_conditions_change_one_thing(condition, changed):
    usual, other = scenes(dataset_config("mini")), scenes(dataset_config("mini", "tsp", condition))
    for one, two in zip(usual, other, strict=True):
        differing = {f.name for f in fields(one) if getattr(one, f.name) != getattr(two, f.name)}
        assert differing == {changed, "tags", "playback"}
        assert two.tags == (condition,)


def test_plain_clothes_and_place_off_the_axis_are_all_that_changes_of_the_person():
    usual = scenes(dataset_config("mini"))
    dressed = scenes(dataset_config("mini", condition="plain-clothes"))
    aside = scenes(dataset_config("mini", condition="off-axis"))
    for one, two, three in zip(usual, dressed, aside, strict=True):
        worn = two.subject.clothes_absorption
        assert replace(one.subject, clothes_absorption=worn) == two.subject
        assert replace(one.subject, position_m=three.subject.position_m) == three.subject
        moved = np.subtract(three.subject.position_m, one.subject.position_m)
        assert np.allclose(np.abs(moved), (0.5, 0.0, 0.0), atol=0.002)


def test_noise_is_10_db_under_the_playback():
    noise = dataset_config("mini", condition="noise").noise
    total = 10 * np.log10(np.sum(10 ** (noise_criterion_levels(noise.noise_criterion[0]) / 10)))
    assert noise.playback_level_db_spl[0] - total == pytest.approx(10, abs=0.05)


def test_other_rooms_are_others():
    rooms = {scene.room.name for scene in scenes(dataset_config("mini", condition="cross-room"))}
    assert rooms == {"office", "seminar-room"}


def test_tracks_go_on_from_take_to_take():
    starts = Counter(scene.playback.start_s % 105 for scene in scenes(dataset_config("full")))
    assert starts == {0.0: 144}
    assert {scene.playback.start_s for scene in scenes(dataset_config("full", "real"))} == {
        5.0,
        110.0,
        215.0,
        320.0,
    }


def test_rejects_unknown_names():
    with pytest.raises(ConfigError, match="no size 'huge'; known: full, mini, tiny"):
        dataset_config("huge")
    with pytest.raises(ConfigError, match="no variant 'reel'; did you mean 'real'"):
        dataset_name("tiny", "reel")
    with pytest.raises(ConfigError, match="no condition 'off-axes'; did you mean 'off-axis'"):
        dataset_name("tiny", condition="off-axes")


def test_missing_music_is_told_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ConfigError, match=r"'ambient-1' is missing.*fetch_benchmark_music"):
        check_music(dataset_config("tiny", "real"))
    check_music(dataset_config("tiny"))


def test_tiny_has_the_published_files(tiny):
    published = parse_manifest(published_manifest(dataset_name("tiny")), "published")
    found = parse_manifest((tiny / MANIFEST_NAME).read_text(), "found")
    differences = compare_manifests(published, found)
    assert not differences.missing
    assert not differences.added
    kernels = {each.get("architecture") for each in threadpool_info()} - {None}
    if (kernels, get_host_cpu_name()) == PUBLISHED_ON:
        assert not differences.changed, (
            "the sound of a released benchmark changed: raise its version, or copy "
            f"{tiny / MANIFEST_NAME} over the published one before the release"
        )


def test_manifest_holds_the_sum_of_every_file(tiny):
    found = parse_manifest((tiny / MANIFEST_NAME).read_text(), "found")
    files = {path.relative_to(tiny).as_posix() for path in tiny.rglob("*") if path.is_file()}
    assert set(found) == files - {"dataset.json", MANIFEST_NAME}
    for name, digits in found.items():
        assert hashlib.sha256((tiny / name).read_bytes()).hexdigest() == digits


def test_tiny_is_a_dataset_of_labelled_takes(tiny):
    data = open_dataset(tiny)
    assert [info.id for info in data.takes] == [
        "s01_ambient-1",
        "s01_jazz",
        "s02_ambient-1",
        "s02_jazz",
    ]
    assert {info.genre for info in data.takes} == {"ambient", "jazz"}
    for info in data.takes:
        assert (data.activity(info.id) != "").all()
        omni = data.read_take(info.id).recording.samples[0].astype(float)
        level_db_spl = 100 + 20 * np.log10(omni.std() * np.sqrt(2))  # a full-scale sine: 100
        assert level_db_spl == pytest.approx(70, abs=2), info.id


def test_a_file_too_many_ends_with_exit_code_1(tiny, capsys):
    stray = tiny / "takes" / "s01_jazz" / "notes.txt"
    stray.write_text("mine")
    try:
        assert run(["benchmark", "data", "tiny", "--out", str(tiny)]) == 1
        assert "1 too many" in capsys.readouterr().out
    finally:
        stray.unlink()
    changed = tiny / "takes" / "s01_jazz" / "pose.npz"
    kept = changed.read_bytes()
    changed.write_bytes(kept + b" ")
    try:
        assert run(["benchmark", "data", "tiny", "--out", str(tiny)]) == 0
        assert "with other bytes than published" in capsys.readouterr().out
    finally:
        changed.write_bytes(kept)
