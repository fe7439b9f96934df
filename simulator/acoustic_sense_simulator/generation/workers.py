"""Workers: the same jobs on this process, a process pool, or a Dask cluster."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from importlib import import_module
from typing import Any, cast

from acoustic_sense.errors import SimulationError
from acoustic_sense_simulator.generation.jobs import TakeJob, make_take


def run_jobs(
    jobs: Sequence[TakeJob], *, workers: int = 1, scheduler: str | None = None
) -> Iterator[float]:
    """Run the jobs and yield the seconds of each take as it finishes, in any order.

    The first failure ends the run: takes that have not begun are cancelled, those under way end.

    Args:
        jobs: The takes to make.
        workers: Processes on this machine; 1 runs in this process.
        scheduler: Address of a Dask scheduler, instead of `workers`.

    Yields:
        Seconds of audio in a finished take.

    Raises:
        AcousticSenseError: A take failed; the message names it.
        SimulationError: A worker died, there is none, or the scheduler cannot be used.
    """
    if workers < 1:
        raise SimulationError(f"{workers} workers cannot make anything; ask for at least one")
    if not jobs:
        return
    if scheduler is None and workers == 1:
        yield from map(make_take, jobs)
        return
    pool = _process_pool(min(workers, len(jobs))) if scheduler is None else _dask_pool(scheduler)
    with pool as executor:
        futures = [executor.submit(make_take, job) for job in jobs]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool:
            raise SimulationError(
                "a worker process died, most often because memory ran out; run again with fewer "
                "workers to go on where it stopped"
            ) from None
        finally:
            for future in futures:
                future.cancel()


@contextmanager
def _process_pool(workers: int) -> Iterator[Executor]:
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(workers, mp_context=context, initializer=start_worker)
    try:
        yield executor
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _dask_pool(address: str) -> Iterator[Executor]:
    try:
        distributed = import_module("distributed")
    except ImportError:
        raise SimulationError(
            "a Dask scheduler needs the package 'distributed'; "
            "install it with: pip install 'acoustic-sense[cluster]'"
        ) from None
    try:
        client = distributed.Client(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SimulationError(
            f"no Dask scheduler answers at {address}: {reason}; check the address"
        ) from None
    try:
        yield cast(Executor, client.get_executor(pure=False))
    finally:
        client.close()


def start_worker() -> None:
    """Prepare a worker process: quiet on Ctrl-C, and gone as soon as its parent is."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: Any) -> None:
    """End this process when its parent has ended, killed or not."""
    parent.join()
    os._exit(1)
