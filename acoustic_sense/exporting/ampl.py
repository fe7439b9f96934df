"""Export to AMPL's layout: windows of 0.6 s of the feature `mel-stack` with normalised poses.

What is written is what `acoustic_sense.datasets.ampl` reads, and beside it `takes.csv`, which says
what became of each take.

References:
    BGM2Pose, IEEE OJSP 7 (2026) 790-799, doi 10.1109/OJSP.2026.3705347.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32

from acoustic_sense import features
from acoustic_sense.constants import CLIP_FRAMES, FRAME_RATE_HZ, FRAME_SAMPLES, SAMPLE_RATE_HZ
from acoustic_sense.contracts import Feature
from acoustic_sense.datasets import Dataset
from acoustic_sense.datasets.ampl import FEATURE_SHAPE, POSE_SHAPE, ROOT_NAME, TABLE_NAME
from acoustic_sense.datasets.take_dataset import TakeDataset
from acoustic_sense.errors import DatasetError
from acoustic_sense.exporting.naming import AmplName, ampl_names
from acoustic_sense.inference.clips import compute_frames
from acoustic_sense.metrics import normalise_pose
from acoustic_sense.types import Take, TakeInfo

FEATURE: Final = "mel-stack"
SPEAKERS: Final = 2
FILES_FOLDER: Final = "music_with_intensity"
MAPPING_NAME: Final = "takes.csv"
CLIP_S: Final = CLIP_FRAMES / FRAME_RATE_HZ
COLUMNS: Final = ("sound_path", "label", "testee", "music_type", "spec_duration", "joint_path")
MAPPING_COLUMNS: Final = (
    *("take", "subject", "track", "room", "tags"),
    *("testee", "music_type", "first_index", "windows", "left_out"),
)

OnTake = Callable[[int, int], None]
"""Called with the takes that are done and those that there are."""


@dataclass(frozen=True)
class AmplExport:
    """What was exported.

    Attributes:
        windows: Number of windows.
        left_out: Why a take gave none, by its id.
    """

    windows: int
    left_out: dict[str, str]


@dataclass(frozen=True)
class _Cut:
    """Where a take's windows lie.

    Attributes:
        start_s: Where in the take the first one begins.
        index: Its index in the track.
        count: How many there are.
        reason: Why there is none, else empty.
    """

    start_s: float
    index: int
    count: int
    reason: str = ""


def export_ampl(dataset: Dataset, folder: Path, on_take: OnTake | None = None) -> AmplExport:
    """Write a dataset of takes in AMPL's layout.

    Windows lie on the track's own grid of 0.6 s, as in AMPL: a take that begins between two of
    its points gives its first window at the next one.

    Args:
        dataset: Takes of 48 kHz with two loudspeakers.
        folder: A folder to fill with `dataset_spec_2400` and `takes.csv`; empty or not there yet.
        on_take: Called after each take.

    Returns:
        How many windows there are, and which takes gave none because they are shorter than
        0.6 s or have no poses.

    Raises:
        DatasetError: The dataset has no audio, another sample rate, takes with another number of
            loudspeakers, or no take at all that gives a window.
    """
    takes = _takes(dataset)
    cuts = {info.id: _cut(takes, info) for info in takes.takes}
    names = ampl_names(takes.takes, {key: (cut.index, cut.count) for key, cut in cuts.items()})
    if not names:
        first = next((f": take '{key}' {cut.reason}" for key, cut in cuts.items()), "")
        raise DatasetError(f"{dataset.path}: no take can be exported to AMPL's layout{first}")
    feature = features.create(FEATURE, sample_rate_hz=SAMPLE_RATE_HZ)
    (folder / ROOT_NAME / FILES_FOLDER).mkdir(parents=True)
    for done, (take_id, name) in enumerate(names.items(), start=1):
        _write_windows(folder, takes.read_take(take_id), cuts[take_id], name, feature)
        if on_take is not None:
            on_take(done, len(names))
    _write_table(folder / ROOT_NAME / TABLE_NAME, list(names.values()))
    _write_mapping(folder / MAPPING_NAME, takes.takes, cuts, names)
    left_out = {key: cut.reason for key, cut in cuts.items() if cut.reason}
    return AmplExport(sum(name.window_count for name in names.values()), left_out)


def _takes(dataset: Dataset) -> TakeDataset:
    """Return the dataset if it holds takes that AMPL's layout can tell of."""
    if not isinstance(dataset, TakeDataset):
        raise DatasetError(
            f"{dataset.path}: holds the feature '{dataset.stored_feature}' and no audio, in "
            f"layout '{dataset.layout}' already; export a dataset of takes"
        )
    if dataset.sample_rate_hz != SAMPLE_RATE_HZ:
        raise DatasetError(
            f"{dataset.path}: has {dataset.sample_rate_hz} Hz, but AMPL's layout {SAMPLE_RATE_HZ} "
            "Hz; simulate it with sample_rate_hz = 48000"
        )
    return dataset


def _cut(dataset: TakeDataset, info: TakeInfo) -> _Cut:
    """Return where a take's windows lie, from its headers and its poses alone.

    Raises:
        DatasetError: It has not two loudspeakers.
    """
    speakers, samples = dataset.playback_shape(info.id)
    if speakers != SPEAKERS:
        raise DatasetError(
            f"{dataset.path}: take '{info.id}' has {speakers} loudspeaker"
            f"{'' if speakers == 1 else 's'}, but AMPL's layout holds {SPEAKERS}; export a dataset "
            "whose takes have two"
        )
    pose = dataset.read_pose(info.id)
    if not len(pose.joints):
        return _Cut(0.0, 0, 0, "has no poses")
    index = int(np.ceil(info.start_s / CLIP_S - 1e-6))
    start_s = max(0.0, index * CLIP_S - info.start_s)
    heard = (samples - round(start_s * SAMPLE_RATE_HZ)) // FRAME_SAMPLES
    seen = int((pose.duration_s - start_s) * FRAME_RATE_HZ + 0.5)  # frames whose centre has a pose
    count = max(0, min(heard, seen)) // CLIP_FRAMES
    reason = "" if count else f"holds no whole window of {CLIP_S} s"
    return _Cut(start_s, index, count, reason)


def _write_windows(folder: Path, take: Take, cut: _Cut, name: AmplName, feature: Feature) -> None:
    first = round(cut.start_s * SAMPLE_RATE_HZ)
    last = first + cut.count * CLIP_FRAMES * FRAME_SAMPLES
    frames = compute_frames(
        feature, take.recording.samples[:, first:last], take.playback.samples[:, first:last]
    )
    joints = normalise_pose(take.pose.at_feature_frames(cut.count * CLIP_FRAMES, cut.start_s))
    for window in range(cut.count):
        rows = slice(window * CLIP_FRAMES, (window + 1) * CLIP_FRAMES)
        sound, joint = (folder / path for path in _paths(name, window))
        _save(sound, frames[:, rows].transpose(0, 2, 1), FEATURE_SHAPE)
        _save(joint, joints[rows].reshape(CLIP_FRAMES, -1), POSE_SHAPE)


def _save(path: Path, values: Float32[np.ndarray, "..."], shape: tuple[int, ...]) -> None:
    assert values.shape == shape
    np.save(path, np.ascontiguousarray(values, dtype=np.float32), allow_pickle=False)


def _paths(name: AmplName, window: int) -> tuple[str, str]:
    """Return the feature file and the pose file of a window, from the folder above the root."""
    stem, inside = name.stem(window), f"{ROOT_NAME}/{FILES_FOLDER}"
    return f"{inside}/{stem}_music_intensity.npy", f"{inside}/joint_pos_{stem}.npy"


def _write_table(path: Path, names: list[AmplName]) -> None:
    """Write AMPL's table; what `label` means is not published, so it is 0 throughout."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for name in names:
            for window in range(name.window_count):
                sound, joint = (f"./{part}" for part in _paths(name, window))
                writer.writerow([sound, 0, name.testee, name.music_type, CLIP_S, joint])


def _write_mapping(
    path: Path, takes: tuple[TakeInfo, ...], cuts: dict[str, _Cut], names: dict[str, AmplName]
) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(MAPPING_COLUMNS)
        for info in takes:
            name = names.get(info.id)
            told = (name.testee, name.music_type, name.first_index) if name else ("", "", "")
            known = (info.id, info.subject, info.track, info.room, ";".join(info.tags))
            writer.writerow([*known, *told, cuts[info.id].count, cuts[info.id].reason])
