"""Workers: the same jobs on this process, a process pool, or a Dask cluster."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, as_completed
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from typing import cast

from acoustic_sense.errors import SimulationError
from acoustic_sense_simulator.generation.jobs import TakeJob, make_take
from acoustic_sense_simulator.generation.processes import ProcessExecutor


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
    pool: AbstractContextManager[Executor] = (
        ProcessExecutor(min(workers, len(jobs))) if scheduler is None else _dask_pool(scheduler)
    )
    with pool as executor:
        futures = [executor.submit(make_take, job) for job in jobs]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            for future in futures:
                future.cancel()


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
