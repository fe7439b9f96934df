"""Statistics that fine-tuning fixes: those of the first model, or of one calibration take."""

from pathlib import Path

import numpy as np

from acoustic_sense.errors import ConfigError, DatasetError, ModelError
from acoustic_sense.inference.clips import (
    Moments,
    Statistics,
    frame_moments,
    frame_statistics,
)
from acoustic_sense.inference.description import ModelDescription
from acoustic_sense.inference.model_files import read_description, read_tensors
from acoustic_sense.training.clip_set import ClipSet
from acoustic_sense.training.config import FineTuningConfig
from acoustic_sense.training.feature_store import FeatureStore
from acoustic_sense.types import TakeInfo

_WHERE = "training.fine_tuning"
_STORED = ("train", "train-bins")
_PLAYBACK_PREFIXES = ("playback/", "phase/playback/")


def fixed_statistics(
    settings: FineTuningConfig,
    start: Path | None,
    description: ModelDescription,
    clips: ClipSet,
    store: FeatureStore,
    test_takes: tuple[TakeInfo, ...],
) -> Statistics | None:
    """Return the statistics that fine-tuning fixes, or None where the training takes have theirs.

    Args:
        settings: How the target is normalised.
        start: The first model's file.
        description: The model that is trained.
        clips: The training takes.
        store: Where the calibration take is read from.
        test_takes: Takes that may not calibrate.

    Raises:
        ConfigError: The kind of normalisation has no stored statistics, or another one is kept.
        ModelError: The first model's channels are others.
        DatasetError: There is no such calibration take, or it is a test take.
    """
    if settings.normalisation == "target" or start is None:
        return None
    if description.normalisation not in _STORED:
        raise ConfigError(
            f"{_WHERE}.normalisation = '{settings.normalisation}' needs statistics that a model "
            f"stores, which normalisation = '{description.normalisation}' has not; set "
            "training.normalisation to 'train' or 'train-bins'"
        )
    if settings.normalisation == "keep":
        return kept_statistics(start, description)
    name = settings.calibration_take
    info = store.dataset.info(name)
    if info in test_takes:
        raise DatasetError(
            f"{store.dataset.path}: '{name}' is a test take, so it cannot calibrate; name another"
        )
    return calibrated_statistics(clips, frame_moments(store.frames(name)), description)


def kept_statistics(path: Path, description: ModelDescription) -> Statistics:
    """Return the mean and deviation that a model file stores.

    Raises:
        ConfigError: The model was normalised in another way.
        ModelError: Its feature has other channels.
    """
    first = read_description(path)
    if first.normalisation != description.normalisation:
        raise ConfigError(
            f"{_WHERE}.normalisation = 'keep': {path} was trained with normalisation = "
            f"'{first.normalisation}'; set training.normalisation to it"
        )
    if (first.channel_names, first.bin_count) != (description.channel_names, description.bin_count):
        raise ModelError(
            f"{path}: reads {len(first.channel_names)} channels of {first.bin_count} bins, not the "
            f"{len(description.channel_names)} of {description.bin_count} that are trained on, so "
            "its statistics cannot be kept; set fine_tuning.normalisation = 'target'"
        )
    tensors = read_tensors(path)
    mean, deviation = (tensors[f"feature_{name}"].double() for name in ("mean", "deviation"))
    return mean.numpy(), deviation.numpy()


def calibrated_statistics(
    clips: ClipSet, calibration: Moments, description: ModelDescription
) -> Statistics:
    """Return statistics of playback channels over all takes and of all others over one take.

    Args:
        clips: The training takes.
        calibration: Moments of the calibration take.
        description: The model's channels and normalisation.
    """
    own = [frame_moments(frames) for frames in clips.frames]
    count = sum(item[0] for item in own)
    names = description.channel_names
    known = np.array([name.startswith(_PLAYBACK_PREFIXES) for name in names])[:, None]
    scale = count / calibration[0]
    total = np.where(known, np.sum([item[1] for item in own], axis=0), calibration[1] * scale)
    squares = np.where(known, np.sum([item[2] for item in own], axis=0), calibration[2] * scale)
    return frame_statistics([(count, total, squares)], description.normalisation, names)
