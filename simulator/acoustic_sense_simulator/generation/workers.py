"""Workers: the same jobs on this process, a process pool, or a Dask cluster."""

from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed

from acoustic_sense.parallel.pools import check_workers, result_of, worker_pool
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
        WorkerError: A worker died, there is none, or the scheduler cannot be used.
    """
    check_workers(workers)
    if not jobs:
        return
    if scheduler is None and workers == 1:
        yield from map(make_take, jobs)
        return
    with worker_pool(min(workers, len(jobs)), scheduler) as executor:
        futures = [executor.submit(make_take, job) for job in jobs]
        try:
            for future in as_completed(futures):
                yield result_of(future)
        finally:
            for future in futures:
                future.cancel()
