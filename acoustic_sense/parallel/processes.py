"""Processes: an executor of worker processes that leaves nothing in the system when it is killed.

The standard library's process pool shares named semaphores between its processes. SIGKILL of the
whole process group leaves them behind in the system's shared memory, run after run. Here each
worker hangs on a pipe of its own and on nothing else; what a pipe holds ends with its processes.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, TypeVar

from acoustic_sense.errors import WorkerError

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class _Worker:
    """A process and this side of its pipe."""

    process: SpawnProcess
    pipe: Connection


class ProcessExecutor(Executor):
    """Runs functions in worker processes; each worker is served by a thread of this process.

    A worker is started when it is first needed, and ends with the executor or, killed or not,
    with this process.
    """

    def __init__(self, workers: int) -> None:
        """Make an executor of so many processes."""
        self._threads = ThreadPoolExecutor(workers)
        self._mine = threading.local()
        self._starting = threading.Lock()
        self._workers: list[_Worker] = []

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run a function in a worker; it, its arguments and its result must be picklable.

        The future raises what the function raised, or WorkerError if its worker died.
        """
        return self._threads.submit(self._call, fn, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let functions that have begun end, then end the workers."""
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        for worker in self._workers:
            worker.pipe.close()
        for worker in self._workers if wait else ():
            worker.process.join()

    def _call(self, function: Callable[..., T], args: Any, kwargs: Any) -> T:
        worker = self._worker()
        try:
            worker.pipe.send((function, args, kwargs))
            result, error = worker.pipe.recv()
        except (EOFError, OSError):
            del self._mine.worker
            raise WorkerError(
                "a worker process died, most often because memory ran out; run again with fewer "
                "workers to go on where it stopped"
            ) from None
        if error is not None:
            raise error
        return result  # type: ignore[no-any-return]

    def _worker(self) -> _Worker:
        """Return this thread's worker, started if need be."""
        if not hasattr(self._mine, "worker"):
            context = multiprocessing.get_context("spawn")
            with self._starting:
                here, there = context.Pipe()
                process = context.Process(target=_serve, args=(there,), daemon=True)
                process.start()
                there.close()  # so that this side sees the end of the worker
                self._mine.worker = _Worker(process, here)
                self._workers.append(self._mine.worker)
        worker: _Worker = self._mine.worker
        return worker


def _serve(pipe: Connection) -> None:
    """Do what comes through the pipe until it is closed; the life of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a word
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    while True:
        try:
            function, args, kwargs = pipe.recv()
        except EOFError:
            return
        answer: tuple[Any, Exception | None]
        try:
            answer = function(*args, **kwargs), None
        except Exception as error:
            answer = None, error
        pipe.send(answer)


def _follow(parent: Any) -> None:
    """End this process when its parent has ended, killed or not."""
    parent.join()
    os._exit(1)
