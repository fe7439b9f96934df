"""Threads: one per worker, so that workers neither compete nor round differently."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module


@contextmanager
def single_thread() -> Iterator[None]:
    """Run everything inside on one thread: linear algebra, numba, torch, pyroomacoustics.

    The order in which numbers are added, and so their last bit, then never depends on the
    machine's cores. Import what is used inside beforehand: a library loaded later keeps its own
    number of threads.
    """
    from pyroomacoustics import constants
    from threadpoolctl import threadpool_limits

    with ExitStack() as stack:
        stack.enter_context(threadpool_limits(limits=1))
        stack.callback(constants.set, "num_threads", constants.get("num_threads"))
        constants.set("num_threads", 1)
        for name in ("numba", "torch"):
            if name in sys.modules:
                module = import_module(name)
                stack.callback(module.set_num_threads, module.get_num_threads())
                module.set_num_threads(1)
        yield
