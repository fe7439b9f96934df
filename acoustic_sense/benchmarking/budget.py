"""The time that a run of a comparison may take."""

import time
from dataclasses import dataclass

from acoustic_sense.training.progress import OnProgress, TrainProgress


class BudgetSpentError(Exception):
    """The time is spent; the training that was under way can be resumed."""


@dataclass(frozen=True)
class Budget:
    """A time that ends, or not.

    Attributes:
        ends_at: End by this process's monotonic clock; None for no end.
    """

    ends_at: float | None = None

    @classmethod
    def of_minutes(cls, minutes: float | None) -> "Budget":
        """Return a budget that begins now; without an end if None."""
        return cls(None if minutes is None else time.monotonic() + 60 * minutes)

    @classmethod
    def until(cls, unix_s: float | None) -> "Budget":
        """Return the budget of another process, from what its `unix_s` was."""
        return cls(None if unix_s is None else time.monotonic() + unix_s - time.time())

    @property
    def unix_s(self) -> float | None:
        """The end by the clock that processes and machines share; None for no end."""
        return None if self.ends_at is None else time.time() + self.ends_at - time.monotonic()

    @property
    def is_spent(self) -> bool:
        """Whether the time is over."""
        return self.ends_at is not None and time.monotonic() >= self.ends_at

    def watcher(self, on_progress: OnProgress | None = None) -> OnProgress:
        """Return a function that reports, and ends training when the time is spent.

        It raises BudgetSpentError.
        """

        def watch(progress: TrainProgress) -> None:
            if on_progress is not None:
                on_progress(progress)
            if self.is_spent:
                raise BudgetSpentError

        return watch
