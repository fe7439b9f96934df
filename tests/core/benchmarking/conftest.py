"""A small comparison that is run once, and what its tests share."""

import shutil
from pathlib import Path

import pytest

from acoustic_sense.benchmarking import CellResult, load_benchmark_config, make_plan, run_plan
from acoustic_sense.cli.main import run

CONFIG = """
name = "Tiny"
seeds = [0, 1]

[data]
noise = "tiny"

[defaults.training]
epochs = 2
batch_size = 4
average_last_epochs = 1
threads = 1

[[methods]]
name = "mean-pose"

[[methods]]
name = "nearest-neighbour"

[[methods]]
name = "plain"
encoder = { name = "bgm2pose-fa", config = { width = 0.0625 } }

[[protocols]]
name = "apart"
playback = "noise"
protocol = "leave-one-subject-out"
"""


@pytest.fixture(scope="session", name="CONFIG")
def config_text():
    return CONFIG


@pytest.fixture(scope="session")
def folder(shared_dataset):
    """A folder with a dataset and the configuration of a comparison."""
    (shared_dataset.parent / "benchmark.toml").write_text(CONFIG)
    return shared_dataset.parent


@pytest.fixture(scope="session")
def finished(folder, tmp_path_factory):
    """The results of the whole comparison; left as they are."""
    out = tmp_path_factory.mktemp("benchmark") / "out"
    outcome = run_plan(make_small_plan(folder, out))
    assert (outcome.done, outcome.failed, outcome.left) == (4, (), 0)
    return out


@pytest.fixture
def out(finished, tmp_path):
    """A copy of the results."""
    return Path(shutil.copytree(finished, tmp_path / "out"))


@pytest.fixture(scope="session", name="plan_of")
def plan_of_fixture():
    return make_small_plan


def make_small_plan(folder, out, text=CONFIG, **options):
    config = folder / "changed.toml" if text != CONFIG else folder / "benchmark.toml"
    config.write_text(text)
    return make_plan(load_benchmark_config(config), out, **options)


@pytest.fixture(scope="session")
def read():
    """A function that reads the result of a cell."""

    def read(out, name="noise/apart/plain/seed-0"):
        return CellResult.model_validate_json((out / "cells" / f"{name}.json").read_text())

    return read


@pytest.fixture
def outcome_of(capsys):
    """A function that runs the program; returns its exit code, standard output and error."""

    def outcome_of(*arguments):
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return outcome_of
