"""A run of `acoustic-sense simulate` under supervision: its processes, memory, time, and its death.

Looks at Linux's `/proc`.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        status: Exit status; negative for the signal that ended it.
        wall_s: Seconds it took.
        first_file_s: Seconds until its first new file, or until its end if it made none.
        cpu_s: CPU seconds of it and of the workers that it has waited for.
        peak_bytes: Highest resident memory of each of its processes, by process id.
        leader: Process id of the run itself; the others are its workers.
        shared_memory: Objects in shared memory that its processes held when it was killed.
        orphans: Processes of it that were still alive ten seconds after its end.
    """

    status: int
    wall_s: float
    first_file_s: float
    cpu_s: float
    peak_bytes: dict[int, int]
    leader: int
    shared_memory: tuple[str, ...] = ()
    orphans: tuple[int, ...] = ()

    @property
    def worker_peak_bytes(self) -> int:
        """Highest memory of a process that renders: a worker, or the run itself if it has none."""
        workers = [size for process, size in self.peak_bytes.items() if process != self.leader]
        return max(workers or self.peak_bytes.values())


@dataclass
class Run:
    """A run in a process group of its own, with a temporary folder of its own.

    Attributes:
        config: Configuration of the dataset.
        out: Folder of the dataset.
        temporary: What the run takes for the system's temporary folder.
        options: Further options of the command.
    """

    config: Path
    out: Path
    temporary: Path
    options: tuple[str, ...] = ()
    _peaks: dict[int, int] = field(default_factory=dict)
    _first_file: list[float] = field(default_factory=list)

    def finish(self) -> Outcome:
        """Let it run to its end."""
        return self._run(None, group=False, at_work=False)

    def kill_after(self, delay_s: float, *, group: bool, at_work: bool) -> Outcome:
        """Kill it by SIGKILL unless it ends before.

        Args:
            delay_s: When to kill it.
            group: Whether to kill all its processes, or the run itself alone.
            at_work: Whether the delay counts from its first new file, else from its start.
        """
        return self._run(delay_s, group=group, at_work=at_work)

    def _run(self, delay_s: float | None, *, group: bool, at_work: bool) -> Outcome:
        self.temporary.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "acoustic_sense.cli", "simulate", str(self.config)]
        there = self._takes()
        started = time.monotonic()
        process = subprocess.Popen(
            [*command, "--out", str(self.out), *self.options],
            env=os.environ | {"TMPDIR": str(self.temporary)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if delay_s is not None else None,
            start_new_session=True,
        )
        ended = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(process.pid, ended, there))
        watcher.start()
        held: tuple[str, ...] = ()
        if at_work:
            _wait_while(lambda: _runs(process.pid) and self._takes() <= there)
        if delay_s is not None:
            end = time.monotonic() + delay_s
            _wait_while(lambda: _runs(process.pid) and time.monotonic() < end)
        if delay_s is not None and _runs(process.pid):
            held = shared_memory(process.pid)
            (os.killpg if group else os.kill)(process.pid, signal.SIGKILL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall_s = time.monotonic() - started
        ended.set()
        watcher.join()
        orphans = _still_alive([each for each in self._peaks if each != process.pid])
        return Outcome(
            status=process.returncode,
            wall_s=wall_s,
            first_file_s=min([wall_s, *(moment - started for moment in self._first_file)]),
            cpu_s=usage.ru_utime + usage.ru_stime,
            peak_bytes=dict(self._peaks),
            leader=process.pid,
            shared_memory=held,
            orphans=orphans,
        )

    def _takes(self) -> set[str]:
        """Return the names of what lies among the takes, half-written ones included."""
        return {path.name for path in self.out.glob("takes/*")}

    def _watch(self, leader: int, ended: threading.Event, there: set[str]) -> None:
        """Note memory of the run's processes, and when it begins to write, until it has ended."""
        while not ended.wait(0.1):
            if not self._first_file and not self._takes() <= there:
                self._first_file.append(time.monotonic())
            for process in [leader, *descendants(leader)]:
                peak = peak_memory(process)
                if peak:
                    self._peaks[process] = max(self._peaks.get(process, 0), peak)


def descendants(process: int) -> list[int]:
    """Return the ids of a process's children, theirs, and so on."""
    found = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = [int(child) for child in task.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *descendants(child)]
    return found


def peak_memory(process: int) -> int:
    """Return the highest resident memory of a process so far in bytes, 0 if it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


def shared_memory(leader: int) -> tuple[str, ...]:
    """Return the objects in shared memory that a run's processes have mapped."""
    found = set()
    for process in [leader, *descendants(leader)]:
        try:
            lines = Path(f"/proc/{process}/maps").read_text().splitlines()
        except OSError:
            continue
        found |= {line.split()[-1] for line in lines if "/dev/shm/" in line}
    return tuple(sorted(found))


def _wait_while(condition: Callable[[], bool]) -> None:
    while condition():
        time.sleep(0.002)


def _runs(process: int) -> bool:
    return _state(process) not in ("Z", "")


def _still_alive(processes: list[int]) -> tuple[int, ...]:
    """Return which processes are alive after ten seconds at most."""
    end = time.monotonic() + 10.0
    while True:
        alive = tuple(each for each in processes if _runs(each))
        if not alive or time.monotonic() > end:
            return alive
        time.sleep(0.01)


def _state(process: int) -> str:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return ""
