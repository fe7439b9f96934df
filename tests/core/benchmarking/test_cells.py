"""The comparison of methods: plan, cells, resuming, budget."""

import json
import shutil

import pytest

from acoustic_sense.benchmarking import load_benchmark_config, make_plan, run_plan, write_tables
from acoustic_sense.errors import ConfigError, ModelError
from acoustic_sense.training import evaluate, train

PLAIN = "noise/apart/plain/seed-0"


def figures(result):
    """All that the data and the seed decide: nothing of time, machine or code."""
    changing = {"train_seconds", "evaluation_seconds", "inference_ms", "provenance", "finished"}
    return result.model_dump(exclude=changing)


# ------------------------------------------------------------------------------------- the plan


def test_plan_runs_whole_rows_first_and_references_once(folder, tmp_path, plan_of):
    names = [cell.name for cell in plan_of(folder, tmp_path).cells]
    assert names == [
        "noise/apart/mean-pose/seed-0",
        "noise/apart/nearest-neighbour/seed-0",
        "noise/apart/plain/seed-0",
        "noise/apart/plain/seed-1",
    ]
    assert [cell.train.training.seed for cell in plan_of(folder, tmp_path).cells] == [0, 0, 0, 1]
    assert list(tmp_path.iterdir()) == []


def test_only_chooses_by_part_of_the_name(folder, tmp_path, plan_of):
    plan = plan_of(folder, tmp_path, only="plain/seed-1")
    assert [cell.name for cell in plan.left] == ["noise/apart/plain/seed-1"]
    with pytest.raises(ConfigError, match="--only palin: none of 4 cells"):
        plan_of(folder, tmp_path, only="palin")


def test_guesses_by_finished_cells_of_the_method(folder, out, plan_of, read):
    plan = plan_of(folder, out)
    assert plan.left == ()
    known = [read(out, f"noise/apart/plain/seed-{seed}").seconds for seed in (0, 1)]
    (out / "cells" / f"{PLAIN}.json").unlink()
    plan = plan_of(folder, out)
    assert plan.guess_s(plan.left[0]) == known[1]
    (out / "cells" / "noise/apart/plain/seed-1.json").unlink()
    assert plan_of(folder, out).guess_s(plan.left[0]) is None


def test_methods_settings_are_laid_over_the_defaults(folder, tmp_path, CONFIG, plan_of):
    text = CONFIG.replace("width = 0.0625 } }", "width = 0.0625 } }\ntraining = { epochs = 5 }")
    cell = plan_of(folder, tmp_path, text).cells[2]
    assert (cell.train.training.epochs, cell.train.training.batch_size) == (5, 4)
    assert cell.train.encoder.config == {"width": 0.0625}


# ------------------------------------------------------------------------------------- the cells


def test_trained_cell_has_the_scores_of_train_and_evaluate(
    finished, folder, tmp_path, plan_of, read
):
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


def test_reference_cells_have_the_scores_beside_a_trained_model(finished, folder, read):
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


def test_finished_cells_are_skipped(folder, out, plan_of):
    before = {path: path.stat().st_mtime_ns for path in (out / "cells").rglob("*.json")}
    outcome = run_plan(plan_of(folder, out))
    assert (outcome.done, outcome.left) == (0, 0)
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize("without_run", [False, True])
def test_deleted_cell_runs_again_to_the_same_figures(folder, out, without_run, plan_of, read):
    before = read(out)
    (out / "cells" / f"{PLAIN}.json").unlink()
    if without_run:
        shutil.rmtree(out / "runs")
    assert [cell.name for cell in plan_of(folder, out).left] == [PLAIN]
    assert run_plan(plan_of(folder, out)).done == 1
    assert figures(read(out)) == figures(before)


def test_changed_setting_runs_its_cells_again_and_no_others(folder, out, CONFIG, plan_of, read):
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
    folder, finished, tmp_path, monkeypatch, plan_of, read
):
    from acoustic_sense.benchmarking import budget

    out = tmp_path / "out"
    assert run_plan(plan_of(folder, out), budget_minutes=0).left == 4
    assert not (out / "cells").exists()
    now = [0.0]
    monkeypatch.setattr(budget.time, "monotonic", lambda: now[0])

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


def test_training_with_a_time_budget_says_that_it_was_cut_short(
    folder, tmp_path, CONFIG, plan_of, read
):
    text = CONFIG.replace("epochs = 2", "epochs = 1000\ntime_budget_minutes = 0.001")
    run_plan(plan_of(folder, tmp_path, text, only=PLAIN))
    assert read(tmp_path).cut_short
    report = write_tables(tmp_path).read_text()
    assert "| plain \\* | 1 of 2 |" in report
    assert "Trainings that a time budget ended early: 1." in report


def test_failing_cell_does_not_stop_the_others(folder, tmp_path, CONFIG, plan_of):
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
