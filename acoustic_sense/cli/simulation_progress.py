"""How far a simulation has come: a bar on a terminal, a line now and then in a log."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from acoustic_sense.cli.terminal import length_text

if TYPE_CHECKING:
    from rich.console import Console

    from acoustic_sense.contracts.simulator import GenerationProgress

LINE_EVERY_S: Final = 30.0
"""Seconds between two lines of a log, at least."""

Clock = Callable[[], float]
ProgressCallback = Callable[["GenerationProgress"], None]


@dataclass(frozen=True)
class Pace:
    """How fast a run goes, judged by what it has made itself.

    Attributes:
        rate: Seconds of audio per second, or None before the first take.
        left_s: Seconds until the dataset is complete, or None before the first take.
    """

    rate: float | None
    left_s: float | None

    def __str__(self) -> str:
        """Return rate and time left, or nothing while they are unknown."""
        if self.rate is None or self.left_s is None:
            return ""
        return f"{self.rate:.1f} s of audio per s, {length_text(self.left_s)} left"


class Pacer:
    """Measures the pace; takes of an earlier run, there before the first report, do not count."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        """Start the clock."""
        self._clock = clock
        self._started_s = clock()
        self._there_before_s: float | None = None

    def pace(self, progress: "GenerationProgress") -> Pace:
        """Return the pace at a report; the first report is that of the start."""
        if self._there_before_s is None:
            self._there_before_s = progress.seconds_done
        made_s = progress.seconds_done - self._there_before_s
        elapsed_s = self._clock() - self._started_s
        if made_s <= 0 or elapsed_s <= 0:
            return Pace(None, None)
        rate = made_s / elapsed_s
        return Pace(rate, (progress.seconds_total - progress.seconds_done) / rate)


def progress_lines(write: Callable[[str], None], clock: Clock = time.monotonic) -> ProgressCallback:
    """Return a function that writes how far a dataset has come, for logs.

    A line after the first take and after the last, and between them one after a take when the
    line before is at least `LINE_EVERY_S` old. Nothing before there is a take, so that an error
    in what was asked for stands alone.

    Args:
        write: Takes a line.
        clock: Seconds from any beginning.
    """
    pacer = Pacer(clock)
    written_s: float | None = None

    def show(progress: "GenerationProgress") -> None:
        nonlocal written_s
        pace = str(pacer.pace(progress))
        complete = progress.takes_done == progress.takes_total
        recent = written_s is not None and clock() - written_s < LINE_EVERY_S
        if progress.takes_done == 0 or (recent and not complete):
            return
        written_s = clock()
        write(f"simulating: {_amount(progress)}{', ' if pace else ''}{pace}")

    return show


@contextmanager
def progress_bar(console: "Console") -> Iterator[ProgressCallback]:
    """Yield a function that shows how far a dataset has come, its pace and the time left."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("Simulating"),
        BarColumn(),
        TextColumn("{task.fields[amount]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[pace]}"),
    )
    pacer = Pacer()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None, amount="", pace="")

        def show(progress: "GenerationProgress") -> None:
            bar.update(
                task,
                completed=progress.seconds_done,
                total=progress.seconds_total,
                amount=_amount(progress),
                pace=str(pacer.pace(progress)),
            )

        yield show


def _amount(progress: "GenerationProgress") -> str:
    takes = f"{progress.takes_done}/{progress.takes_total} takes"
    return f"{takes}, {progress.seconds_done:.0f}/{progress.seconds_total:.0f} s"
