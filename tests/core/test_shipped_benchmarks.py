"""The comparisons that come with the project: valid, and the same training for every playback."""

import tomllib
from pathlib import Path

import pytest

from acoustic_sense.benchmarking import CellResult
from acoustic_sense.benchmarking.config import REFERENCES, load_benchmark_config, train_config
from acoustic_sense.config import config_hash
from acoustic_sense.training.config import check_components

FOLDER = Path(__file__).parents[2] / "benchmarks" / "ampl_sim"
NEEDS_AN_INSTALLATION = "third-party"
"""Tested where its encoder is installed: tests/packaging."""
FILES = sorted(
    path
    for path in FOLDER.glob("*.toml")
    if "[[methods]]" in path.read_text(encoding="utf-8") and path.stem != NEEDS_AN_INSTALLATION
)
PUBLISHED = [
    "mean-pose",
    "nearest-neighbour",
    "wipose",
    "speech2gesture",
    "shibata2023",
    "oumi2024",
    "bgm2pose",
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_settings_of_every_method_are_those_of_its_plugins(path):
    config = load_benchmark_config(path)
    trained = [method for method in config.methods if method.name not in REFERENCES]
    assert trained
    for method in trained:
        for protocol in config.protocols:
            check_components(train_config(config, method, protocol, 0, path.name), method.name)


@pytest.mark.parametrize("name", ["mini-single", "tsp-single"])
def test_comparison_has_every_published_method(name):
    config = load_benchmark_config(FOLDER / f"{name}.toml")
    assert [method.name for method in config.methods][: len(PUBLISHED)] == PUBLISHED


def test_third_partys_encoder_is_compared_with_the_settings_of_ours():
    """Read as plain TOML, since its encoder is not installed here."""
    theirs, ours = (
        tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
        for name in (NEEDS_AN_INSTALLATION, "mini-single")
    )
    assert {key: theirs[key] for key in ("defaults", "seeds")} == {
        key: ours[key] for key in ("defaults", "seeds")
    }
    assert theirs["data"]["generated"] == ours["data"]["generated"]
    assert theirs["protocols"] == ours["protocols"][:1]
    *shared, added = theirs["methods"]
    assert [method["name"] for method in shared] == ["mean-pose", "shibata2023"]
    assert all(method in ours["methods"] for method in shared)
    assert added == {"name": "dilated-frames", "encoder": {"name": "dilated-frames"}}


def test_chirp_and_music_differ_in_playback_alone():
    music, chirp = (load_benchmark_config(FOLDER / f"{n}-single.toml") for n in ("mini", "tsp"))
    assert music.defaults == chirp.defaults
    assert music.seeds == chirp.seeds
    assert music.methods == chirp.methods
    own = [each.protocol for each in music.protocols if each.test_playback is None]
    assert own == [each.protocol for each in chirp.protocols]
    assert [each.playback for each in chirp.protocols] == ["tsp"]


def test_recorded_results_keep_their_digests():
    """Keys that came later are left out where they are empty; else every cell would run again."""
    recorded = list((FOLDER.parent / "results" / "ampl-sim-mini-single" / "cells").rglob("*.json"))
    assert recorded
    for path in recorded:
        result = CellResult.model_validate_json(path.read_text())
        assert config_hash(result.config) == result.config_hash


def test_shipped_transfer_changes_share_and_first_model_alone():
    config = load_benchmark_config(FOLDER / "transfer.toml")
    methods = {method.name: method for method in config.methods}
    first = methods["pretrained-0"].model
    assert first == "small"
    for name, share in (("1", 0.01), ("10", 0.1), ("100", 1.0)):
        scratch, tuned = (
            train_config(config, methods[f"{kind}-{name}"], config.protocols[0], 0)
            for kind in ("scratch", "pretrained")
        )
        assert scratch.data.train_share == share
        assert tuned.training.fine_tuning.init_from == first
        assert tuned.training.fine_tuning.normalisation == "target"
        gentler = ("fine_tuning", "learning_rate", "final_learning_rate", "epochs", "batch_size")
        same = {key: getattr(scratch.training, key) for key in gentler}
        training = tuned.training.model_copy(update=same)
        assert tuned.model_copy(update={"training": training}) == scratch
        assert (scratch.data.pose_frame, scratch.objectives) == ("microphone", ())
        assert scratch.training.normalisation == "take-bins"
        assert scratch.task.config["smoothness_weight"] == 1.0
