"""One take on disk: `take.json`, `recording.flac`, `playback.flac` and `pose.npz`.

In memory a recording is W, X, Y, Z; on disk it is AmbiX: W, Y, Z, X with SN3D gains.
"""

import json
import os
import re
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import TypeAdapter, ValidationError

from acoustic_sense.datasets.flac import audio_shape, holds, read_flac, write_flac
from acoustic_sense.datasets.pose_archive import read_pose, write_pose
from acoustic_sense.errors import AudioError, DatasetError
from acoustic_sense.types import Playback, Recording, Scene, Take, TakeInfo

TAKES_FOLDER: Final = "takes"
PARTIAL_PREFIX: Final = ".partial-"
"""Start of the name of a take that is still being written."""

TO_AMBIX: Final = (0, 2, 3, 1)
"""Indices that turn W, X, Y, Z into AmbiX's W, Y, Z, X."""
FROM_AMBIX: Final = (0, 3, 1, 2)
"""Indices that turn AmbiX's W, Y, Z, X into W, X, Y, Z."""

_ID_PATTERN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_INFO: TypeAdapter[TakeInfo] = TypeAdapter(TakeInfo)


def take_folder(dataset: Path, take_id: str) -> Path:
    """Return the folder of a take."""
    return dataset / TAKES_FOLDER / take_id


def write_take(dataset: Path, take: Take) -> Path:
    """Write one take: to a temporary name, checked by reading it back, then renamed.

    Safe to call from several processes for different takes of one dataset; `DatasetWriter` adds
    the dataset's description and its table.

    Args:
        dataset: The dataset's folder.
        take: The take; recording and playback share rate and length.

    Returns:
        The take's folder.

    Raises:
        DatasetError: The take's name or signals cannot be stored, it exists already, or what was
            read back differs from what was written.
    """
    _check_take(take)
    final = take_folder(dataset, take.info.id)
    if final.exists():
        raise DatasetError(f"{final}: the take exists already; give takes unique ids")
    partial = final.with_name(f"{PARTIAL_PREFIX}{take.info.id}-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        _write_files(partial, take)
        _check_written(partial, take)
        partial.rename(final)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return final


def read_take(folder: Path) -> Take:
    """Read one take.

    Args:
        folder: The take's own folder.

    Returns:
        The take; its recording in the order W, X, Y, Z.

    Raises:
        DatasetError: A file is missing, corrupt or inconsistent; the message names it.
    """
    data = read_take_json(folder)
    channels, *_ = audio_shape(folder / "recording.flac")
    if channels != len(FROM_AMBIX):
        raise DatasetError(
            f"{folder / 'recording.flac'}: {channels} channels; a recording has 4 (AmbiX)"
        )
    heard, sample_rate_hz = read_flac(folder / "recording.flac", FROM_AMBIX)
    played, playback_rate_hz = read_flac(folder / "playback.flac")
    if (sample_rate_hz, heard.shape[1]) != (playback_rate_hz, played.shape[1]):
        raise DatasetError(
            f"{folder}: recording ({heard.shape[1]} samples at {sample_rate_hz} Hz) and playback "
            f"({played.shape[1]} at {playback_rate_hz} Hz) differ; they must be the same length"
        )
    try:
        return Take(
            info=take_info(folder, data),
            recording=Recording(heard, sample_rate_hz),
            playback=Playback(played, sample_rate_hz),
            pose=read_pose(folder / "pose.npz"),
            scene=_scene(data),
            extra=data.get("extra", {}),
        )
    except (AudioError, ValidationError) as error:
        first = str(error).splitlines()[0]
        raise DatasetError(f"{folder}: {first}") from None


def read_take_json(folder: Path) -> dict[str, Any]:
    """Return the contents of a take's `take.json`.

    Raises:
        DatasetError: The file is missing or is not JSON.
    """
    path = folder / "take.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DatasetError(f"{path}: missing; restore the file or make the take again") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DatasetError(f"{path}: not valid JSON: {error}") from None
    if not isinstance(data, dict) or not isinstance(data.get("info"), dict):
        raise DatasetError(f"{path}: has no 'info' table; see the dataset format")
    return data


def take_info(folder: Path, data: dict[str, Any]) -> TakeInfo:
    """Return the `TakeInfo` in the contents of a `take.json`.

    Raises:
        DatasetError: It is not one.
    """
    try:
        return _INFO.validate_python(data["info"])
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise DatasetError(f"{folder / 'take.json'}: info.{where}: {problem['msg']}") from None


def _scene(data: dict[str, Any]) -> Scene | None:
    return Scene.from_json(data["scene"]) if data.get("scene") else None


def _check_take(take: Take) -> None:
    take_id = take.info.id
    if not _ID_PATTERN.fullmatch(take_id):
        raise DatasetError(
            f"take id {take_id!r} cannot name a folder; use letters, digits, '.', '_' and '-'"
        )
    if any(";" in tag for tag in take.info.tags):
        raise DatasetError(f"take '{take_id}': a tag holds ';', which separates tags; rename it")
    recording, playback = take.recording, take.playback
    same_rate = recording.sample_rate_hz == playback.sample_rate_hz
    if not same_rate or recording.samples.shape[1] != playback.samples.shape[1]:
        raise DatasetError(
            f"take '{take_id}': recording and playback differ in rate or length; cut both to the "
            "same samples"
        )


def _write_files(folder: Path, take: Take) -> None:
    rate = take.recording.sample_rate_hz
    write_flac(folder / "recording.flac", take.recording.samples, rate, TO_AMBIX)
    write_flac(folder / "playback.flac", take.playback.samples, rate)
    write_pose(folder / "pose.npz", take.pose)
    data = {
        "info": asdict(take.info),
        "sample_rate_hz": rate,
        "sample_count": take.recording.samples.shape[1],
        "speaker_count": take.playback.samples.shape[0],
        "scene": take.scene.to_json() if take.scene else None,
        "extra": take.extra,
    }
    try:
        text = json.dumps(data, indent=1, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DatasetError(
            f"take '{take.info.id}': its extra data are not plain JSON values: {error}"
        ) from None
    (folder / "take.json").write_text(text + "\n", encoding="utf-8", newline="\n")


def _check_written(folder: Path, take: Take) -> None:
    """Raise DatasetError unless the files hold the take."""
    data, pose = read_take_json(folder), read_pose(folder / "pose.npz")
    heard, played = take.recording.samples, take.playback.samples
    rate = take.recording.sample_rate_hz
    same = {
        "recording.flac": holds(folder / "recording.flac", heard, rate, TO_AMBIX),
        "playback.flac": holds(folder / "playback.flac", played, rate),
        "pose.npz": np.array_equal(pose.joints, take.pose.joints)
        and pose.rate_hz == take.pose.rate_hz,
        "take.json": take_info(folder, data) == take.info and _scene(data) == take.scene,
    }
    for name, equal in same.items():
        if not equal:
            raise DatasetError(
                f"{folder / name}: what was read back is not what was written; check the disk"
            )
