"""The best, the median and the worst test clip of a cell, where its run and dataset are at hand."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float

from acoustic_sense.benchmarking.plan import dataset_digest, model_digest
from acoustic_sense.benchmarking.results import CellResult
from acoustic_sense.benchmarking.runs import is_finished, run_folder
from acoustic_sense.constants import FRAME_RATE_HZ, JOINT_NAMES
from acoustic_sense.datasets import Dataset, open_dataset
from acoustic_sense.errors import AcousticSenseError, DatasetError
from acoustic_sense.inference.clips import clip_starts
from acoustic_sense.inference.loading import find_model, load_pipeline
from acoustic_sense.inference.model import Pipeline
from acoustic_sense.reporting import Report
from acoustic_sense.training.evaluation import TakeResult, predict_takes
from acoustic_sense.types import Playback, PoseTrack, Recording, Take

AROUND_FRAMES: Final = 12
"""Frames that are shown before and after a clip."""
_POSE_DIM: Final = 3 * len(JOINT_NAMES)


def clip_reports(
    folder: Path, result: CellResult, data: Mapping[str, Path]
) -> dict[str, tuple[str, Report]]:
    """Return what to show of a cell's best, median and worst clip, by RMSE.

    Args:
        folder: Folder of the results, with the training run; a model that was scored as it is has
            none, and is found by its name if it ships with the program.
        result: The cell.
        data: Folders of datasets by playback, before the one that the run was trained on.

    Returns:
        `best`, `median` and `worst`: a line about the clip, and the stretch of the take around it.

    Raises:
        DatasetError: The run, the model or the dataset is not at hand, or is another than the
            cell's; the task is not poses.
    """
    run = run_folder(folder, result.config)
    model = _find_model(run, result)
    dataset = _find_dataset(run, result, data)
    try:
        pipeline: Pipeline = load_pipeline(model)
        takes = predict_takes(pipeline, dataset, list(result.takes))
    except AcousticSenseError as error:
        raise DatasetError(str(error)) from None
    if pipeline.model.task.target_dim != _POSE_DIM:
        raise DatasetError("its task is not poses")
    clip_frames = pipeline.description.clip_frames
    ranked = sorted(
        (error, name, start)
        for name, take in takes.items()
        for start, error in clip_errors(take, clip_frames).items()
    )
    found = {"best": ranked[0], "median": ranked[(len(ranked) - 1) // 2], "worst": ranked[-1]}
    return {
        which: (
            f"take {name}, {start / FRAME_RATE_HZ:.1f} s, RMSE {error:.3f}",
            _report(dataset.read_take(name), takes[name], start, clip_frames),
        )
        for which, (error, name, start) in found.items()
    }


def _find_model(run: Path, result: CellResult) -> Path:
    """Return the run of a cell, or the file of the model that it scored as it is."""
    name = result.config.model
    if not name:
        if not is_finished(run):
            raise DatasetError("its training run is not in the folder")
        return run
    try:
        path = find_model(name)
    except AcousticSenseError:
        raise DatasetError(
            f"its model '{name}' is not at hand: cells keep the name of a model and not its place"
        ) from None
    if model_digest(path) != result.config.first_model:
        raise DatasetError(f"the model '{name}' is not the one that was scored")
    return path


def clip_errors(take: TakeResult, clip_frames: int) -> dict[int, float]:
    """Return the RMSE of the model in each clip of a take, by the clip's first frame."""
    squares = np.square(take.predictions["model"].astype(np.float64) - take.target)
    return {
        start: float(np.sqrt(squares[start : start + clip_frames].mean()))
        for start in clip_starts(len(squares), clip_frames)
    }


def _find_dataset(run: Path, result: CellResult, data: Mapping[str, Path]) -> Dataset:
    """Return the dataset that a cell was tested on."""
    inputs = result.config
    playback = inputs.test_playback or inputs.playback
    path = data.get(playback)
    if path is None and not inputs.test_playback and not inputs.model:
        settings = tomllib.loads((run / "config.toml").read_text(encoding="utf-8"))
        path = Path(settings["data"]["path"])
    if path is None or not path.is_dir():
        raise DatasetError(f"its dataset is not at hand; name it with --data {playback}=DIR")
    try:
        dataset = open_dataset(path)
    except AcousticSenseError as error:
        raise DatasetError(str(error)) from None
    if dataset_digest(dataset) != (inputs.test_dataset or inputs.dataset):
        raise DatasetError(f"the dataset '{path.name}' is not the one that it was tested on")
    if dataset.stored_feature is not None:
        raise DatasetError("its dataset holds features and no sound")
    return dataset


def _report(take: Take, found: TakeResult, start: int, clip_frames: int) -> Report:
    """Return a clip with some frames around it as a report of a take of its own."""
    first = max(0, start - AROUND_FRAMES)
    last = min(len(found.target), start + clip_frames + AROUND_FRAMES)
    marked = ((start - first) / FRAME_RATE_HZ, (start + clip_frames - first) / FRAME_RATE_HZ)
    return Report(
        take=cut_take(take, first, last),
        prediction=_poses(found.predictions["model"][first:last]),
        target=_poses(found.target[first:last]),
        mean_pose=_poses(found.predictions["mean_pose"][first:last]),
        marked_s=marked,
    )


def cut_take(take: Take, first: int, last: int) -> Take:
    """Return a stretch of a take, from one feature frame to before another, without its scene."""
    rate = take.recording.sample_rate_hz
    samples = slice(first * rate // FRAME_RATE_HZ, last * rate // FRAME_RATE_HZ)
    track = take.pose
    poses = slice(*(round(frame * track.rate_hz / FRAME_RATE_HZ) for frame in (first, last)))
    seconds = (last - first) / FRAME_RATE_HZ
    return Take(
        replace(take.info, seconds=seconds, start_s=take.info.start_s + first / FRAME_RATE_HZ),
        Recording(take.recording.samples[:, samples], rate),
        Playback(take.playback.samples[:, samples], rate),
        PoseTrack(
            track.joints[poses],
            track.rate_hz,
            activity=None if track.activity is None else track.activity[poses],
        ),
    )


def _poses(flat: Float[np.ndarray, "frame 63"]) -> Float[np.ndarray, "frame 21 3"]:
    return flat.reshape(len(flat), -1, 3)
