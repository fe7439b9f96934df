"""What training needs before its first step: data opened, statistics measured, model built."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from acoustic_sense.config import config_hash
from acoustic_sense.constants import FRAME_RATE_HZ
from acoustic_sense.contracts import Objective
from acoustic_sense.datasets import Dataset, Protocol, Split, find_protocol, open_dataset
from acoustic_sense.errors import DatasetError
from acoustic_sense.inference.clips import Statistics, predict_frames
from acoustic_sense.inference.description import Normalisation, is_by_track
from acoustic_sense.inference.loading import find_model
from acoustic_sense.inference.model import Pipeline, build_pipeline, describe_model
from acoustic_sense.plugin_loading import load_plugins
from acoustic_sense.training.clip_set import ClipIndex, ClipSet
from acoustic_sense.training.config import AugmentationConfig, TrainConfig, started_from
from acoustic_sense.training.domain import fixed_statistics
from acoustic_sense.training.epochs import EpochClips
from acoustic_sense.training.feature_store import FeatureStore
from acoustic_sense.training.fine_tuning import FineTuning, check_start, model_name, start_from
from acoustic_sense.training.history import Row
from acoustic_sense.training.module import OpenEpoch, Watch
from acoustic_sense.training.progress import OnProgress, TrainProgress
from acoustic_sense.training.sampling import strictest
from acoustic_sense.training.targets import frame_targets, mean_target
from acoustic_sense.training.variations import ClipVariations
from acoustic_sense.types import TakeInfo

OnOpen = Callable[[Dataset], None]
"""Called with the dataset once it is open."""


@dataclass(frozen=True, eq=False)
class Preparation:
    """Everything that training needs.

    Attributes:
        pipeline: Feature and model, its head at the mean target.
        objectives: Auxiliary losses by name.
        fine_tuning: What stands still and what learns slower.
        open_epoch: From epoch, rank and number of processes to the epoch's batches.
        watch: Measures the model on the validation takes; None if there are none.
        clip_count: Training clips in an epoch.
        epochs: Epochs that are planned.
    """

    pipeline: Pipeline
    objectives: dict[str, Objective]
    fine_tuning: FineTuning
    open_epoch: OpenEpoch
    watch: Watch | None
    clip_count: int
    epochs: int

    def final_epoch(self) -> EpochClips:
        """Return batches that no epoch of training read, to measure batch-norm statistics on."""
        return self.open_epoch(self.epochs, 0, 1)


def prepare(
    config: TrainConfig,
    on_progress: OnProgress | None = None,
    on_open: OnOpen | None = None,
) -> Preparation:
    """Open the data and build the model.

    Raises:
        DatasetError: The data are not sound or the protocol selects nothing.
        ConfigError: A component's settings, or those of fine-tuning, are not valid.
        ModelError: The model to start from cannot be used.
        UnknownPluginError: A component is not registered.
    """
    start = check_start(config.training.fine_tuning)
    dataset = open_dataset(config.data.path, bad="skip" if config.data.skip_bad else "refuse")
    if on_open is not None:
        on_open(dataset)
    protocol = find_protocol(config.data.protocol, dataset.takes)
    split = protocol.split(dataset.takes)
    settings = config.training
    if settings.normalisation == "ampl":
        _check_published(dataset, (*split.train, *split.validation))
    generator = torch.Generator().manual_seed(settings.seed)
    description = describe_model(
        config.feature,
        config.encoder,
        config.task,
        normalisation=settings.normalisation,
        pose_frame=config.data.pose_frame,
    )
    pipeline = build_pipeline(description, generator)
    store = FeatureStore(dataset, config.feature.name, config.feature.config)
    opener = _Opener(store, pipeline, split, on_progress)
    varied = settings.augmentation.varies_clips
    opener.total += len(split.train) * varied
    clips = opener.clips(split.train, config.data.train_share)
    variations = opener.variations(settings.augmentation, clips) if varied else None
    watched = opener.clips(split.validation) if split.validation else None
    fixed = fixed_statistics(settings.fine_tuning, start, description, clips, store, split.test)
    if fixed is None:
        clips.normalise(clips.measure(settings.normalisation, description.channel_names))
    else:
        clips.normalise([fixed] * len(clips.takes))
    index = clips.grid(config.data.clip_hop_frames)
    _set_statistics(pipeline, clips, index, fixed)
    fine_tuning = FineTuning()
    if start is not None:
        fine_tuning = start_from(start, pipeline, settings.fine_tuning)
        description.training["initialised_from"] = model_name(start)
    objectives = _build_objectives(config, pipeline, len(clips.subjects), generator)
    pipeline.description.training.update(_describe_training(config, dataset, protocol, split))
    return Preparation(
        pipeline=pipeline,
        objectives=objectives,
        fine_tuning=fine_tuning,
        open_epoch=_epoch_opener(config, clips, variations, pipeline, objectives),
        watch=_watcher(pipeline, watched) if watched is not None else None,
        clip_count=len(index),
        epochs=settings.epochs,
    )


class _Opener:
    """Opens takes and reports how many there are in all."""

    def __init__(
        self, store: FeatureStore, pipeline: Pipeline, split: Split, on_progress: OnProgress | None
    ) -> None:
        self._store = store
        self._pipeline = pipeline
        self._on_progress = on_progress
        self._before = 0
        self.total = len(split.train) + len(split.validation)

    def clips(self, takes: Sequence[TakeInfo], label_share: float = 1.0) -> ClipSet:
        """Open takes as they are, the labels of a share of each."""
        opened = ClipSet(
            self._store,
            takes,
            context_frames=self._pipeline.model.encoder.context_frames,
            pose_frame=self._pipeline.description.pose_frame,
            label_share=label_share,
            on_take=self._report,
        )
        self._before += len(takes)
        return opened

    def variations(self, settings: AugmentationConfig, clips: ClipSet) -> ClipVariations:
        """Open the variations of takes that are open."""
        opened = ClipVariations(settings, clips, self._store, self._report)
        self._before += len(clips.takes)
        return opened

    def _report(self, done: int, count: int) -> None:
        if self._on_progress is not None:
            self._on_progress(TrainProgress("features", self._before + done, self.total))


def _check_published(dataset: Dataset, takes: Sequence[TakeInfo]) -> None:
    """Raise a DatasetError if a track has no published statistics."""
    for track in sorted({info.track for info in takes}):
        if dataset.published_statistics(track) is None:
            raise DatasetError(
                f"{dataset.path}: AMPL's publisher gives no statistics of the track '{track}'; "
                "set training.normalisation = 'track', or train on AMPL's own tracks"
            )


def _set_statistics(
    pipeline: Pipeline,
    clips: ClipSet,
    index: ClipIndex,
    fixed: Statistics | None,
) -> None:
    """Fill the model's statistics and start its head at the mean target."""
    description = pipeline.description
    by_bin = description.normalisation.endswith("-bins")
    whole: Normalisation = "train-bins" if by_bin else "train"
    mean, deviation = fixed or clips.measure(whole, description.channel_names)[0]
    model = pipeline.model
    with torch.no_grad():
        model.feature_mean.copy_(torch.from_numpy(mean))
        model.feature_deviation.copy_(torch.from_numpy(deviation))
        target = mean_target(pipeline, clips, index)
        model.mean_target.copy_(target[0])
    model.task.initialise(target)


def _build_objectives(
    config: TrainConfig, pipeline: Pipeline, subject_count: int, generator: torch.Generator
) -> dict[str, Objective]:
    plugins = load_plugins()
    objectives: dict[str, Objective] = {}
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(int(torch.randint(2**62, (), generator=generator)))
        for number, choice in enumerate(config.objectives):
            kind = plugins.objectives[choice.name]
            settings = kind.parse(choice.config, f"objective '{choice.name}'")
            name = choice.name if choice.name not in objectives else f"{choice.name}-{number}"
            objectives[name] = kind(settings, pipeline.model.encoder, subject_count)
    return objectives


def _epoch_opener(
    config: TrainConfig,
    clips: ClipSet,
    variations: ClipVariations | None,
    pipeline: Pipeline,
    objectives: dict[str, Objective],
) -> OpenEpoch:
    settings = config.training
    sampling = strictest([objective.batch_sampling for objective in objectives.values()])

    def open_epoch(epoch: int, rank: int, world_size: int) -> EpochClips:
        return EpochClips(
            clips,
            pipeline.description.channel_names,
            epoch=epoch,
            seed=settings.seed,
            hop_frames=config.data.clip_hop_frames,
            batch_size=settings.batch_size,
            sampling=sampling,
            augmentation=settings.augmentation,
            variations=variations,
            rank=rank,
            world_size=world_size,
        )

    return open_epoch


def _watcher(pipeline: Pipeline, clips: ClipSet) -> Watch:
    description = pipeline.description
    statistics: list[Statistics | None] = [None] * len(clips.takes)
    if is_by_track(description.normalisation):
        statistics = list(clips.measure(description.normalisation, description.channel_names))
    targets = [frame_targets(pipeline, joints) for joints in clips.joints]

    def watch() -> Row:
        predictions = [
            predict_frames(pipeline, frames, own)
            for frames, own in zip(clips.frames, statistics, strict=True)
        ]
        metrics = pipeline.model.task.metrics(
            torch.from_numpy(np.concatenate(predictions))[:, None],
            torch.from_numpy(np.concatenate(targets))[:, None],
        )
        return {name: float(value) for name, value in metrics.items()}

    return watch


def _describe_training(
    config: TrainConfig, dataset: Dataset, protocol: Protocol, split: Split
) -> dict[str, Any]:
    """Return what the model file says of its training: nothing of the machine."""
    data = config.data.model_copy(update={"path": Path(dataset.path.name)})
    placeless = config.model_copy(update={"data": data})
    first = config.training.fine_tuning.init_from
    if first:
        placeless = started_from(placeless, model_name(find_model(first)))
    return {
        "dataset": dataset.path.name,
        "dataset_layout": dataset.layout,
        "dataset_hash": getattr(dataset, "description", {}).get("config_hash", ""),
        "protocol": protocol.model_dump(mode="json"),
        "subjects": sorted({info.subject for info in split.train}),
        "tracks": sorted({info.track for info in split.train}),
        "takes": [info.id for info in split.train],
        "left_out": len(dataset.skipped) if dataset.skipped else 0,
        "hours": round(sum(info.seconds for info in split.train) / 3600, 6),
        "frame_rate_hz": FRAME_RATE_HZ,
        "config": placeless.model_dump(mode="json"),
        "config_hash": config_hash(placeless),
    }
