"""What a run folder holds, read for its page."""

import csv
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acoustic_sense.errors import DatasetError

HISTORY_NAME = "history.csv"
METRICS_NAME = "metrics.json"
CONFIG_NAME = "config.toml"
EVALUATION_PATTERN = "evaluation*.json"


@dataclass(frozen=True)
class RunFiles:
    """A training run as it lies on disk.

    Attributes:
        folder: The run folder.
        history: Numbers by column, one for each epoch that has one; with the epochs they stand at.
        config: What the run was asked to do.
        metrics: What it measured of itself; empty while it is still training.
        evaluations: Evaluations of its model by file name, sorted.
    """

    folder: Path
    history: dict[str, list[tuple[float, float]]]
    config: dict[str, Any]
    metrics: dict[str, Any]
    evaluations: dict[str, dict[str, Any]]


def read_run(folder: Path) -> RunFiles:
    """Read a run folder.

    Raises:
        DatasetError: The folder holds no run, or a file in it cannot be read.
    """
    if not (folder / HISTORY_NAME).is_file():
        what = "is not a folder" if not folder.is_dir() else f"holds no {HISTORY_NAME}"
        raise DatasetError(f"{folder}: {what}; give the folder that a training run wrote")
    evaluations = sorted(folder.glob(EVALUATION_PATTERN))
    return RunFiles(
        folder=folder,
        history=_read_history(folder / HISTORY_NAME),
        config=_read_config(folder / CONFIG_NAME),
        metrics=_read_json(folder / METRICS_NAME),
        evaluations={path.name: _read_evaluation(path) for path in evaluations},
    )


def _read_history(path: Path) -> dict[str, list[tuple[float, float]]]:
    columns: dict[str, list[tuple[float, float]]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for number, row in enumerate(csv.DictReader(file), start=1):
                epoch = float(row.pop("epoch", number))
                for name, value in row.items():
                    if value:
                        columns.setdefault(name, []).append((epoch, float(value)))
    except (OSError, ValueError, csv.Error, TypeError) as error:
        raise DatasetError(f"{path}: not the table of a training run: {error}") from None
    return columns


def _read_config(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DatasetError(f"{path}: not valid TOML: {error}") from None


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DatasetError(f"{path}: not valid JSON: {error}") from None
    if not isinstance(data, dict):
        raise DatasetError(f"{path}: holds no table; write it again with acoustic-sense")
    return data


def _read_evaluation(path: Path) -> dict[str, Any]:
    data = _read_json(path)
    groups = [*(data.get("per_activity") or {}).values(), *(data.get("per_take") or {}).values()]
    tables = [data.get("scores"), *(group.get("scores") for group in groups)]
    if not all(isinstance(scores, dict) and scores for scores in tables):
        raise DatasetError(f"{path}: not an evaluation; write it with acoustic-sense evaluate")
    return data
