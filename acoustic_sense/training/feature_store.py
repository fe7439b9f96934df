"""Features of a dataset, computed once and kept as memory maps beside it."""

import hashlib
import inspect
import json
import os
import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from acoustic_sense import features
from acoustic_sense.config import config_hash
from acoustic_sense.contracts import Feature
from acoustic_sense.datasets import Dataset
from acoustic_sense.errors import DatasetError
from acoustic_sense.inference.clips import Frames, compute_frames
from acoustic_sense.plugin_loading import load_plugins
from acoustic_sense.training.audio_changes import AudioChange, ChangedFrames, changes_name

FOLDER = "cache"


class FeatureStore:
    """A feature of every take of a dataset.

    Computed on first use and written to `<dataset>/cache/<feature>-<hash>/<take>.npy`, float32,
    or to the user's cache where the dataset cannot be written to. Computed anew when the audio,
    the feature's settings, its plugin's version or its source change. A dataset that stores the
    feature instead of audio is only copied into one array a take.

    Attributes:
        dataset: The dataset.
        name: Name of the feature.
        feature: The feature itself.
    """

    def __init__(self, dataset: Dataset, name: str, config: dict[str, Any] | None = None) -> None:
        """Open the store.

        Raises:
            UnknownPluginError: Nobody registered the feature.
            ConfigError: The settings are not the feature's.
            DatasetError: The dataset holds another feature and no audio.
        """
        if dataset.stored_feature not in (None, name):
            raise DatasetError(
                f"{dataset.path}: holds the feature '{dataset.stored_feature}' and no audio, so "
                f"'{name}' cannot be computed; set feature = '{dataset.stored_feature}'"
            )
        self.dataset = dataset
        self.name = name
        self.feature: Feature = features.create(name, config, dataset.sample_rate_hz)
        self._source = _source_of(name, self.feature)

    @cached_property
    def folder(self) -> Path:
        """Where the arrays are kept."""
        name = f"{self.name}-{config_hash(self.feature.config)}"
        return _writable_folder(self.dataset.path, name)

    def frames(self, take_id: str) -> Frames:
        """Return a take's feature as a read-only memory map, shape `(channel, frame, bin)`.

        Raises:
            DatasetError: There is no such take or its files are not sound.
        """
        source = {"audio": self.dataset.fingerprint(take_id), "feature": self._source}
        array, note = self.folder / f"{take_id}.npy", self.folder / f"{take_id}.json"
        if not _is_fresh(array, note, source):
            self._check(take_id, frames := self._compute(take_id))
            _write(array, note, frames, source)
        mapped: Frames = np.load(array, mmap_mode="r", allow_pickle=False)
        return mapped

    def changed(self, take_id: str, changes: Sequence[AudioChange]) -> ChangedFrames:
        """Return what changes of the audio change in a take's feature, as a memory map.

        Only channels that differ from those of `frames` are computed into the cache.

        Raises:
            DatasetError: There is no such take, its files are not sound, or there is no audio.
        """
        if self.dataset.stored_feature is not None:
            raise DatasetError(
                f"{self.dataset.path}: holds features and no audio that could be changed; set "
                "random_delay and random_axis_sign in training.augmentation to false"
            )
        source = {"audio": self.dataset.fingerprint(take_id), "feature": self._source}
        stem = self.folder / f"{take_id}.{changes_name(changes)}"
        array, note = stem.with_name(f"{stem.name}.npy"), stem.with_name(f"{stem.name}.json")
        channels = _fresh_channels(array, note, source)
        if channels is None:
            channels, frames = self._compute_changed(take_id, changes)
            _write(array, note, frames, {**source, "channels": channels})
        if not channels:
            return ChangedFrames((), np.load(array, allow_pickle=False))  # cannot be mapped
        mapped: np.ndarray = np.load(array, mmap_mode="r", allow_pickle=False)
        return ChangedFrames(tuple(channels), mapped)

    def _compute_changed(
        self, take_id: str, changes: Sequence[AudioChange]
    ) -> tuple[list[int], np.ndarray]:
        """Return the channels that differ, and their frames after each change."""
        plain = self.frames(take_id)
        take = self.dataset.read_take(take_id)
        found: list[dict[int, np.ndarray]] = []
        for change in changes:
            audio = change.apply(take.recording.samples, take.playback.samples)
            frames = compute_frames(self.feature, *audio)
            self._check(take_id, frames)
            differ = (i for i in range(len(plain)) if not np.array_equal(frames[i], plain[i]))
            found.append({i: frames[i].copy() for i in differ})
        channels = sorted({i for each in found for i in each})
        shape = (len(changes), len(channels), *plain.shape[1:])
        kept = np.empty(shape, dtype=np.float32)
        for row, each in zip(kept, found, strict=True):
            for place, channel in enumerate(channels):
                row[place] = each.get(channel, plain[channel])
        return channels, kept

    def _compute(self, take_id: str) -> Frames:
        if self.dataset.stored_feature is not None:
            return self.dataset.stored_frames(take_id)
        take = self.dataset.read_take(take_id)
        if take.recording.sample_rate_hz != self.dataset.sample_rate_hz:
            raise DatasetError(
                f"{self.dataset.path}: take '{take_id}' has {take.recording.sample_rate_hz} Hz, "
                f"not the dataset's {self.dataset.sample_rate_hz} Hz"
            )
        return compute_frames(self.feature, take.recording.samples, take.playback.samples)

    def _check(self, take_id: str, frames: Frames) -> None:
        expected = (len(self.feature.channel_names), self.feature.bin_count)
        if (frames.shape[0], frames.shape[2]) != expected:
            raise DatasetError(
                f"{self.dataset.path}: take '{take_id}' gives {frames.shape[0]} channels of "
                f"{frames.shape[2]} bins, but the feature '{self.name}' has {expected[0]} of "
                f"{expected[1]}"
            )
        if not np.isfinite(frames).all():
            raise DatasetError(
                f"{self.dataset.path}: the feature '{self.name}' of take '{take_id}' holds values "
                "that are not finite; run `dataset validate`"
            )


def _source_of(name: str, feature: Feature) -> str:
    """Return who computes a feature: plugin version, source and rate."""
    registration = load_plugins().features.registration(name)
    module = inspect.getmodule(type(feature))
    try:
        text = inspect.getsource(module) if module is not None else ""
    except (OSError, TypeError):
        text = ""
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return (
        f"{registration.distribution} {registration.version} {digest} {feature.sample_rate_hz} Hz"
    )


def _is_fresh(array: Path, note: Path, source: dict[str, str]) -> bool:
    try:
        return array.is_file() and bool(json.loads(note.read_text(encoding="utf-8")) == source)
    except (OSError, ValueError):
        return False


def _fresh_channels(array: Path, note: Path, source: dict[str, str]) -> list[int] | None:
    """Return the channels that a cached array holds, or None if it is missing or stale."""
    try:
        written = json.loads(note.read_text(encoding="utf-8"))
        channels: list[int] = written.pop("channels")
        return channels if array.is_file() and written == source else None
    except (OSError, ValueError, KeyError, AttributeError):
        return None


def _write(array: Path, note: Path, frames: np.ndarray, source: dict[str, Any]) -> None:
    """Write array and note aside, then rename them; the note last, since it vouches."""
    note.unlink(missing_ok=True)
    for path in (array, note):
        handle, name = tempfile.mkstemp(prefix=f".partial-{path.name}-", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            if path is array:
                np.save(file, np.ascontiguousarray(frames, dtype=np.float32), allow_pickle=False)
            else:
                file.write(json.dumps(source).encode())
        Path(name).replace(path)


def _writable_folder(dataset: Path, name: str) -> Path:
    """Return the first place that can be written to: the dataset, the user's cache, a temporary."""
    digest = hashlib.sha256(str(dataset.resolve()).encode()).hexdigest()[:16]
    user = Path(platformdirs.user_cache_path("acoustic-sense")) / "features" / digest
    for parent in (dataset / FOLDER, user):
        folder = parent / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    return Path(tempfile.mkdtemp(prefix=f"acoustic-sense-{name}-"))
