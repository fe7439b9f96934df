"""What is done about bad files: refused, left out, or kept so that they can be listed."""

from dataclasses import dataclass
from typing import Literal

Bad = Literal["refuse", "skip", "list"]
"""`refuse`: a bad entry is an error where it is met. `skip`: every file is read, and bad entries
are left out and counted. `list`: a bad table row is no error, since validation will list it."""


@dataclass(frozen=True)
class Skipped:
    """The bad entries that were left out of a dataset.

    Attributes:
        unit: What an entry is: `window` or `take`.
        total: Entries that there were before.
        messages: One line for each that was left out, in the order of the table.
    """

    unit: str
    total: int
    messages: tuple[str, ...]

    def __len__(self) -> int:
        """Return how many were left out."""
        return len(self.messages)

    def __str__(self) -> str:
        """Return one line with the count and what is wrong with the first."""
        verb = "is" if len(self) == 1 else "are"
        units = self.unit if self.total == 1 else f"{self.unit}s"
        return (
            f"{len(self)} of {self.total} {units} {verb} bad and left out; "
            f"the first: {self.messages[0]}"
        )
