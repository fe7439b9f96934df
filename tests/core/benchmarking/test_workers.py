"""The comparison of methods on several workers: processes of this machine, and a Dask cluster."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import pytest

from acoustic_sense.benchmarking import run_plan
from acoustic_sense.benchmarking.budget import Budget, BudgetSpentError
from acoustic_sense.benchmarking.cell_jobs import CellJob, run_job, run_jobs
from acoustic_sense.benchmarking.runs import is_finished
from acoustic_sense.errors import ConfigError, ModelError, WorkerError

PLAIN = "noise/apart/plain/seed-0"
NAMES = (
    "noise/apart/mean-pose/seed-0",
    "noise/apart/nearest-neighbour/seed-0",
    PLAIN,
    "noise/apart/plain/seed-1",
)


def figures(result):
    """All that the data and the seed decide: nothing of time, machine or code."""
    changing = {"train_seconds", "evaluation_seconds", "inference_ms", "provenance", "finished"}
    return result.model_dump(exclude=changing)


class Failing:
    """An executor on which everything fails at once."""

    def __init__(self):
        self.submitted = []

    def submit(self, function, job):
        future = Future()
        future.set_exception(ModelError("diverged"))
        self.submitted.append(job.cell.name)
        return future


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=2, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster


# --------------------------------------------------------------------------------- same figures


@pytest.mark.slow
def test_processes_come_to_the_figures_of_one(folder, finished, tmp_path, plan_of, read):
    told = []
    outcome = run_plan(
        plan_of(folder, tmp_path), workers=2, on_cell=lambda *event: told.append(event)
    )
    assert (outcome.done, outcome.failed, outcome.left) == (4, (), 0)
    for name in NAMES:
        assert figures(read(tmp_path, name)) == figures(read(finished, name))
    assert [(number, count) for number, count, *_ in told] == [(n, 4) for n in (1, 2, 3, 4)]
    assert {cell.name for _, _, cell, _, _ in told} == set(NAMES)
    assert plan_of(folder, tmp_path).left == ()


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_dask_cluster_comes_to_the_figures_of_one_process(
    cluster, folder, finished, tmp_path, plan_of, read
):
    """Two threads a worker: cells of one process must not disturb each other's random state."""
    outcome = run_plan(plan_of(folder, tmp_path), scheduler=cluster.scheduler_address)
    assert (outcome.done, outcome.failed, outcome.left) == (4, (), 0)
    for name in NAMES:
        assert figures(read(tmp_path, name)) == figures(read(finished, name))
    assert (tmp_path / "plan.json").read_bytes() == (finished / "plan.json").read_bytes()


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_program_resumes_and_reports_failures_on_a_cluster(
    cluster, folder, out, CONFIG, outcome_of, read
):
    before = read(out)
    (out / "cells" / f"{PLAIN}.json").unlink()
    arguments = ("--out", out, "--scheduler", cluster.scheduler_address)
    code, printed, err = outcome_of("benchmark", "run", folder / "benchmark.toml", *arguments)
    assert code == 0
    assert "to run: 1;" in printed
    assert "cells done: 1;" in printed
    assert f"[1/1] {PLAIN}: RMSE" in err
    assert figures(read(out)) == figures(before)
    bad = folder / "diverging.toml"
    bad.write_text(CONFIG.replace("threads = 1", "learning_rate = 1e30\ngradient_clip = 0"))
    code, printed, err = outcome_of("benchmark", "run", bad, *arguments, "--only", "plain/seed-0")
    assert code == 1
    assert f"failed: {PLAIN}" in printed
    assert f"[1/1] {PLAIN}: failed: " in err


# --------------------------------------------------------------------------------- the order


TWO_TESTS = "".join(
    f'\n[[protocols]]\nname = "{name}"\nplayback = "noise"\nprotocol = "leave-one-subject-out"\n'
    for name in ("again", "more")
)


def test_cells_of_one_training_wait_for_it(folder, tmp_path, CONFIG, plan_of, monkeypatch):
    plan = plan_of(folder, tmp_path, CONFIG + TWO_TESTS, only="plain/seed-0")
    finished_at_submission = []
    with ThreadPoolExecutor(3) as executor:
        submit = executor.submit

        def watched(function, job):
            run = job.cell.run_folder(tmp_path)
            finished_at_submission.append((job.cell.name, is_finished(run)))
            return submit(function, job)

        monkeypatch.setattr(executor, "submit", watched)
        names = [cell.name for cell, _ in run_jobs(plan.left, plan.out, executor, Budget())]
    assert finished_at_submission == [
        (PLAIN, False),
        ("noise/again/plain/seed-0", True),
        ("noise/more/plain/seed-0", True),
    ]
    assert names[0] == PLAIN
    assert sorted(names) == sorted(cell.name for cell in plan.left)
    assert len(list(tmp_path.rglob("model.safetensors"))) == 1


def test_failed_training_is_tried_by_the_next_cell_alone(folder, tmp_path, CONFIG, plan_of):
    plan, executor = plan_of(folder, tmp_path, CONFIG + TWO_TESTS, only="plain/seed-0"), Failing()
    submitted_before = []
    for _, error in run_jobs(plan.left, plan.out, executor, Budget()):
        assert str(error) == "diverged"
        submitted_before.append(len(executor.submitted))
    assert submitted_before == [1, 2, 3]


# --------------------------------------------------------------------------------- limits


def test_spent_budget_leaves_cells_to_the_next_run(folder, tmp_path, plan_of):
    outcome = run_plan(plan_of(folder, tmp_path), workers=2, budget_minutes=0)
    assert (outcome.done, outcome.failed, outcome.left) == (0, (), 4)
    assert not (tmp_path / "cells").exists()


def test_worker_stops_its_training_when_the_time_is_spent(
    folder, finished, tmp_path, plan_of, monkeypatch, read
):
    from acoustic_sense.benchmarking import budget

    cell = plan_of(folder, tmp_path, only=PLAIN).left[0]
    now = budget.time.time()
    job = CellJob(cell, tmp_path, ends_at=now + 1000)
    steps, original = [], Budget.is_spent.fget

    def is_spent(self):
        steps.append(original(self))
        return len(steps) > 5

    monkeypatch.setattr(Budget, "is_spent", property(is_spent))
    with pytest.raises(BudgetSpentError):
        run_job(job)
    assert not any(steps)  # a thousand seconds were not over
    monkeypatch.undo()
    assert run_plan(plan_of(folder, tmp_path, only=PLAIN)).done == 1
    assert figures(read(tmp_path)) == figures(read(finished))


def test_budget_means_the_same_time_in_another_process():
    assert Budget.until(Budget(None).unix_s) == Budget(None)
    budget = Budget.of_minutes(10)
    assert Budget.until(budget.unix_s).ends_at == pytest.approx(budget.ends_at, abs=0.1)
    assert not budget.is_spent
    assert Budget.of_minutes(0).is_spent


def test_folder_that_workers_do_not_share_is_refused(folder, tmp_path, plan_of, monkeypatch):
    plan = plan_of(folder, tmp_path, only="mean-pose")

    def elsewhere(job):
        return run_job(replace(job, out=tmp_path / "elsewhere"))

    with ThreadPoolExecutor(1) as executor:
        submit = executor.submit
        monkeypatch.setattr(executor, "submit", lambda _, job: submit(elsewhere, job))
        with pytest.raises(ConfigError, match="--out has to be a folder that all workers share"):
            list(run_jobs(plan.left, plan.out, executor, Budget()))


@pytest.mark.filterwarnings("default")
def test_scheduler_that_does_not_answer_is_one_line(folder, tmp_path, outcome_of):
    pytest.importorskip("distributed")
    code, _, err = outcome_of(
        *("benchmark", "run", folder / "benchmark.toml", "--out", tmp_path / "out"),
        *("--scheduler", "tcp://127.0.0.1:9"),
    )
    assert code == 2
    assert err.startswith("error: no Dask scheduler answers at tcp://127.0.0.1:9")
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_no_workers_are_refused(folder, tmp_path, plan_of):
    with pytest.raises(WorkerError, match="at least one"):
        run_plan(plan_of(folder, tmp_path), workers=0)
