"""Running a plan cell by cell, until it is done or its time is spent."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from acoustic_sense.benchmarking.cells import run_cell
from acoustic_sense.benchmarking.plan import Cell, Plan
from acoustic_sense.benchmarking.results import PLAN_NAME, CellResult, write_json
from acoustic_sense.errors import AcousticSenseError
from acoustic_sense.training.progress import OnProgress, TrainProgress

OnCell = Callable[[int, int, Cell, CellResult | None, AcousticSenseError | None], None]
"""Called when a cell begins (neither result nor error) and when it ends, with its number from 1
and how many there are."""


class BudgetSpentError(Exception):
    """The time is spent; the training that was under way can be resumed."""


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
    budget_minutes: float | None = None,
    on_cell: OnCell | None = None,
    on_progress: OnProgress | None = None,
) -> Outcome:
    """Run the cells of a plan that are not done; each result is written as soon as it is there.

    A cell that fails does not stop the others. When the time is spent, training stops where it is;
    the next run goes on after its last whole epoch.

    Args:
        plan: The plan.
        budget_minutes: Time to spend; no end if None.
        on_cell: Called at the beginning and at the end of each cell.
        on_progress: Called after each take that is opened and each batch.
    """
    deadline = None if budget_minutes is None else time.monotonic() + 60 * budget_minutes
    watch = _watcher(deadline, on_progress)
    _write_plan(plan)
    tell = on_cell or (lambda *_: None)
    cells, done, failed = plan.left, 0, []
    for number, cell in enumerate(cells, start=1):
        if deadline is not None and time.monotonic() >= deadline:
            break
        tell(number, len(cells), cell, None, None)
        try:
            result = run_cell(cell, plan.out, watch)
        except BudgetSpentError:
            break
        except AcousticSenseError as error:
            failed.append(cell.name)
            tell(number, len(cells), cell, None, error)
        else:
            done += 1
            tell(number, len(cells), cell, result, None)
    return Outcome(done, tuple(failed), len(cells) - done - len(failed))


def _watcher(deadline: float | None, on_progress: OnProgress | None) -> OnProgress:
    """Return a function that reports, and ends training when the time is spent."""

    def watch(progress: TrainProgress) -> None:
        if on_progress is not None:
            on_progress(progress)
        if deadline is not None and time.monotonic() >= deadline:
            raise BudgetSpentError

    return watch


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
