"""Running one cell: train, evaluate, measure, and put it all into one result."""

import json
import time
from pathlib import Path
from typing import Any

from acoustic_sense.benchmarking.config import MEAN_POSE, NEAREST_NEIGHBOUR, REFERENCES
from acoustic_sense.benchmarking.latency import measure_latency
from acoustic_sense.benchmarking.plan import Cell
from acoustic_sense.benchmarking.provenance import provenance
from acoustic_sense.benchmarking.references import evaluate_reference
from acoustic_sense.benchmarking.results import CellResult, write_json
from acoustic_sense.benchmarking.runs import is_finished, read_run
from acoustic_sense.inference.loading import load_pipeline
from acoustic_sense.inference.model import Pipeline
from acoustic_sense.training.evaluation import Evaluation, Group, Scores, evaluate
from acoustic_sense.training.progress import OnProgress
from acoustic_sense.training.run import train

_SCORED_AS = {MEAN_POSE: "mean_pose", NEAREST_NEIGHBOUR: "nearest_neighbour"}


def run_cell(cell: Cell, out: Path, on_progress: OnProgress | None = None) -> CellResult:
    """Run a cell, or go on with it where its training was interrupted, and write its result.

    A training that another cell has done already is not done again.

    Args:
        cell: The cell.
        out: Folder of the results.
        on_progress: Called after each take that is opened and each batch.

    Raises:
        DatasetError: The data are not sound.
        ModelError: Training diverged, or its checkpoint cannot be read.
    """
    if cell.inputs.method in REFERENCES:
        result = _run_reference(cell)
    elif cell.model is not None:
        result = _run_model(cell, cell.model)
    else:
        result = _run_training(cell, out, on_progress)
    write_json(cell.result_path(out), result.model_dump(mode="json"))
    return result


def _run_reference(cell: Cell) -> CellResult:
    began, started = provenance(), time.perf_counter()
    evaluation = evaluate_reference(cell.inputs.method, cell.train, cell.dataset, cell.test_dataset)
    return CellResult(
        **_scored(cell, evaluation),
        parameters=0,
        epochs=0,
        cut_short=False,
        train_seconds=0.0,
        evaluation_seconds=round(time.perf_counter() - started, 3),
        inference_ms=None,
        learning_curve=(),
        provenance=began,
    )


def _run_model(cell: Cell, model: Path) -> CellResult:
    began, started = provenance(), time.perf_counter()
    pipeline = load_pipeline(model)
    evaluation = evaluate(pipeline, cell.test_dataset, cell.inputs.split)
    seconds = round(time.perf_counter() - started, 3)
    return CellResult(
        **_scored(cell, evaluation),
        parameters=sum(each.numel() for each in pipeline.model.parameters()),
        epochs=0,
        cut_short=False,
        train_seconds=0.0,
        evaluation_seconds=seconds,
        inference_ms=_latency(pipeline, cell, evaluation),
        learning_curve=(),
        provenance=began,
    )


def _run_training(cell: Cell, out: Path, on_progress: OnProgress | None) -> CellResult:
    folder = cell.run_folder(out)
    began = _begun(folder)
    if is_finished(folder):
        run = read_run(folder)
    else:
        run = train(cell.train, folder, resume=True, on_progress=on_progress)
    started = time.perf_counter()
    pipeline = load_pipeline(folder)
    evaluation = evaluate(pipeline, cell.test_dataset, cell.inputs.split)
    seconds = round(time.perf_counter() - started, 3)
    now = provenance()
    return CellResult(
        **_scored(cell, evaluation),
        parameters=run.metrics["parameters"],
        epochs=run.metrics["epochs"],
        cut_short=run.metrics["epochs"] < cell.train.training.epochs,
        train_seconds=run.metrics["train_seconds"],
        evaluation_seconds=seconds,
        inference_ms=_latency(pipeline, cell, evaluation),
        learning_curve=tuple(run.history),
        provenance=began,
        finished=now if now != began else {},
    )


def _latency(pipeline: Pipeline, cell: Cell, evaluation: Evaluation) -> dict[str, float]:
    """Return the time of a clip of the longest test take."""
    longest = max(evaluation.per_take, key=lambda name: evaluation.per_take[name].frames)
    return measure_latency(pipeline, cell.test_dataset, longest)


def _begun(folder: Path) -> dict[str, Any]:
    """Return what the run began with, and remember it for the time after an interruption."""
    note = folder.with_name(f"{folder.name}.json")
    if folder.exists() and note.is_file():
        found: dict[str, Any] = json.loads(note.read_text(encoding="utf-8"))
        return found
    now = provenance()
    write_json(note, now)
    return now


def _scored(cell: Cell, evaluation: Evaluation) -> dict[str, Any]:
    """Return the fields of a result that come from the evaluation and the cell itself."""
    method = cell.inputs.method
    takes = cell.inputs.split.split(cell.dataset.takes).train if cell.model is None else ()
    return {
        "config": cell.inputs,
        "config_hash": cell.hash,
        "scores": _of_method(evaluation.scores, method),
        "activities": _groups(evaluation.per_activity, method),
        "takes": _groups(evaluation.per_take, method),
        "frames": evaluation.frames,
        "train_takes": tuple(info.id for info in takes),
    }


def _groups(groups: dict[str, Group], method: str) -> dict[str, Group]:
    return {
        name: Group(frames=group.frames, scores=_of_method(group.scores, method))
        for name, group in groups.items()
    }


def _of_method(scores: Scores, method: str) -> Scores:
    """Return the method's scores beside those of the mean pose."""
    return {
        "method": scores[_SCORED_AS.get(method, "model")],
        "mean_pose": scores["mean_pose"],
    }
