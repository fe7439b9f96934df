"""Pools of workers, by one interface: processes on this machine, or a Dask cluster."""

from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from importlib import import_module
from typing import TypeVar, cast

from acoustic_sense.errors import AcousticSenseError, WorkerError
from acoustic_sense.parallel.processes import ProcessExecutor

T = TypeVar("T")


def check_workers(workers: int) -> None:
    """Raise WorkerError unless there is at least one."""
    if workers < 1:
        raise WorkerError(f"{workers} workers cannot make anything; ask for at least one")


@contextmanager
def worker_pool(workers: int, scheduler: str | None = None) -> Iterator[Executor]:
    """Yield an executor.

    Args:
        workers: Processes on this machine.
        scheduler: Address of a Dask scheduler, instead of `workers`.

    Raises:
        WorkerError: The number is not positive, or the scheduler cannot be used.
    """
    check_workers(workers)
    if scheduler is not None:
        with _dask_pool(scheduler) as executor:
            yield executor
        return
    with ProcessExecutor(workers) as executor:
        yield executor


def result_of(future: Future[T]) -> T:
    """Return what a worker returned, or raise what it raised.

    Raises:
        WorkerError: The worker died, or the scheduler was lost.
    """
    try:
        return future.result()
    except AcousticSenseError:
        raise
    except CancelledError:
        raise WorkerError(
            "the Dask scheduler went away; run again to go on where it stopped"
        ) from None
    except Exception as error:
        if type(error).__name__ != "KilledWorker":  # distributed is not imported for its name
            raise
        raise WorkerError(
            "workers of the cluster died of it again and again, most often because memory ran "
            "out; give them more, then run again to go on where it stopped"
        ) from None


@contextmanager
def _dask_pool(address: str) -> Iterator[Executor]:
    try:
        distributed = import_module("distributed")
    except ImportError:
        raise WorkerError(
            "a Dask scheduler needs the package 'distributed'; "
            "install it with: pip install 'acoustic-sense[cluster]'"
        ) from None
    try:
        client = distributed.Client(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WorkerError(
            f"no Dask scheduler answers at {address}: {reason}; check the address"
        ) from None
    try:
        yield cast(Executor, client.get_executor(pure=False))
    finally:
        client.close()
