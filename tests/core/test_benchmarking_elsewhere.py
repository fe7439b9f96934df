"""Comparisons that test on another dataset than they train on, or score a model as it is."""

import json
from pathlib import Path

import pytest

from acoustic_sense.benchmarking import (
    CellResult,
    load_benchmark_config,
    make_plan,
    run_plan,
    write_benchmark_report,
    write_tables,
)
from acoustic_sense.cli.main import run
from acoustic_sense.datasets import DatasetWriter, open_dataset
from acoustic_sense.datasets.protocols import Protocol, Selection
from acoustic_sense.errors import DatasetError, ModelError
from acoustic_sense.inference import load_model
from acoustic_sense.metrics import normalise_pose
from acoustic_sense.training import TrainConfig, evaluate, train

CONFIG = """
name = "Elsewhere"
seeds = [0, 1]

[data]
home = "home"
away = "away"

[defaults.training]
epochs = 1
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

[[methods]]
name = "ready"
model = "pretrained"

[[protocols]]
name = "here"
playback = "home"

[[protocols]]
name = "there"
playback = "home"
test_playback = "away"
"""
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def folder(shared_dataset, tmp_path_factory):
    """A dataset, another by the same people with other sound and motions, and a model."""
    path = tmp_path_factory.mktemp("elsewhere")
    (path / "home").symlink_to(shared_dataset)
    write_away(path / "away", shared_dataset)
    train(pretraining(shared_dataset), path / "pretrained")
    (path / "benchmark.toml").write_text(CONFIG)
    return path


def write_away(path, source):
    """Write the takes that follow each other in `source` with each other's names, quieter."""
    from dataclasses import replace

    dataset = open_dataset(source)
    with DatasetWriter(path, {"name": "away"}) as writer:
        for number, info in enumerate(dataset.takes):
            take = dataset.read_take(dataset.takes[number - 2].id)
            quiet = replace(take.recording, samples=0.2 * take.recording.samples)
            named = replace(info, tags=("noise",))
            writer.write_take(replace(take, info=named, recording=quiet))


def pretraining(dataset):
    return TrainConfig.model_validate(
        {
            "data": {
                "path": str(dataset),
                "protocol": {"name": "cross-music", "test_subjects": ["s1"]},
                "pose_frame": "microphone",
            },
            "encoder": {"name": "shibata2023", "config": {"width": 0.0625}},
            "training": {"epochs": 1, "batch_size": 4, "normalisation": "take-bins"},
        }
    )


@pytest.fixture(scope="module")
def finished(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("benchmark") / "out"
    outcome = run_plan(plan_of(folder, out, only="seed-0"))
    assert (outcome.done, outcome.failed, outcome.left) == (8, (), 0)
    return out


def plan_of(folder, out, text=CONFIG, **options):
    config = folder / ("changed.toml" if text != CONFIG else "benchmark.toml")
    config.write_text(text)
    return make_plan(load_benchmark_config(config), out, **options)


def read(out, protocol, method):
    path = out / "cells" / "home" / protocol / method / "seed-0.json"
    return CellResult.model_validate_json(path.read_text())


# ------------------------------------------------------------------------------ another dataset


def test_trained_cell_is_tested_on_the_other_dataset_alone(finished, folder, tmp_path):
    here, there = (read(finished, protocol, "plain") for protocol in ("here", "there"))
    assert here.train_takes == there.train_takes == ("s0-a", "s0-b", "s1-a", "s1-b")
    assert list(here.takes) == list(there.takes) == ["s2-a", "s2-b"]
    cell = next(c for c in plan_of(folder, finished).cells if c.name == "home/there/plain/seed-0")
    trained = train(cell.train, tmp_path / "run")
    assert there.scores["method"] == evaluate(trained.folder, folder / "away").scores["model"]
    assert here.scores["method"] == evaluate(trained.folder, folder / "home").scores["model"]
    assert here.scores["method"] != there.scores["method"]
    assert here.learning_curve[-1]["loss"] == there.learning_curve[-1]["loss"]


def test_cells_that_differ_only_in_what_is_tested_share_one_training(folder, tmp_path):
    plan, steps = plan_of(folder, tmp_path / "out", only="plain/seed-0"), []
    assert len({cell.hash for cell in plan.left}) == 2
    assert len({cell.run_folder(plan.out) for cell in plan.left}) == 1

    def count(progress):
        steps.append((progress.stage, progress.epoch, progress.done))

    assert run_plan(plan, on_progress=count).done == 2
    assert len(steps) == len(set(steps)) > 1
    assert len(list((tmp_path / "out").rglob("model.safetensors"))) == 1
    both = [read(tmp_path / "out", protocol, "plain") for protocol in ("here", "there")]
    assert both[0].train_seconds == both[1].train_seconds > 0
    for protocol, together in zip(("here", "there"), both, strict=True):
        run_plan(plan_of(folder, tmp_path / protocol, only=f"{protocol}/plain/seed-0"))
        alone = read(tmp_path / protocol, protocol, "plain")
        assert alone.scores == together.scores
        assert alone.learning_curve == together.learning_curve
        assert (alone.epochs, alone.parameters) == (together.epochs, together.parameters)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('name = "there"', 'name = "there"\nprotocol = { test_subjects = ["s0"] }'),
        ('name = "there"\nplayback = "home"', 'name = "there"\nplayback = "away"'),
    ],
)
def test_cells_of_other_training_takes_share_none(folder, tmp_path, old, new):
    text = CONFIG.replace(old, new)
    plan = plan_of(folder, tmp_path, text, only="plain")
    assert len({cell.run_folder(plan.out) for cell in plan.left}) == len(plan.left) == 4


def test_shared_training_is_guessed_once(folder, finished, tmp_path):
    text = CONFIG.replace("[0, 1]", "[0, 1, 2]")
    plan = plan_of(folder, finished, text, only="plain")
    here, there = (read(finished, protocol, "plain") for protocol in ("here", "there"))
    assert plan.guesses() == {
        "home/here/plain/seed-1": here.seconds,
        "home/there/plain/seed-1": there.evaluation_seconds,
        "home/here/plain/seed-2": here.seconds,
        "home/there/plain/seed-2": there.evaluation_seconds,
    }


def test_references_are_fitted_on_training_takes_and_scored_elsewhere(finished, folder):
    run_folder = next((finished / "runs/home/plain").rglob("model.safetensors")).parent
    expected = evaluate(
        run_folder,
        folder / "away",
        nearest_neighbour=True,
        training_data=folder / "home",
    ).scores
    assert read(finished, "there", "mean-pose").scores["method"] == expected["mean_pose"]
    nearest = read(finished, "there", "nearest-neighbour").scores["method"]
    assert nearest == expected["nearest_neighbour"]
    fitted_there = evaluate(run_folder, folder / "away", nearest_neighbour=True).scores
    assert nearest != fitted_there["nearest_neighbour"]


def test_results_and_plan_name_both_datasets(finished, folder):
    here, there = (read(finished, protocol, "plain").config for protocol in ("here", "there"))
    assert (there.playback, there.test_playback) == ("home", "away")
    assert there.dataset == here.dataset
    assert there.test_dataset not in ("", there.dataset)
    assert (here.test_playback, here.test_dataset) == ("", "")
    rows = json.loads((finished / "plan.json").read_text())["cells"]
    assert {row.get("test_playback") for row in rows if row["protocol"] == "there"} == {"away"}
    assert {row.get("test_playback") for row in rows if row["protocol"] == "here"} == {None}


def test_changed_test_data_run_again_what_was_tested_on_them(folder, finished, tmp_path):
    write_away(tmp_path / "away", folder / "home")
    config = load_benchmark_config(folder / "benchmark.toml", {"away": tmp_path / "away"})
    assert make_plan(config, finished, only="seed-0").left == ()
    (tmp_path / "away" / "manifest.sha256").write_text("other bytes\n")
    left = {cell.name for cell in make_plan(config, finished, only="seed-0").left}
    methods = ("mean-pose", "nearest-neighbour", "plain", "ready")
    assert left == {f"home/there/{method}/seed-0" for method in methods}


def test_subject_who_trains_is_not_tested_in_another_dataset(folder, tmp_path, make_take):
    for name, subject in (("home", "s2"), ("away", "s0")):
        with DatasetWriter(tmp_path / name, {"name": name}) as writer:
            writer.write_take(make_take("one", subject="s0"))
            writer.write_take(make_take("two", subject=subject, track="c"))
    (tmp_path / "mine.toml").write_text(
        '[train]\nsubjects = ["s0"]\n[test]\ntracks = ["c"]\n', encoding="utf-8"
    )
    text = CONFIG.split('[[methods]]\nname = "ready"')[0] + (
        '[[protocols]]\nname = "mine"\nplayback = "home"\ntest_playback = "away"\n'
        'protocol = "mine.toml"\n'
    )
    with pytest.raises(DatasetError, match="subject 's0' is both in train and in test"):
        plan_of(tmp_path, tmp_path / "out", text)
    assert plan_of(tmp_path, tmp_path / "out", text.replace('test_playback = "away"', "")).left


def test_take_of_the_same_name_in_another_dataset_is_another_take(make_take):
    takes = [make_take("one", subject="s0").info, make_take("two", subject="s1").info]
    protocol = Protocol(
        train=Selection(subjects=("s0",)), test=Selection(tracks=("a",)), cross_subject=False
    )
    assert protocol.select_test(takes, takes) == tuple(takes)


# ------------------------------------------------------------------------------ a model as it is


def test_model_is_scored_as_it_is_under_each_protocol(finished, folder):
    for protocol, dataset in (("here", "home"), ("there", "away")):
        result = read(finished, protocol, "ready")
        tested = evaluate(folder / "pretrained", folder / dataset, takes=["s2-a", "s2-b"])
        assert result.scores["method"] == tested.scores["model"]
        assert result.scores["mean_pose"] == tested.scores["mean_pose"]
        assert list(result.takes) == ["s2-a", "s2-b"]


def test_result_of_a_model_says_that_it_was_not_trained_here(finished, folder):
    result = read(finished, "here", "ready")
    assert result.config.model == "pretrained"
    assert (result.epochs, result.train_seconds, result.train_takes) == (0, 0.0, ())
    assert result.learning_curve == ()
    assert result.parameters == sum(p.numel() for p in _model(folder / "pretrained").parameters())
    assert result.inference_ms["network"] > 0
    settings = result.config.train
    assert settings["encoder"]["name"] == "shibata2023"
    assert settings["data"]["pose_frame"] == "microphone"
    assert settings["training"]["normalisation"] == "take-bins"
    assert str(folder) not in (finished / "cells/home/here/ready/seed-0.json").read_text()
    assert not list((finished / "runs").rglob("*ready*"))
    text = write_tables(finished).read_text()
    row = next(line for line in text.splitlines() if line.startswith("| ready | 1 "))
    assert row.split("|")[-3].strip() == "-"  # no minutes of training


def _model(path):
    from acoustic_sense.inference import load_pipeline

    return load_pipeline(path).model


def test_model_has_one_cell_a_protocol_and_runs_again_when_its_file_changes(folder, tmp_path):
    names = [cell.name for cell in plan_of(folder, tmp_path).cells if cell.model is not None]
    assert names == ["home/here/ready/seed-0", "home/there/ready/seed-0"]
    digest = plan_of(folder, tmp_path).cells[3].hash
    copy = folder / "copy"
    copy.mkdir()
    (copy / "model.safetensors").symlink_to(folder / "pretrained" / "model.safetensors")
    text = CONFIG.replace('model = "pretrained"', 'model = "copy/model.safetensors"')
    same = plan_of(folder, tmp_path, text).cells[3].inputs
    assert same.first_model == plan_of(folder, tmp_path).cells[3].inputs.first_model
    other = train(
        pretraining(folder / "home").model_copy(
            update={
                "training": pretraining(folder / "home").training.model_copy(update={"seed": 1})
            }
        ),
        tmp_path / "pretrained",
    )
    text = CONFIG.replace('"pretrained"', f'"{other.folder}"')
    changed = plan_of(folder, tmp_path, text).cells[3]
    assert changed.inputs.model == "pretrained"
    assert changed.hash != digest


def test_shipped_model_may_be_named(folder, tmp_path):
    text = CONFIG.replace('model = "pretrained"', 'model = "small"')
    assert plan_of(folder, tmp_path, text).cells[3].inputs.model == "small"


def test_missing_model_is_refused(folder, tmp_path):
    with pytest.raises(ModelError, match="no such run folder, model file or model"):
        plan_of(folder, tmp_path, CONFIG.replace('model = "pretrained"', 'model = "gone"'))


def test_shipped_model_has_clips_of_a_literal_ranking(folder, tmp_path):
    text = CONFIG.replace('model = "pretrained"', 'model = "small"')
    run_plan(plan_of(folder, tmp_path, text, only="home/there/ready"))
    page = write_benchmark_report(tmp_path, {"away": folder / "away"}).page.read_text()
    model, dataset = load_model("small"), open_dataset(folder / "away")
    errors = []
    for name in ("s2-a", "s2-b"):
        take = dataset.read_take(name)
        error = model.predict(take.recording, take.playback).astype(float)
        error -= normalise_pose(dataset.pose_targets(name).astype(float))
        errors += [(error[first : first + 12] ** 2).mean() ** 0.5 for first in (0, 12, 24)]
    heading = "home, tested on away: there, ready, seed 0: "
    for which, rmse in zip(("best", "worst"), (min(errors), max(errors)), strict=True):
        line = page.split(f"{heading}{which} clip")[1].split("RMSE ")[1].split("<")[0]
        assert float(line) == pytest.approx(rmse, abs=2e-3)
    assert "Not shown" not in page


def test_model_without_clips_is_named_with_the_reason(finished, folder):
    data = {"home": folder / "home", "away": folder / "away"}
    missing = write_benchmark_report(finished, data).page.read_text().split("Not shown")[1]
    reason = "its model &#x27;pretrained&#x27; is not at hand"
    for heading in ("home: here", "home, tested on away: there"):
        assert f"<li>{heading}, ready, seed 0: {reason}" in missing


def test_tables_name_what_is_trained_on_and_what_is_tested_on(finished):
    text = write_tables(finished).read_text()
    here, there = text.split("## home: here\n\n")[1].split("## home, tested on away: there\n\n")
    assert here.startswith("Trained on 4 takes, tested on 2 (s2-a, s2-b), ")
    assert there.startswith("Trained on 4 takes of home, tested on 2 of away (s2-a, s2-b), ")


# ------------------------------------------------------------------------------ the program


def test_program_prints_where_it_tests(capsys, folder, tmp_path):
    assert (
        run(
            [
                "benchmark",
                "run",
                str(folder / "benchmark.toml"),
                "--out",
                str(tmp_path / "o"),
                "--plan",
            ]
        )
        == 0
    )
    printed = capsys.readouterr().out
    assert "home -> away" in printed
    assert "cells: 10; done: 0" in printed


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('test_playback = "away"', 'test_playback = "awy"', "no playback 'awy'; did you mean"),
        (
            'test_playback = "away"',
            'test_playback = "away"\nprotocol = "noise"',
            "'noise' divides one dataset by room or tag; with test_playback, set protocol to",
        ),
        (
            'model = "pretrained"',
            'model = "pretrained"\ntraining = { epochs = 2 }',
            "'ready' is scored as its model is; leave training out, or train from it",
        ),
        ('name = "mean-pose"', 'name = "mean-pose"\nmodel = "small"', "'mean-pose' has no model"),
    ],
)
def test_bad_configuration_is_answered_with_one_line(capsys, folder, tmp_path, old, new, line):
    config = folder / "bad.toml"
    config.write_text(CONFIG.replace(old, new))
    code = run(["benchmark", "run", str(config), "--out", str(tmp_path / "out"), "--plan"])
    printed = capsys.readouterr()
    assert (code, printed.out) == (2, "")
    assert line in printed.err
    assert printed.err.count("\n") == 1
