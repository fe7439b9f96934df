"""The comparisons that come with the project: valid, and the same training for every playback."""

from pathlib import Path

import pytest

from acoustic_sense.benchmarking.config import REFERENCES, load_benchmark_config, train_config
from acoustic_sense.training.config import check_components

FOLDER = Path(__file__).parents[2] / "benchmarks" / "ampl_sim"
FILES = sorted(FOLDER.glob("*.toml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_settings_of_every_method_are_those_of_its_plugins(path):
    config = load_benchmark_config(path)
    trained = [method for method in config.methods if method.name not in REFERENCES]
    assert trained
    for method in trained:
        for protocol in config.protocols:
            check_components(train_config(config, method, protocol, 0, path.name), method.name)


@pytest.mark.parametrize(
    ("name", "methods"),
    [
        ("mini-single", "mean-pose nearest-neighbour shibata2023 bgm2pose bgm2pose-room-cancelled"),
        (
            "tsp-single",
            "mean-pose nearest-neighbour wipose speech2gesture shibata2023 oumi2024 bgm2pose",
        ),
    ],
)
def test_methods_of_a_comparison(name, methods):
    config = load_benchmark_config(FOLDER / f"{name}.toml")
    assert [method.name for method in config.methods] == methods.split()


def test_chirp_and_music_differ_in_playback_alone():
    music, chirp = (load_benchmark_config(FOLDER / f"{n}-single.toml") for n in ("mini", "tsp"))
    assert music.defaults == chirp.defaults
    assert music.seeds == chirp.seeds
    assert [p.protocol for p in music.protocols] == [p.protocol for p in chirp.protocols]
    assert [p.playback for p in chirp.protocols] == ["tsp"]
    shared = {method.name: method for method in chirp.methods}
    for method in music.methods:
        assert shared.get(method.name, method) == method
