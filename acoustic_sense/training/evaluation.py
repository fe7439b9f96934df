"""Evaluation: errors of a model on takes, always beside the mean pose of its training set."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field

from acoustic_sense.config import Config
from acoustic_sense.constants import FRAME_RATE_HZ
from acoustic_sense.datasets import Dataset, Protocol, find_protocol, open_dataset
from acoustic_sense.datasets.protocols import ProtocolChoice
from acoustic_sense.errors import DatasetError
from acoustic_sense.inference.clips import Statistics, predict_frames
from acoustic_sense.inference.description import is_by_track
from acoustic_sense.inference.loading import find_model, load_pipeline
from acoustic_sense.inference.model import Pipeline
from acoustic_sense.inference.predictor import Predictor
from acoustic_sense.training.clip_set import ClipSet
from acoustic_sense.training.feature_store import FeatureStore
from acoustic_sense.training.nearest import NearestNeighbour
from acoustic_sense.training.targets import frame_targets
from acoustic_sense.types import TakeInfo

Scores = dict[str, dict[str, float]]
"""Method (`model`, `mean_pose`, `nearest_neighbour`), then metric, to value."""

ALL_TAKES = "all"
"""Name that stands for every take of the dataset."""


class Group(Config):
    """Scores of a part of the frames."""

    frames: int = Field(description="Number of 50 ms frames.")
    scores: Scores = Field(description="Metrics by method.")


class Evaluation(Config):
    """Errors of a model, beside those of the mean pose of its training set."""

    model: str = Field(description="Name of the model.")
    dataset: str = Field(description="Name of the dataset's folder.")
    protocol: str = Field(description="Name of the protocol, or what chose the takes.")
    takes: tuple[str, ...] = Field(description="Takes that were evaluated.")
    frames: int = Field(description="Number of 50 ms frames.")
    seconds: float = Field(description="Length of the evaluated takes.")
    left_out: int = Field(
        default=0, description="Bad takes or windows that were left out of the whole dataset."
    )
    seen_subjects: tuple[str, ...] = Field(
        description="Evaluated subjects whose names are also in training; a fair comparison of "
        "methods has none."
    )
    scores: Scores = Field(description="Metrics by method over all frames.")
    relative_rmse: float | None = Field(
        description="RMSE of the model over that of the mean pose; below 1 is better than it."
    )
    per_activity: dict[str, Group] = Field(description="The same for each labelled activity.")
    per_take: dict[str, Group] = Field(description="The same for each take.")

    def save(self, path: Path) -> None:
        """Write the evaluation as JSON."""
        path.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8", newline="\n")


@dataclass(frozen=True, eq=False)
class TakeResult:
    """What an evaluation compares in one take.

    Attributes:
        predictions: By method, shape `(frame, target)` each.
        target: The truth, shape `(frame, target)`.
        activity: Name of the activity at each frame; empty where unlabelled.
    """

    predictions: dict[str, np.ndarray]
    target: np.ndarray
    activity: np.ndarray


def evaluate(
    model: str | Path | Pipeline | Predictor,
    dataset: str | Path | Dataset,
    protocol: str | ProtocolChoice | Protocol | None = None,
    *,
    takes: Sequence[str] | None = None,
    nearest_neighbour: bool = False,
    training_data: str | Path | Dataset | None = None,
) -> Evaluation:
    """Measure a model on takes of a dataset.

    Args:
        model: Run folder, model file, name of a shipped model, or a loaded one.
        dataset: The dataset or its folder.
        protocol: Whose test takes to evaluate on; `all` for every take. None, or the name of the
            protocol that the model was trained under, is that very protocol; another named one
            holds out the subjects that the model's did, where the dataset has them.
        takes: Ids of the takes to evaluate on, instead of a protocol.
        nearest_neighbour: Also score the nearest training clip in feature space.
        training_data: Where the training takes are, for the nearest neighbour; `dataset` if None.

    Returns:
        The errors, beside those of the mean pose of the training set.

    Raises:
        ModelError: The model cannot be loaded.
        DatasetError: The data are not sound or nothing is selected.
        ConfigError: There is no such protocol.
    """
    pipeline, name = _open_model(model)
    data = dataset if isinstance(dataset, Dataset) else open_dataset(dataset)
    chosen, protocol_name = _choose(pipeline, data, protocol, takes)
    clips = _test_clips(pipeline, data, chosen)
    neighbour = None
    if nearest_neighbour:
        source = training_data if training_data is not None else data
        source = source if isinstance(source, Dataset) else open_dataset(source)
        training = _training_clips(pipeline, source)
        neighbour = NearestNeighbour(pipeline, training, take_statistics(pipeline, training))
    results = _predict(pipeline, data, clips, neighbour)
    scores = _scores(pipeline, list(results.values()), detailed=True)
    mean_rmse = scores["mean_pose"].get("rmse")
    known = set(pipeline.description.training.get("subjects", ()))
    return Evaluation(
        model=name,
        dataset=data.path.resolve().name,
        protocol=protocol_name,
        takes=tuple(results),
        frames=sum(len(result.target) for result in results.values()),
        seconds=sum(len(result.target) for result in results.values()) / FRAME_RATE_HZ,
        left_out=len(data.skipped) if data.skipped else 0,
        seen_subjects=tuple(sorted({info.subject for info in chosen} & known)),
        scores=scores,
        relative_rmse=scores["model"]["rmse"] / mean_rmse if mean_rmse else None,
        per_activity=_by_activity(pipeline, list(results.values())),
        per_take={
            take_id: Group(frames=len(result.target), scores=_scores(pipeline, [result]))
            for take_id, result in results.items()
        },
    )


def predict_takes(
    pipeline: Pipeline, dataset: Dataset, takes: Sequence[str]
) -> dict[str, TakeResult]:
    """Return what a model and its mean pose say of takes, beside the truth.

    Args:
        pipeline: The model.
        dataset: The dataset.
        takes: Ids of takes; those shorter than a clip are left out.

    Raises:
        DatasetError: The data are not sound, or a take is not there.
    """
    chosen = [dataset.info(take_id) for take_id in takes]
    return _predict(pipeline, dataset, _test_clips(pipeline, dataset, chosen), None)


def _test_clips(pipeline: Pipeline, dataset: Dataset, takes: Sequence[TakeInfo]) -> ClipSet:
    return ClipSet(
        _open_store(pipeline, dataset),
        takes,
        context_frames=pipeline.model.encoder.context_frames,
        pose_frame=pipeline.description.pose_frame,
    )


def _open_model(model: str | Path | Pipeline | Predictor) -> tuple[Pipeline, str]:
    if isinstance(model, Predictor):
        return model.pipeline, model.description.encoder.name
    if isinstance(model, Pipeline):
        return model, model.description.encoder.name
    path = find_model(model)
    name = path.parent.resolve().name if Path(model).is_dir() else path.stem
    return load_pipeline(model), name


def _open_store(pipeline: Pipeline, dataset: Dataset) -> FeatureStore:
    feature = pipeline.description.feature
    if dataset.sample_rate_hz != pipeline.description.sample_rate_hz:
        raise DatasetError(
            f"{dataset.path}: {dataset.sample_rate_hz} Hz, but the model reads "
            f"{pipeline.description.sample_rate_hz} Hz; resample the dataset"
        )
    return FeatureStore(dataset, feature.name, feature.config)


def _choose(
    pipeline: Pipeline,
    dataset: Dataset,
    protocol: str | ProtocolChoice | Protocol | None,
    takes: Sequence[str] | None,
) -> tuple[tuple[TakeInfo, ...], str]:
    """Return the takes to evaluate on and what to call the choice."""
    if takes is not None:
        if not takes:
            raise DatasetError(f"{dataset.path}: no takes were named to evaluate on")
        return tuple(dataset.info(take_id) for take_id in dict.fromkeys(takes)), "chosen takes"
    if protocol == ALL_TAKES:
        return dataset.takes, ALL_TAKES
    if not isinstance(protocol, Protocol):
        protocol = _resolve(pipeline, dataset, protocol)
    return protocol.select_test(dataset.takes), protocol.name


def _resolve(pipeline: Pipeline, dataset: Dataset, choice: str | ProtocolChoice | None) -> Protocol:
    """Return a protocol by name, with the subjects that the model's training held out."""
    data = pipeline.description.training.get("protocol")
    trained = Protocol.model_validate(data) if data else None
    if trained is not None and (choice is None or choice == trained.name):
        return trained
    if choice is None:
        raise DatasetError("the model does not say how it was trained; name a protocol")
    if isinstance(choice, str):
        held_out = set(trained.test.subjects if trained else ())
        held_out &= {info.subject for info in dataset.takes}
        choice = ProtocolChoice(name=choice, test_subjects=tuple(sorted(held_out)))
    return find_protocol(choice, dataset.takes)


def _training_clips(pipeline: Pipeline, dataset: Dataset) -> ClipSet:
    names = pipeline.description.training.get("takes", ())
    known = {info.id for info in dataset.takes}
    found = [dataset.info(name) for name in names if name in known]
    if not found:
        raise DatasetError(
            f"{dataset.path}: holds none of the {len(names)} takes that the model was trained on, "
            "which the nearest neighbour needs; name the training data"
        )
    share = pipeline.description.training.get("config", {}).get("data", {}).get("train_share", 1.0)
    frame = pipeline.description.pose_frame
    return ClipSet(
        _open_store(pipeline, dataset), found, pose_frame=frame, label_share=float(share)
    )


def take_statistics(pipeline: Pipeline, clips: ClipSet) -> list[Statistics]:
    """Return the mean and deviation that each take's channels are normalised by.

    Those of the training set, or for a model normalised by track those of each take's own track
    among `clips`; no pose is read.
    """
    description = pipeline.description
    if is_by_track(description.normalisation):
        return clips.measure(description.normalisation, description.channel_names)
    model = pipeline.model
    stored = (model.feature_mean.cpu().numpy(), model.feature_deviation.cpu().numpy())
    return [stored] * len(clips.takes)


def _predict(
    pipeline: Pipeline, dataset: Dataset, clips: ClipSet, neighbour: NearestNeighbour | None
) -> dict[str, TakeResult]:
    """Return what each method predicts for each take; takes shorter than a clip are left out."""
    results = {}
    mean = pipeline.model.mean_target.cpu().numpy()
    statistics = take_statistics(pipeline, clips)
    for number, info in enumerate(clips.takes):
        frames = clips.frames[number]
        if frames.shape[1] < clips.clip_frames:
            continue
        target = frame_targets(pipeline, clips.joints[number])
        predictions = {
            "model": predict_frames(pipeline, frames, statistics[number]),
            "mean_pose": np.broadcast_to(mean, target.shape),
        }
        if neighbour is not None:
            predictions["nearest_neighbour"] = neighbour.predict(frames, statistics[number])
        results[info.id] = TakeResult(predictions, target, dataset.activity(info.id))
    return results


def _scores(
    pipeline: Pipeline,
    results: list[TakeResult],
    activity: str | None = None,
    *,
    detailed: bool = False,
) -> Scores:
    """Return the task's metrics of each method over the frames of takes, or of one activity."""
    task = pipeline.model.task
    chosen = [
        np.ones(len(r.target), dtype=bool) if activity is None else r.activity == activity
        for r in results
    ]
    target = np.concatenate([r.target[rows] for r, rows in zip(results, chosen, strict=True)])
    scores = {}
    for method in results[0].predictions:
        prediction = np.concatenate(
            [r.predictions[method][rows] for r, rows in zip(results, chosen, strict=True)]
        )
        pair = torch.from_numpy(prediction)[:, None], torch.from_numpy(target)[:, None]
        metrics: dict[str, Any] = task.metrics(*pair)
        if detailed:
            metrics |= task.detailed_metrics(*pair)
        scores[method] = {name: float(value) for name, value in metrics.items()}
    return scores


def _by_activity(pipeline: Pipeline, results: list[TakeResult]) -> dict[str, Group]:
    names = sorted({str(name) for result in results for name in result.activity} - {""})
    return {
        name: Group(
            frames=sum(int((result.activity == name).sum()) for result in results),
            scores=_scores(pipeline, results, name),
        )
        for name in names
    }
