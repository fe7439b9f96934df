"""Running a plan cell by cell, until it is done or its time is spent."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from acoustic_sense.benchmarking.budget import Budget, BudgetSpentError
from acoustic_sense.benchmarking.cell_jobs import Ended, run_jobs
from acoustic_sense.benchmarking.cells import run_cell
from acoustic_sense.benchmarking.plan import Cell, Plan
from acoustic_sense.benchmarking.results import PLAN_NAME, CellResult, write_json
from acoustic_sense.errors import AcousticSenseError
from acoustic_sense.parallel.pools import check_workers, worker_pool
from acoustic_sense.training.progress import OnProgress

OnCell = Callable[[int, int, Cell, CellResult | None, AcousticSenseError | None], None]
"""Called when a cell begins (neither result nor error) and when it ends, with its number from 1
and how many there are."""


@dataclass(frozen=True)
class Outcome:
    """How far a run of a plan came.

    Attributes:
        done: Cells that it finished.
        failed: Names of cells that failed.
        left: Cells that it did not come to, the interrupted one included.
    """

    done: int
    failed: tuple[str, ...]
    left: int


def run_plan(
    plan: Plan,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    budget_minutes: float | None = None,
    on_cell: OnCell | None = None,
    on_progress: OnProgress | None = None,
) -> Outcome:
    """Run the cells of a plan that are not done; each result is written as soon as it is there.

    A cell that fails does not stop the others. When the time is spent, training stops where it is;
    the next run goes on after its last whole epoch.

    Args:
        plan: The plan.
        workers: Processes on this machine; 1 runs in this process.
        scheduler: Address of a Dask scheduler, instead of `workers`. Its workers have to see the
            folders of the results and of the data under the same names.
        budget_minutes: Time to spend; no end if None.
        on_cell: Called at the beginning and at the end of each cell; on several workers at its
            end alone.
        on_progress: Called after each take that is opened and each batch, in this process alone.

    Raises:
        WorkerError: There is no worker, or the scheduler cannot be used.
        ConfigError: A worker's results are not in the folder.
    """
    check_workers(workers)
    budget = Budget.of_minutes(budget_minutes)
    tell = on_cell or (lambda *_: None)
    if scheduler is None and workers == 1:
        _write_plan(plan)
        return _outcome(plan, tell, _run_here(plan, budget, tell, on_progress))
    with worker_pool(max(1, min(workers, len(plan.left))), scheduler) as executor:
        _write_plan(plan)
        threads = None if scheduler else max(1, (os.cpu_count() or 1) // workers)
        return _outcome(plan, tell, run_jobs(plan.left, plan.out, executor, budget, threads))


def _run_here(
    plan: Plan, budget: Budget, tell: OnCell, on_progress: OnProgress | None
) -> Iterator[Ended]:
    """Run the cells in this process, one after the other."""
    watch = budget.watcher(on_progress)
    for number, cell in enumerate(plan.left, start=1):
        if budget.is_spent:
            return
        tell(number, len(plan.left), cell, None, None)
        try:
            yield cell, run_cell(cell, plan.out, watch)
        except BudgetSpentError:
            return
        except AcousticSenseError as error:
            yield cell, error


def _outcome(plan: Plan, tell: OnCell, ended: Iterable[Ended]) -> Outcome:
    """Tell how each cell ended, and count them."""
    count, done, failed = len(plan.left), 0, []
    for number, (cell, end) in enumerate(ended, start=1):
        if isinstance(end, CellResult):
            done += 1
            tell(number, count, cell, end, None)
        else:
            failed.append(cell.name)
            tell(number, count, cell, None, end)
    return Outcome(done, tuple(failed), count - done - len(failed))


def _write_plan(plan: Plan) -> None:
    """Write which cells there are, in the order of rows, for the tables."""
    cells = [
        {
            "playback": cell.inputs.playback,
            **({"test_playback": elsewhere} if (elsewhere := cell.inputs.test_playback) else {}),
            "protocol": cell.inputs.protocol,
            "method": cell.inputs.method,
            "seed": cell.inputs.seed,
            "config_hash": cell.hash,
        }
        for cell in plan.cells
    ]
    write_json(Path(plan.out) / PLAN_NAME, {"name": plan.name, "cells": cells})
