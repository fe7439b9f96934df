"""How far a training run has come, and a progress bar that shows it."""

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

Stage = Literal["features", "training"]


@dataclass(frozen=True)
class TrainProgress:
    """How far a training run has come.

    Attributes:
        stage: `features` (opening takes, computing what is not cached) or `training`.
        done: Takes or batches that are done.
        total: Takes or, as far as is known, batches that there are.
        epoch: Epoch that is being trained, from 1; 0 before training.
        epochs: Epochs that there are.
        loss: Mean loss of the epoch so far, or None.
    """

    stage: Stage
    done: int
    total: int
    epoch: int = 0
    epochs: int = 0
    loss: float | None = None


OnProgress = Callable[[TrainProgress], None]


class TrainProgressBar:
    """A rich progress bar; a context manager that is called with each `TrainProgress`."""

    def __init__(self, console: Console | None = None) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._tasks: dict[Stage, TaskID] = {}

    def __enter__(self) -> "TrainProgressBar":
        """Start drawing."""
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop drawing and take the bar away."""
        self._bar.stop()

    def __call__(self, progress: TrainProgress) -> None:
        """Show how far the run has come."""
        text = "Opening takes"
        if progress.stage == "training":
            loss = "" if progress.loss is None else f", loss {progress.loss:.4g}"
            text = f"Epoch {progress.epoch}/{progress.epochs}{loss}"
        if progress.stage not in self._tasks:
            self._tasks[progress.stage] = self._bar.add_task(text, total=progress.total)
        self._bar.update(
            self._tasks[progress.stage],
            description=text,
            completed=progress.done,
            total=progress.total,
        )
