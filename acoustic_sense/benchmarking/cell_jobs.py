"""Cells on workers: those that share a training one after the other until it is done."""

import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch

from acoustic_sense.benchmarking.budget import Budget, BudgetSpentError
from acoustic_sense.benchmarking.cells import run_cell
from acoustic_sense.benchmarking.plan import Cell
from acoustic_sense.benchmarking.results import CellResult
from acoustic_sense.benchmarking.runs import is_finished
from acoustic_sense.errors import AcousticSenseError, ConfigError
from acoustic_sense.parallel.pools import result_of

_ONE_AT_A_TIME: Final = threading.Lock()
"""Held while a cell runs: two in one process would draw from the same random state."""

Ended = tuple[Cell, CellResult | AcousticSenseError]


@dataclass(frozen=True)
class CellJob:
    """What a worker needs to run a cell.

    Attributes:
        cell: The cell.
        out: Folder of the results, absolute.
        ends_at: When to stop, in seconds since 1970; None for never.
        threads: Threads of torch; None for as many as there are.
    """

    cell: Cell
    out: Path
    ends_at: float | None = None
    threads: int | None = None


def run_job(job: CellJob) -> CellResult:
    """Run a cell.

    Raises:
        AcousticSenseError: It failed.
        BudgetSpentError: The time is spent.
    """
    with _ONE_AT_A_TIME:
        budget = Budget.until(job.ends_at)
        if budget.is_spent:
            raise BudgetSpentError
        if job.threads is not None:
            torch.set_num_threads(job.threads)
        return run_cell(job.cell, job.out, budget.watcher())


def run_jobs(
    cells: tuple[Cell, ...],
    out: Path,
    executor: Executor,
    budget: Budget,
    threads: int | None = None,
) -> Iterator[Ended]:
    """Run cells on an executor and yield each that ends with its result or its error.

    A cell waits for the one before it that has the same training, unless that is done. Cells that
    the time does not suffice for are not yielded.

    Args:
        cells: The cells.
        out: Folder of the results, which the workers see under the same name.
        executor: The workers.
        budget: The time.
        threads: Threads of torch in each worker; None for as many as there are.

    Yields:
        A cell and how it ended.

    Raises:
        ConfigError: A worker's result is not in the folder.
    """
    out = out.absolute()
    queues = _queues(cells, out)
    under_way: dict[Future[CellResult], tuple[Cell, list[Cell]]] = {}

    def submit_from(queue: list[Cell]) -> None:
        while queue and not budget.is_spent:
            cell = queue.pop(0)
            job = CellJob(cell, out, budget.unix_s, threads)
            under_way[executor.submit(run_job, job)] = (cell, queue)
            if cell.is_trained and not is_finished(cell.run_folder(out)):
                return  # the others wait for its training

    try:
        for queue in queues:
            submit_from(queue)
        while under_way:
            for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                cell, queue = under_way.pop(future)
                try:
                    ended: CellResult | AcousticSenseError = result_of(future)
                except BudgetSpentError:
                    continue
                except AcousticSenseError as error:
                    ended = error
                else:
                    _check_shared(cell, out)
                yield cell, ended
                submit_from(queue)
    finally:
        for future in under_way:
            future.cancel()


def _queues(cells: tuple[Cell, ...], out: Path) -> list[list[Cell]]:
    """Return the cells of each training in their order; each of the others by itself."""
    queues: dict[object, list[Cell]] = {}
    for cell in cells:
        key = cell.run_folder(out) if cell.is_trained else cell.name
        queues.setdefault(key, []).append(cell)
    return list(queues.values())


def _check_shared(cell: Cell, out: Path) -> None:
    path = cell.result_path(out)
    if not path.is_file():
        raise ConfigError(
            f"{path}: a worker wrote it and it is not here; --out has to be a folder that all "
            "workers share under the same name"
        )
