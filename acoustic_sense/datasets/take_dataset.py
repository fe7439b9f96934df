"""The dataset of takes: audio that people can listen to, poses, and scenes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32
from pydantic import ValidationError

from acoustic_sense.constants import FRAME_RATE_HZ, SAMPLE_RATE_HZ
from acoustic_sense.datasets.dataset import Dataset, file_fingerprint
from acoustic_sense.datasets.flac import audio_shape
from acoustic_sense.datasets.pose_archive import read_pose
from acoustic_sense.datasets.skipping import Bad, Skipped
from acoustic_sense.datasets.take_files import read_take, read_take_json, take_folder
from acoustic_sense.datasets.take_table import TABLE_NAME, read_table
from acoustic_sense.errors import AcousticSenseError, DatasetError
from acoustic_sense.types import PoseTrack, Scene, Take, TakeInfo

DESCRIPTION_NAME = "dataset.json"
FORMAT_NAME = "acoustic-sense takes"
FORMAT_VERSION = 1


class TakeDataset(Dataset):
    """A dataset in the format of `DatasetWriter`.

    Attributes:
        description: The contents of `dataset.json`.
        rows: The rows of `takes.csv` as they stand, duplicates included.
    """

    layout = "takes"

    def __init__(self, path: Path, bad: Bad = "refuse") -> None:
        """Read the tables.

        Args:
            path: The folder.
            bad: What to do about takes whose files cannot be read; with `skip`, all are read.

        Raises:
            DatasetError: The tables are not sound, or every take is bad (`skip`).
        """
        self.description = read_description(path)
        self.rows = read_table(path / TABLE_NAME)
        takes = self.rows
        if bad == "skip":
            takes, self.skipped = _readable_takes(path, self.rows)
        super().__init__(path, takes, self.description.get("sample_rate_hz", SAMPLE_RATE_HZ))

    def folder(self, take_id: str) -> Path:
        """Return the folder of a take.

        Raises:
            DatasetError: There is no such take.
        """
        return take_folder(self.path, self.info(take_id).id)

    def read_take(self, take_id: str) -> Take:
        """Return a take with its audio and its pose track."""
        return read_take(self.folder(take_id))

    def read_pose(self, take_id: str) -> PoseTrack:
        """Return a take's pose track alone.

        Raises:
            DatasetError: There is no such take or its poses are not sound.
        """
        return read_pose(self.folder(take_id) / "pose.npz")

    def read_scene(self, take_id: str) -> Scene | None:
        """Return the scene that a take was simulated from, or None for a real one.

        Raises:
            DatasetError: There is no such take or its `take.json` is not sound.
        """
        folder = self.folder(take_id)
        data = read_take_json(folder).get("scene")
        try:
            return Scene.from_json(data) if data else None
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(str(part) for part in ("scene", *problem["loc"]))
            raise DatasetError(f"{folder / 'take.json'}: {where}: {problem['msg']}") from None

    def playback_shape(self, take_id: str) -> tuple[int, int]:
        """Return loudspeakers and samples of a take's playback, from its header alone.

        Raises:
            DatasetError: There is no such take or its header cannot be read.
        """
        return audio_shape(self.folder(take_id) / "playback.flac")[:2]

    def frame_count(self, take_id: str) -> int:
        """Return the number of whole 50 ms feature frames of a take."""
        _, samples, rate_hz = audio_shape(self.folder(take_id) / "recording.flac")
        return samples // (rate_hz // FRAME_RATE_HZ)

    def pose_targets(self, take_id: str) -> Float32[np.ndarray, "frame 21 3"]:
        """Return the joints at the centres of the feature frames, in metres."""
        return self.read_pose(take_id).at_feature_frames(self.frame_count(take_id))

    def microphone_yaw_deg(self, take_id: str) -> float | None:
        """Return the direction of a simulated take's microphone; None for a real one."""
        scene = self.read_scene(take_id)
        return None if scene is None else scene.microphone.yaw_deg

    def activity(self, take_id: str) -> np.ndarray:
        """Return the activity's name at each feature frame, `""` where unlabelled."""
        return self.read_pose(take_id).activity_at_feature_frames(self.frame_count(take_id))

    def fingerprint(self, take_id: str) -> str:
        """Return sizes and times of the take's audio files."""
        folder = self.folder(take_id)
        return file_fingerprint([folder / "recording.flac", folder / "playback.flac"])


def _readable_takes(path: Path, rows: list[TakeInfo]) -> tuple[list[TakeInfo], Skipped | None]:
    """Return the takes whose files can be read, and what was left out.

    Raises:
        DatasetError: None can be read.
    """
    problems: dict[str, str] = {}
    for info in rows:
        try:
            read_take(take_folder(path, info.id))
        except AcousticSenseError as error:
            problems.setdefault(info.id, str(error))
    readable = [info for info in rows if info.id not in problems]
    if rows and not readable:
        raise DatasetError(f"{path}: every take is bad; the first: {next(iter(problems.values()))}")
    if not problems:
        return readable, None
    return readable, Skipped("take", len({i.id for i in rows}), tuple(problems.values()))


def read_description(path: Path) -> dict[str, Any]:
    """Return the contents of a dataset's `dataset.json`.

    Raises:
        DatasetError: The file is missing, is not JSON, or is of another format or version.
    """
    file = path / DESCRIPTION_NAME
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DatasetError(f"{file}: missing; {path} is not a dataset") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DatasetError(f"{file}: not valid JSON: {error}") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT_NAME:
        raise DatasetError(f"{file}: its format is not '{FORMAT_NAME}'")
    if data.get("format_version") != FORMAT_VERSION:
        raise DatasetError(
            f"{file}: format version {data.get('format_version')}, but this release reads "
            f"{FORMAT_VERSION}; install the release that wrote it"
        )
    return data
