"""All that `acoustic-sense benchmark report` writes: tables, plots and a page."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from acoustic_sense.benchmarking.blocks import read_blocks
from acoustic_sense.benchmarking.plots import can_plot, write_plots
from acoustic_sense.benchmarking.report_page import OnClips, write_benchmark_page
from acoustic_sense.benchmarking.tables import write_tables


@dataclass(frozen=True)
class Written:
    """The files of a report.

    Attributes:
        tables: `results.md`.
        plots: PNG files; None where matplotlib is not installed.
        page: `report.html`.
    """

    tables: Path
    plots: tuple[Path, ...] | None
    page: Path


def write_benchmark_report(
    folder: Path, data: Mapping[str, Path] | None = None, on_clips: OnClips | None = None
) -> Written:
    """Write tables, plots and page of the results in a folder.

    Args:
        folder: Folder of the results.
        data: Folders of datasets by playback, for clips; before those that runs were trained on.
        on_clips: Called before the clips of a cell are predicted.

    Raises:
        DatasetError: No benchmark has been run in the folder, or a file is not a result.
    """
    _, blocks = read_blocks(folder)
    plots = tuple(write_plots(folder, blocks)) if can_plot() else None
    return Written(write_tables(folder), plots, write_benchmark_page(folder, data, on_clips))
