"""What is wrong with a dataset: every file is opened, every problem is listed."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acoustic_sense.constants import CLIP_FRAMES, FRAME_RATE_HZ, JOINT_NAMES
from acoustic_sense.datasets.ampl import AmplDataset
from acoustic_sense.datasets.ampl_arrays import window_problems
from acoustic_sense.datasets.dataset import Dataset
from acoustic_sense.datasets.take_dataset import DESCRIPTION_NAME, TakeDataset
from acoustic_sense.datasets.take_files import TAKES_FOLDER, read_take, read_take_json, take_info
from acoustic_sense.datasets.take_table import TABLE_NAME
from acoustic_sense.errors import AcousticSenseError, DatasetError
from acoustic_sense.types import Take, TakeInfo

SILENCE_DBFS = -110.0
"""Root mean square, relative to full scale, below which a channel counts as silent."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        take: Id of the take, or an empty string for the dataset as a whole.
        message: One line that names the file, the cause and the mend.
    """

    take: str
    message: str


def validate(dataset: Dataset) -> list[Problem]:
    """Open every file of a dataset and return what is wrong, an empty list if nothing is.

    Checked are: missing, truncated and corrupt files, shapes, values that are not finite, lengths
    that differ, silent recordings, joints that are not the framework's, rows without folders and
    folders without rows, rows that differ from `take.json`, and duplicates. Of AMPL's layout every
    row and every array; open it with `bad="list"`, else a bad row is an error already there.
    """
    if isinstance(dataset, TakeDataset):
        return _validate_takes(dataset)
    if isinstance(dataset, AmplDataset):
        return _validate_ampl(dataset)
    raise DatasetError(f"{dataset.path}: datasets of layout '{dataset.layout}' have no validation")


def _validate_takes(dataset: TakeDataset) -> list[Problem]:
    problems = _validate_description(dataset) + _validate_table(dataset)
    for info in dataset.takes:
        folder = dataset.folder(info.id)
        if not folder.is_dir():
            continue  # already listed with the table
        problems += [Problem(info.id, message) for message in _take_problems(folder, info, dataset)]
    return problems


def _validate_description(dataset: TakeDataset) -> list[Problem]:
    names = dataset.description.get("conventions", {}).get("joint_names", list(JOINT_NAMES))
    if names == list(JOINT_NAMES):
        return []
    unknown = [name for name in names if name not in JOINT_NAMES] or names
    where = dataset.path / DESCRIPTION_NAME
    return [Problem("", f"{where}: joints are not the framework's 21 in order: {unknown[0]}")]


def _validate_table(dataset: TakeDataset) -> list[Problem]:
    problems = []
    seen: set[str] = set()
    for info in dataset.rows:
        if info.id in seen:
            problems.append(Problem(info.id, f"{dataset.path / TABLE_NAME}: listed twice"))
        seen.add(info.id)
    folder = dataset.path / TAKES_FOLDER
    found = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    problems += [
        Problem(name, f"{folder / name}: listed in {TABLE_NAME} but there is no such folder")
        for name in sorted(seen - found)
    ]
    problems += [
        Problem(name, f"{folder / name}: not listed in {TABLE_NAME}; finish or remove it")
        for name in sorted(found - seen)
    ]
    return problems


def _take_problems(folder: Path, info: TakeInfo, dataset: TakeDataset) -> list[str]:
    try:
        stored = take_info(folder, read_take_json(folder))
        take = read_take(folder)
    except AcousticSenseError as error:
        return [str(error)]
    problems = []
    if stored != info:
        problems.append(f"{folder / 'take.json'}: differs from its row in {TABLE_NAME}")
    problems += [f"{folder / 'recording.flac'}: {text}" for text in _recording_problems(take)]
    rate = take.recording.sample_rate_hz
    if rate != dataset.sample_rate_hz:
        problems.append(
            f"{folder}: {rate} Hz, but {DESCRIPTION_NAME} says {dataset.sample_rate_hz} Hz"
        )
    problems += _length_problems(folder, take)
    return problems


def _recording_problems(take: Take) -> list[str]:
    samples = take.recording.samples
    if samples.shape[1] < CLIP_FRAMES * take.recording.sample_rate_hz // FRAME_RATE_HZ:
        return [f"{samples.shape[1]} samples are shorter than one clip of 0.6 s"]
    rms = np.sqrt(np.mean(np.square(samples, dtype=np.float64), axis=1))
    silent = [name for name, value in zip("WXYZ", rms, strict=True) if value < _SILENCE]
    if len(silent) == len(rms):
        return ["silent; record or simulate the take again"]
    return [f"channel {name} is silent; check the microphone" for name in silent]


def _length_problems(folder: Path, take: Take) -> list[str]:
    problems = []
    seconds = take.recording.duration_s
    # simulated poses go on to the first one at or after the end: up to two intervals more
    if (
        abs(take.pose.duration_s - seconds)
        > max(2.0 / take.pose.rate_hz, 1.0 / FRAME_RATE_HZ) + 1e-6
    ):
        problems.append(
            f"{folder / 'pose.npz'}: {take.pose.duration_s:.3f} s of poses for {seconds:.3f} s "
            "of audio; cut both to the same time"
        )
    if abs(take.info.seconds - seconds) > 1.0 / FRAME_RATE_HZ:
        problems.append(
            f"{folder / 'take.json'}: says {take.info.seconds:.3f} s but the recording has "
            f"{seconds:.3f} s"
        )
    return problems


def _validate_ampl(dataset: AmplDataset) -> list[Problem]:
    problems = [Problem("", message) for message in dataset.row_problems]
    seen: set[tuple[str, str, int]] = set()
    take_of = {
        (window.subject, window.track, window.index): take_id
        for take_id, windows in dataset.windows.items()
        for window in windows
    }
    for window in dataset.table:
        key = (window.subject, window.track, window.index)
        take_id = take_of.get(key, "")  # left out already where bad windows are skipped
        if key in seen:
            problems.append(
                Problem(take_id, f"{window.sound}: listed twice, again in line {window.line}")
            )
            continue
        seen.add(key)
        problems += [Problem(take_id, message) for message in window_problems(window)]
    return problems


_SILENCE = 10.0 ** (SILENCE_DBFS / 20.0)
