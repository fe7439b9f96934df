"""Writing a dataset so that a killed run resumes and the bytes depend on the data alone."""

import hashlib
import json
import os
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from acoustic_sense.constants import AMBISONIC_CHANNELS, JOINT_NAMES, SAMPLE_RATE_HZ
from acoustic_sense.datasets.take_dataset import (
    DESCRIPTION_NAME,
    FORMAT_NAME,
    FORMAT_VERSION,
    read_description,
)
from acoustic_sense.datasets.take_files import (
    PARTIAL_PREFIX,
    TAKES_FOLDER,
    TO_AMBIX,
    read_take_json,
    take_folder,
    take_info,
    write_take,
)
from acoustic_sense.datasets.take_table import TABLE_NAME, format_table
from acoustic_sense.errors import DatasetError
from acoustic_sense.types import Take

LIBRARIES: Final = ("acoustic-sense", "numpy", "scipy", "soundfile", "pyroomacoustics", "numba")
"""Distributions whose versions may change the bytes of a dataset."""


class DatasetWriter:
    """Makes a dataset, or goes on with one that was interrupted.

    Opening it writes `dataset.json` and removes what a killed run left half written; `finish`
    writes `takes.csv`. Worker processes call `acoustic_sense.datasets.write_take` themselves,
    while one writer in the main process opens and finishes the dataset.

    Attributes:
        path: The dataset's folder.
    """

    def __init__(
        self, path: Path, description: dict[str, Any], *, sample_rate_hz: int = SAMPLE_RATE_HZ
    ) -> None:
        """Make or resume the dataset.

        Args:
            path: Folder to make or to resume.
            description: What the dataset is made from, as plain data, usually the configuration;
                a resumed dataset must have been described alike.
            sample_rate_hz: Samples per second of all its takes.

        Raises:
            DatasetError: The folder holds something else, or a dataset of another description.
        """
        self.path = Path(path)
        self._sample_rate_hz = sample_rate_hz
        contents = describe(description, sample_rate_hz)
        if (self.path / DESCRIPTION_NAME).exists():
            self._check_same(contents)
        else:
            self._check_empty()
            (self.path / TAKES_FOLDER).mkdir(parents=True, exist_ok=True)
            _write_text(self.path / DESCRIPTION_NAME, json.dumps(contents, indent=1) + "\n")
        self._remove_partial()

    def __enter__(self) -> "DatasetWriter":
        """Return the writer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish the dataset unless an error left it incomplete."""
        if kind is None:
            self.finish()

    def has_take(self, take_id: str) -> bool:
        """Return whether a take is complete on disk."""
        return take_folder(self.path, take_id).is_dir()

    def write_take(self, take: Take) -> Path:
        """Write one take and return its folder.

        Raises:
            DatasetError: The rate is not the dataset's; see also `take_files.write_take`.
        """
        if take.recording.sample_rate_hz != self._sample_rate_hz:
            raise DatasetError(
                f"take '{take.info.id}' has {take.recording.sample_rate_hz} Hz but the dataset "
                f"{self._sample_rate_hz} Hz; resample the take"
            )
        return write_take(self.path, take)

    def finish(self) -> Path:
        """Write `takes.csv` from the takes on disk and return the dataset's folder.

        Raises:
            DatasetError: A take's `take.json` is not sound.
        """
        folders = sorted(
            folder
            for folder in (self.path / TAKES_FOLDER).iterdir()
            if folder.is_dir() and not folder.name.startswith(".")
        )
        takes = [take_info(folder, read_take_json(folder)) for folder in folders]
        _write_text(self.path / TABLE_NAME, format_table(takes))
        return self.path

    def _check_same(self, contents: dict[str, Any]) -> None:
        found = read_description(self.path)
        if any(found.get(key) != contents[key] for key in ("config_hash", "sample_rate_hz")):
            raise DatasetError(
                f"{self.path}: holds a dataset made from another configuration (hash "
                f"{found.get('config_hash')}, not {contents['config_hash']}); choose another folder"
            )

    def _check_empty(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise DatasetError(f"{self.path}: is a file; choose a folder")
        strange = sorted(self.path.iterdir()) if self.path.is_dir() else []
        strange = [p for p in strange if not p.name.startswith(PARTIAL_PREFIX)]
        empty_takes = [self.path / TAKES_FOLDER]
        if strange and not (strange == empty_takes and not any(empty_takes[0].iterdir())):
            raise DatasetError(
                f"{self.path}: holds other files ({strange[0].name}); choose an empty folder"
            )

    def _remove_partial(self) -> None:
        for parent in (self.path, self.path / TAKES_FOLDER):
            for stray in parent.glob(f"{PARTIAL_PREFIX}*"):
                if not stray.is_dir():
                    stray.unlink(missing_ok=True)
                    continue
                gone = stray.with_name(f"{stray.name}-gone-{os.getpid()}")
                try:  # first out of the way of a worker that outlived its client and may rename it
                    stray.rename(gone)
                except FileNotFoundError:  # that worker was faster, or removed it too
                    continue
                shutil.rmtree(gone, ignore_errors=True)


def describe(description: dict[str, Any], sample_rate_hz: int) -> dict[str, Any]:
    """Return the contents of `dataset.json`: nothing of the machine, the time or the workers.

    Raises:
        DatasetError: The description is not plain JSON data.
    """
    try:
        canonical = json.dumps(description, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DatasetError(f"a dataset's description must be plain JSON data: {error}") from None
    return {
        "format": FORMAT_NAME,
        "format_version": FORMAT_VERSION,
        "sample_rate_hz": sample_rate_hz,
        "conventions": {
            "recording": "AmbiX, SN3D",
            "recording_channels": [AMBISONIC_CHANNELS[index] for index in TO_AMBIX],
            "pose": "metres, world frame, right-handed, Y up",
            "joint_names": list(JOINT_NAMES),
        },
        "config": json.loads(canonical),
        "config_hash": hashlib.sha256(canonical.encode()).hexdigest()[:16],
        "libraries": {name: _version(name) for name in LIBRARIES},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _write_text(path: Path, text: str) -> None:
    """Write a file under a temporary name, then rename it."""
    partial = path.with_name(f"{PARTIAL_PREFIX}{path.name}-{os.getpid()}")
    partial.write_text(text, encoding="utf-8", newline="\n")
    partial.replace(path)
