"""Training runs of a comparison, shared by the cells that differ only in what is tested."""

import json
from pathlib import Path

from acoustic_sense.benchmarking.results import RUNS, CellInputs
from acoustic_sense.inference.model_files import MODEL_NAME
from acoustic_sense.training.checkpoints import HISTORY_NAME
from acoustic_sense.training.history import read_history
from acoustic_sense.training.run import METRICS_NAME, RunResult


def run_folder(out: Path, inputs: CellInputs) -> Path:
    """Return the folder of a cell's training run.

    Args:
        out: Folder of the results.
        inputs: What decides the cell's figures.
    """
    name = f"seed-{inputs.seed}-{inputs.training_hash}"
    return out / RUNS / inputs.playback / inputs.method / name


def is_finished(folder: Path) -> bool:
    """Return whether a run is whole; its metrics are what a training writes last."""
    return (folder / METRICS_NAME).is_file() and (folder / MODEL_NAME).is_file()


def read_run(folder: Path) -> RunResult:
    """Return what a finished run left."""
    metrics = json.loads((folder / METRICS_NAME).read_text(encoding="utf-8"))
    return RunResult(folder, folder / MODEL_NAME, read_history(folder / HISTORY_NAME), metrics)
