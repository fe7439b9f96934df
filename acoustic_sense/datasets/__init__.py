"""Datasets: takes on disk, the AMPL layout, protocols, and what is wrong with a folder.

`open_dataset` looks at a folder and returns a `Dataset`; `DatasetWriter` makes one.
"""

from acoustic_sense.datasets.dataset import Dataset
from acoustic_sense.datasets.opening import open_dataset
from acoustic_sense.datasets.protocols import (
    Protocol,
    Selection,
    Split,
    find_protocol,
    load_protocol,
)
from acoustic_sense.datasets.summary import DatasetSummary, summarise
from acoustic_sense.datasets.take_files import read_take, write_take
from acoustic_sense.datasets.validation import Problem, validate
from acoustic_sense.datasets.writer import DatasetWriter

__all__ = [
    "Dataset",
    "DatasetSummary",
    "DatasetWriter",
    "Problem",
    "Protocol",
    "Selection",
    "Split",
    "find_protocol",
    "load_protocol",
    "open_dataset",
    "read_take",
    "summarise",
    "validate",
    "write_take",
]
