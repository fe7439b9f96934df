"""The comparison of methods: plan, cells, resuming, budget, and tables against literal means."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from acoustic_sense.benchmarking import (
    CellResult,
    load_benchmark_config,
    make_plan,
    run_plan,
    write_tables,
)
from acoustic_sense.cli.main import run
from acoustic_sense.errors import ConfigError, DatasetError, ModelError
from acoustic_sense.training import evaluate, train

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
PLAIN = "noise/apart/plain/seed-0"


@pytest.fixture(scope="module")
def folder(shared_dataset):
    """A folder with a dataset and the configuration of a comparison."""
    (shared_dataset.parent / "benchmark.toml").write_text(CONFIG)
    return shared_dataset.parent


@pytest.fixture(scope="module")
def finished(folder, tmp_path_factory):
    """The results of the whole comparison; left as they are."""
    out = tmp_path_factory.mktemp("benchmark") / "out"
    outcome = run_plan(plan_of(folder, out))
    assert (outcome.done, outcome.failed, outcome.left) == (4, (), 0)
    return out


@pytest.fixture
def out(finished, tmp_path):
    """A copy of the results."""
    return Path(shutil.copytree(finished, tmp_path / "out"))


def plan_of(folder, out, text=CONFIG, **options):
    config = folder / "changed.toml" if text != CONFIG else folder / "benchmark.toml"
    config.write_text(text)
    return make_plan(load_benchmark_config(config), out, **options)


def read(out, name=PLAIN):
    return CellResult.model_validate_json((out / "cells" / f"{name}.json").read_text())


def figures(result):
    """All that the data and the seed decide: nothing of time, machine or code."""
    changing = {"train_seconds", "evaluation_seconds", "inference_ms", "provenance", "finished"}
    return result.model_dump(exclude=changing)


# ------------------------------------------------------------------------------------- the plan


def test_plan_runs_whole_rows_first_and_references_once(folder, tmp_path):
    names = [cell.name for cell in plan_of(folder, tmp_path).cells]
    assert names == [
        "noise/apart/mean-pose/seed-0",
        "noise/apart/nearest-neighbour/seed-0",
        "noise/apart/plain/seed-0",
        "noise/apart/plain/seed-1",
    ]
    assert [cell.train.training.seed for cell in plan_of(folder, tmp_path).cells] == [0, 0, 0, 1]
    assert list(tmp_path.iterdir()) == []


def test_only_chooses_by_part_of_the_name(folder, tmp_path):
    plan = plan_of(folder, tmp_path, only="plain/seed-1")
    assert [cell.name for cell in plan.left] == ["noise/apart/plain/seed-1"]
    with pytest.raises(ConfigError, match="--only palin: none of 4 cells"):
        plan_of(folder, tmp_path, only="palin")


def test_guesses_by_finished_cells_of_the_method(folder, out):
    plan = plan_of(folder, out)
    assert plan.left == ()
    known = [read(out, f"noise/apart/plain/seed-{seed}").seconds for seed in (0, 1)]
    (out / "cells" / f"{PLAIN}.json").unlink()
    plan = plan_of(folder, out)
    assert plan.guess_s(plan.left[0]) == known[1]
    (out / "cells" / "noise/apart/plain/seed-1.json").unlink()
    assert plan_of(folder, out).guess_s(plan.left[0]) is None


def test_methods_settings_are_laid_over_the_defaults(folder, tmp_path):
    text = CONFIG.replace("width = 0.0625 } }", "width = 0.0625 } }\ntraining = { epochs = 5 }")
    cell = plan_of(folder, tmp_path, text).cells[2]
    assert (cell.train.training.epochs, cell.train.training.batch_size) == (5, 4)
    assert cell.train.encoder.config == {"width": 0.0625}


# ------------------------------------------------------------------------------------- the cells


def test_trained_cell_has_the_scores_of_train_and_evaluate(finished, folder, tmp_path):
    cell = plan_of(folder, finished).cells[2]
    trained = train(cell.train, tmp_path / "run")
    expected = evaluate(trained.folder, folder / "tiny")
    result = read(finished)
    assert result.scores["method"] == expected.scores["model"]
    assert result.scores["mean_pose"] == expected.scores["mean_pose"]
    assert set(result.activities) == {"raise", "lower"}
    for name, group in result.activities.items():
        assert group.scores["method"] == expected.per_activity[name].scores["model"]
    assert result.train_takes == ("s0-a", "s0-b", "s1-a", "s1-b")
    assert list(result.takes) == ["s2-a", "s2-b"]
    assert list(result.learning_curve) == trained.history
    assert (result.epochs, result.cut_short) == (2, False)
    assert read(finished, "noise/apart/plain/seed-1").scores["method"] != result.scores["method"]
    assert result.parameters == trained.metrics["parameters"]


def test_reference_cells_have_the_scores_beside_a_trained_model(finished, folder):
    run_folder = next((finished / "runs").rglob("model.safetensors")).parent
    expected = evaluate(run_folder, folder / "tiny", nearest_neighbour=True).scores
    mean_pose = read(finished, "noise/apart/mean-pose/seed-0")
    assert mean_pose.scores["method"] == mean_pose.scores["mean_pose"] == expected["mean_pose"]
    assert mean_pose.relative_rmse == 1.0
    nearest = read(finished, "noise/apart/nearest-neighbour/seed-0")
    assert nearest.scores["method"] == expected["nearest_neighbour"]


def test_result_says_where_it_comes_from_and_names_no_place(finished, folder):
    text = (finished / "cells" / f"{PLAIN}.json").read_text()
    assert str(folder) not in text
    result = json.loads(text)
    assert result["provenance"]["libraries"]["torch"]
    assert result["provenance"]["machine"]["cores"] >= 1
    assert {"commit", "uncommitted_changes"} <= result["provenance"].keys()
    times = result["inference_ms"]
    assert times["total"] == pytest.approx(times["feature"] + times["network"], abs=2e-3)
    assert times["network"] > 0
    encoder = result["config"]["train"]["encoder"]["config"]
    assert (encoder["width"], encoder["heads"]) == (0.0625, 8)  # what was not given too
    assert not list(finished.rglob(".partial*"))


# ------------------------------------------------------------------------------------- resuming


def test_finished_cells_are_skipped(folder, out):
    before = {path: path.stat().st_mtime_ns for path in (out / "cells").rglob("*.json")}
    outcome = run_plan(plan_of(folder, out))
    assert (outcome.done, outcome.left) == (0, 0)
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize("without_run", [False, True])
def test_deleted_cell_runs_again_to_the_same_figures(folder, out, without_run):
    before = read(out)
    (out / "cells" / f"{PLAIN}.json").unlink()
    if without_run:
        shutil.rmtree(out / "runs")
    assert [cell.name for cell in plan_of(folder, out).left] == [PLAIN]
    assert run_plan(plan_of(folder, out)).done == 1
    assert figures(read(out)) == figures(before)


def test_changed_setting_runs_its_cells_again_and_no_others(folder, out):
    text = CONFIG.replace("epochs = 2", "epochs = 1")
    plan = plan_of(folder, out, text)
    assert [cell.inputs.method for cell in plan.left] == ["plain", "plain"]
    before = read(out)
    assert run_plan(plan_of(folder, out, text, only="plain/seed-0")).done == 1
    assert read(out).epochs == 1
    assert read(out).config_hash != before.config_hash
    assert "| plain | 1 of 2 |" in write_tables(out).read_text()


def test_changed_data_run_all_cells_again(folder, out, tiny_dataset):
    config = load_benchmark_config(folder / "benchmark.toml", {"noise": tiny_dataset})
    assert make_plan(config, out).left == ()  # the same data elsewhere
    (tiny_dataset / "manifest.sha256").write_text("other bytes\n")
    assert len(make_plan(config, out).left) == 4


def test_budget_ends_a_training_that_goes_on_later_to_the_same_figures(
    folder, finished, tmp_path, monkeypatch
):
    from acoustic_sense.benchmarking import runner

    out = tmp_path / "out"
    assert run_plan(plan_of(folder, out), budget_minutes=0).left == 4
    assert not (out / "cells").exists()
    now = [0.0]
    monkeypatch.setattr(runner.time, "monotonic", lambda: now[0])

    def pass_time(progress):
        if progress.stage == "training" and progress.epoch == 2:
            now[0] = 61.0

    plan = plan_of(folder, out, only=PLAIN)
    outcome = run_plan(plan, budget_minutes=1, on_progress=pass_time)
    assert (outcome.done, outcome.left) == (0, 1)
    assert not (out / "cells").exists()
    checkpoint = next((out / "runs").rglob("last.ckpt"))
    assert len((checkpoint.parents[1] / "history.csv").read_text().splitlines()) == 2
    assert run_plan(plan_of(folder, out, only=PLAIN)).done == 1
    assert figures(read(out)) == figures(read(finished))


def test_training_with_a_time_budget_says_that_it_was_cut_short(folder, tmp_path):
    text = CONFIG.replace("epochs = 2", "epochs = 1000\ntime_budget_minutes = 0.001")
    run_plan(plan_of(folder, tmp_path, text, only=PLAIN))
    assert read(tmp_path).cut_short
    report = write_tables(tmp_path).read_text()
    assert "| plain \\* | 1 of 2 |" in report
    assert "Trainings that a time budget ended early: 1." in report


def test_failing_cell_does_not_stop_the_others(folder, tmp_path):
    text = CONFIG.replace("threads = 1", "learning_rate = 1e30\ngradient_clip = 0")
    told = []
    outcome = run_plan(
        plan_of(folder, tmp_path, text), on_cell=lambda *event: told.append(event[2:])
    )
    assert outcome.done == 2
    assert outcome.failed == (PLAIN, "noise/apart/plain/seed-1")
    errors = [error for _, _, error in told if error is not None]
    assert len(errors) == 2
    assert isinstance(errors[0], ModelError)


# ------------------------------------------------------------------------------------- the tables


def cells_of(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_table_holds_literal_means_and_deviations(out):
    text = write_tables(out).read_text()
    lines = text.split("## noise: apart")[1].splitlines()
    head = cells_of(next(line for line in lines if line.startswith("| method | seeds")))
    row = dict(zip(head, cells_of(next(x for x in lines if x.startswith("| plain"))), strict=True))
    both = [
        json.loads((out / f"cells/noise/apart/plain/seed-{s}.json").read_text()) for s in (0, 1)
    ]
    assert row["seeds"] == "2"
    for metric, name in (("rmse", "RMSE"), ("mae", "MAE"), ("pckh@0.5", "PCKh@0.5")):
        a, b = (each["scores"]["method"][metric] for each in both)
        middle = (a + b) / 2
        deviation = ((a - middle) ** 2 + (b - middle) ** 2) ** 0.5  # over n - 1 = 1
        assert row[name] == f"{middle:.3f} ± {deviation:.3f}"
    a, b = (e["scores"]["method"]["rmse"] / e["scores"]["mean_pose"]["rmse"] for e in both)
    assert row["relative RMSE"] == f"{(a + b) / 2:.3f} ± {abs(a - b) / np.sqrt(2):.3f}"
    assert row["parameters"] == f"{both[0]['parameters']:,}"
    minutes = (both[0]["train_seconds"] + both[1]["train_seconds"]) / 120
    assert row["training, min"] == f"{minutes:.1f}"
    clip_ms = (both[0]["inference_ms"]["total"] + both[1]["inference_ms"]["total"]) / 2
    assert row["a clip, ms"] == f"{clip_ms:.1f}"


def test_tables_by_part_and_activity_hold_literal_means(out):
    text = write_tables(out).read_text()
    both = [
        json.loads((out / f"cells/noise/apart/plain/seed-{s}.json").read_text()) for s in (0, 1)
    ]
    arm = np.mean([each["scores"]["method"]["rmse/arm"] for each in both])
    up = np.mean([each["activities"]["raise"]["scores"]["method"]["rmse"] for each in both])
    for title, column, value in (("by part", "arm", arm), ("by activity", "raise", up)):
        head, _, *rows = re.search(rf"RMSE {title}.*:\n\n((?:\|.*\n)+)", text)[1].splitlines()
        found = {cells_of(row)[0]: cells_of(row) for row in rows}
        assert list(found) == ["mean-pose", "nearest-neighbour", "plain"]
        cell = found["plain"][cells_of(head).index(column)]
        assert cell.startswith(f"{value:.3f} ±")


def test_missing_cells_are_told(out):
    shutil.rmtree(out / "cells/noise/apart/nearest-neighbour")
    (out / "cells/noise/apart/plain/seed-1.json").unlink()
    text = write_tables(out).read_text()
    assert "Cells done: 2 of 4." in text
    assert "| nearest-neighbour | 0 of 1 | - | - | - | - | - | - | - |" in text
    assert "| plain | 1 of 2 |" in text


def test_rejects_a_folder_without_results(tmp_path):
    with pytest.raises(DatasetError, match=r"holds no plan\.json; give the folder of"):
        write_tables(tmp_path)


def test_rejects_a_result_that_is_none(folder, out):
    path = out / "cells" / f"{PLAIN}.json"
    path.write_text("{}")
    with pytest.raises(DatasetError, match=r"seed-0\.json: not the result of a cell .*delete"):
        plan_of(folder, out)


# ------------------------------------------------------------------------------------- the program


def outcome_of(capsys, *arguments):
    capsys.readouterr()
    code = run([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_program_plans_runs_and_reports(capsys, folder, tmp_path):
    out = tmp_path / "out"
    arguments = ("benchmark", "run", folder / "benchmark.toml", "--out", out, "--only", "-")
    code, printed, _ = outcome_of(capsys, *arguments, "--plan")
    assert code == 0
    assert "cells: 4; done: 0; to run: 4; time: unknown" in printed
    assert not out.exists()
    arguments = (*arguments[:-1], "mean-pose")
    code, printed, err = outcome_of(capsys, *arguments)
    assert code == 0
    assert "cells done: 1; see" in printed
    assert re.search(r"\[1/1\] noise/apart/mean-pose/seed-0: RMSE \d\.\d{3}, mean pose", err)
    assert (
        "cells: 1; done: 1; to run: 0; nothing is left"
        in outcome_of(capsys, *arguments, "--plan")[1]
    )
    assert outcome_of(capsys, "benchmark", "report", out)[:2] == (
        0,
        f"written to {out}/results.md\n",
    )


def test_program_stops_at_its_budget_and_says_what_is_left(capsys, folder, tmp_path):
    code, printed, _ = outcome_of(
        capsys,
        *("benchmark", "run", folder / "benchmark.toml", "--out", tmp_path / "out"),
        *("--budget-minutes", 0),
    )
    assert code == 0
    assert "time spent; cells done: 0, left: 4; run this again to go on" in printed


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("seeds", "seds", "unknown key 'seds'; did you mean 'seeds'?"),
        ("batch_size", "batch_siez", "method 'mean-pose': unknown key 'training.batch_siez'; did"),
        ("width", "widht", "method 'plain': encoder 'bgm2pose-fa': unknown key 'widht'; did you"),
        ("bgm2pose-fa", "bgm2pose-af", "unknown encoder 'bgm2pose-af'; did you mean"),
        ('playback = "noise"', 'playback = "nose"', "no playback 'nose'; did you mean 'noise'?"),
        ('name = "plain"', 'name = "mean-pose"', "'mean-pose' is not trained; leave encoder"),
        ('name = "plain"', 'name = "a/b"', "'methods.2.name': String should match pattern"),
        ("[0, 1]", "[0, 0]", "seed '0' is there twice"),
        ("threads = 1", "seed = 1", "training.seed is not a method's"),
        ('"tiny"', '"gone"', "gone: no such folder; give the folder of a dataset"),
        ('"leave-one-subject-out"', '"leave-one"', "unknown protocol 'leave-one'"),
        (
            '"leave-one-subject-out"',
            '{ test_subjects = ["s9"] }',
            "the dataset has no 's9' among its subjects",
        ),
    ],
)
def test_bad_configuration_is_answered_with_one_line(capsys, folder, tmp_path, old, new, line):
    config = folder / "bad.toml"
    config.write_text(CONFIG.replace(old, new))
    code, printed, err = outcome_of(
        capsys, "benchmark", "run", config, "--out", tmp_path / "out", "--plan"
    )
    assert (code, printed) == (2, "")
    assert err.startswith("error: ")
    assert line in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("pair", "line"),
    [
        ("noise", "--data noise: write NAME=DIR"),
        ("nose=tiny", "has no playback 'nose'; did you mean 'noise'?"),
    ],
)
def test_bad_data_option_is_answered_with_one_line(capsys, folder, tmp_path, pair, line):
    code, _, err = outcome_of(
        capsys,
        *("benchmark", "run", folder / "benchmark.toml", "--out", tmp_path, "--data", pair),
    )
    assert code == 2
    assert line in err
    assert err.count("\n") == 1
