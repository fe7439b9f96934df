"""Opening a dataset for a command, with a note on what is left out of it."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from acoustic_sense.datasets import Dataset


def open_and_tell(path: Path, *, skip_bad: bool) -> "Dataset":
    """Open a dataset; where bad takes or windows are left out, say how many and the first.

    Raises:
        DatasetError: The folder is no dataset, or nothing of it can be used.
    """
    from acoustic_sense.datasets import open_dataset

    dataset = open_dataset(path, bad="skip" if skip_bad else "refuse")
    tell_skipped(dataset)
    return dataset


def tell_skipped(dataset: "Dataset") -> None:
    """Print one line on standard error if something was left out of a dataset."""
    from acoustic_sense.cli.terminal import note

    if dataset.skipped:
        note(str(dataset.skipped))
