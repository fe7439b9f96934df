"""Third-party distributions, really installed: one that works, six that are broken, all at once.

They are built and installed with pip into a folder of their own, without a network; a process with
that folder on its path sees them as any installation would.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from acoustic_sense import load_plugins
from acoustic_sense.cli.plugin_project import write_project
from acoustic_sense.datasets import DatasetWriter
from acoustic_sense.types import Playback, PoseTrack, Recording, Take, TakeInfo

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
BROKEN = {
    "broken_import_error": ("import", "ModuleNotFoundError: No module named 'a_library_that"),
    "broken_unknown_hook": (
        "hooks",
        "unknown hook 'register_feature'; did you mean 'register_features'?",
    ),
    "broken_wrong_signature": ("hooks", "has the wrong signature (registry, config)"),
    "broken_duplicate_name": ("component", "by plugin 'mel_stack' (acoustic-sense) and by plugin"),
    "broken_hook_raises": ("call", "register_features: FileNotFoundError"),
    "broken_bad_config": ("component", "Config fields without a description: rate"),
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder that the example, the broken ones and a new project are installed in."""
    work = tmp_path_factory.mktemp("third_party")
    started = write_project("tiny-encoder", "encoder", work)
    sources = [EXAMPLES / "third_party_plugin", *(EXAMPLES / "broken_plugins").glob("*/"), started]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--target", str(work / "site")]
    done = subprocess.run(
        [*command, *offline, *map(str, sources)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return work / "site"


def program(site, *arguments, **environment):
    """Run `acoustic-sense` where the distributions are installed."""
    return subprocess.run(
        [sys.executable, "-m", "acoustic_sense.cli", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def listing(installed):
    done = program(installed, "plugins", "--json")
    assert done.returncode == 0, done.stderr
    return {plugin["name"]: plugin for plugin in json.loads(done.stdout)}


def test_the_example_is_listed_with_its_distribution(listing):
    example = listing["example"]
    assert example["distribution"] == "acoustic-sense-example"
    assert example["version"] == "0.1.0"
    assert example["status"] == "ok"
    found = {component["name"]: component["kind"] for component in example["components"]}
    assert found == {"octave-levels": "feature", "dilated-frames": "encoder"}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_reported_by_name_and_stage(listing, name):
    stage, message = BROKEN[name]
    plugin = listing[name]
    assert plugin["distribution"] == name.replace("_", "-")
    assert plugin["status"] == f"failed: {stage}"
    assert [failure["stage"] for failure in plugin["failures"]] == [stage]
    assert message in plugin["failures"][0]["message"]


def test_everything_else_loads(listing):
    for plugin in load_plugins().plugins:
        found = {component["name"] for component in listing[plugin.name]["components"]}
        assert found == {registration.name for registration in plugin.registrations}
    assert listing["broken_duplicate_name"]["components"] == [
        {"name": "duplicate-name-own", "kind": "feature"}
    ]
    assert listing["broken_hook_raises"]["components"] == [
        {"name": "hook-raises-hum", "kind": "signal source"}
    ]
    assert listing["tiny_encoder"]["status"] == "ok"


def test_the_table_and_the_check_name_the_broken_ones(installed):
    table = program(installed, "plugins")
    assert table.returncode == 0
    check = program(installed, "plugins", "check", "broken_import_error")
    assert check.returncode == 1
    assert "Traceback (most recent call last)" in check.stdout
    for name, (stage, message) in BROKEN.items():
        lines = [line for line in table.stdout.splitlines() if line.startswith(f"{name} (")]
        assert len(lines) == 1
        assert f"failed at {stage}: " in lines[0]
        assert message in lines[0]


def test_the_example_and_the_new_project_pass_their_checks(installed):
    for name, line in (
        ("octave-levels", "ok       feature octave-levels (acoustic-sense-example)"),
        ("dilated-frames", "ok       encoder dilated-frames (acoustic-sense-example)"),
        ("tiny-encoder", "ok       encoder tiny-encoder (acoustic-sense-tiny-encoder)"),
    ):
        check = program(installed, "plugins", "check", name)
        assert (check.returncode, check.stdout.strip()) == (0, line)


def test_a_disabled_plugin_leaves_no_failure(installed):
    done = program(installed, "plugins", "--json", ACOUSTIC_SENSE_DISABLED_PLUGINS=",".join(BROKEN))
    statuses = {plugin["name"]: plugin["status"] for plugin in json.loads(done.stdout)}
    assert {statuses[name] for name in BROKEN} == {"disabled"}


def test_the_examples_own_tests_pass(installed):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", "."],
        cwd=EXAMPLES / "third_party_plugin",
        env={**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "5 passed" in done.stdout


def write_dataset(folder, subjects=("s0", "s1"), track="noise"):
    """Write a dataset of subjects whose loudness follows their arms."""
    generator = np.random.default_rng(0)
    body = generator.normal(scale=0.3, size=(21, 3))
    with DatasetWriter(folder, {"name": "tiny"}) as writer:
        for subject in subjects:
            swing = np.sin(np.arange(48) / 8)
            joints = np.repeat(body[None], 48, axis=0)
            joints[:, 5:13, 1] += 0.3 * swing[:, None]
            level = 0.1 * (1 + 0.5 * np.repeat(swing, 48_000 // 20))
            sound = generator.standard_normal((4, 115_200)) * level
            take = Take(
                TakeInfo(id=subject, subject=subject, track=track, seconds=2.4),
                Recording(sound.astype(np.float32).clip(-1, 1), 48_000),
                Playback(sound[:2].astype(np.float32).clip(-1, 1), 48_000),
                PoseTrack(joints.astype(np.float32), 20.0),
            )
            writer.write_take(take)


@pytest.mark.slow
def test_trains_one_step_with_the_examples_feature(installed, tmp_path):
    write_dataset(tmp_path / "data")
    (tmp_path / "train.toml").write_text(
        """
        [data]
        path = "data"
        feature = "octave-levels"
        feature_config = { band_count = 5 }

        [encoder]
        name = "tiny-encoder"

        [training]
        epochs = 1
        batch_size = 2
        threads = 1
        """
    )
    run = tmp_path / "run"
    train = program(installed, "train", tmp_path / "train.toml", "--out", run)
    assert train.returncode == 0, train.stderr
    evaluate = program(installed, "evaluate", run, "--data", tmp_path / "data", "--json")
    assert evaluate.returncode == 0, evaluate.stderr
    assert json.loads(evaluate.stdout)["scores"]["model"]["rmse"] > 0
    # Where the plugins are not installed, the model says which ones it needs.
    alone = program("", "evaluate", run, "--data", tmp_path / "data")
    assert alone.returncode == 2
    assert "acoustic-sense-example 0.1.0" in alone.stderr
    assert alone.stderr.count("\n") == 1


@pytest.mark.slow
def test_a_third_partys_encoder_gets_a_row_in_the_comparison(installed, tmp_path):
    """The comparison that comes with the project, on small data of the same names."""
    write_dataset(tmp_path / "data", ("s01", "s08", "s09"), "jazz")
    config, out = ROOT / "benchmarks" / "ampl_sim" / "third-party.toml", tmp_path / "out"
    command = ("benchmark", "run", config, "--out", out, "--data", f"generated={tmp_path / 'data'}")
    for method in ("mean-pose", "dilated-frames/seed-0"):
        run = program(installed, *command, "--only", method)
        assert run.returncode == 0, run.stderr
    report = program(installed, "benchmark", "report", out)
    assert report.returncode == 0, report.stderr
    lines = (out / "results.md").read_text().splitlines()
    (row,) = [line for line in lines if line.startswith("| dilated-frames | 1 of 3 | ")]
    cell = out / "cells" / "generated" / "single-music-jazz" / "dilated-frames" / "seed-0.json"
    result = json.loads(cell.read_text())
    assert row.split("|")[3].strip() == f"{result['scores']['method']['rmse']:.3f}"
    assert result["epochs"] == 30
    assert any(line.startswith("| mean-pose | 1 | ") for line in lines)
    # Where the distribution is not installed, one line says what is missing.
    alone = program("", *command, "--plan")
    assert (alone.returncode, alone.stderr.count("\n")) == (2, 1)
    assert "unknown encoder 'dilated-frames'" in alone.stderr
