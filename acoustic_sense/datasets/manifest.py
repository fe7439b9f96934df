"""Manifest of a dataset: the SHA-256 of every file, in the format of `sha256sum`.

`dataset.json` is not in it: it names the versions of the installed libraries, which may differ
where the takes do not.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from acoustic_sense.datasets.take_dataset import DESCRIPTION_NAME
from acoustic_sense.datasets.take_files import PARTIAL_PREFIX
from acoustic_sense.errors import DatasetError

MANIFEST_NAME: Final = "manifest.sha256"
"""Name of the manifest inside a dataset's folder."""

_LEFT_OUT: Final = (MANIFEST_NAME, DESCRIPTION_NAME)


@dataclass(frozen=True)
class ManifestDifferences:
    """How the files of two manifests differ; names are sorted.

    Attributes:
        changed: Files with other contents.
        missing: Files that the second manifest lacks.
        added: Files that only the second manifest has.
    """

    changed: tuple[str, ...]
    missing: tuple[str, ...]
    added: tuple[str, ...]

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return bool(self.changed or self.missing or self.added)


def write_manifest(dataset: Path) -> dict[str, str]:
    """Write `manifest.sha256` into a dataset's folder.

    Args:
        dataset: The folder.

    Returns:
        SHA-256 in hex digits by name of the file, relative to the folder.
    """
    sums = file_sums(dataset)
    partial = dataset / f"{PARTIAL_PREFIX}{MANIFEST_NAME}-{os.getpid()}"
    partial.write_text(format_manifest(sums), encoding="utf-8", newline="\n")
    partial.replace(dataset / MANIFEST_NAME)
    return sums


def file_sums(dataset: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a dataset but `dataset.json` and the manifest."""
    names = sorted(
        path.relative_to(dataset).as_posix()
        for path in dataset.rglob("*")
        if path.is_file() and path.relative_to(dataset).as_posix() not in _LEFT_OUT
    )
    return {name: _sha256(dataset / name) for name in names}


def format_manifest(sums: dict[str, str]) -> str:
    """Return a manifest that `sha256sum --check` reads.

    Examples:
        >>> format_manifest({"takes.csv": "ab" * 32}) == "ab" * 32 + "  takes.csv" + chr(10)
        True
    """
    return "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))


def parse_manifest(text: str, where: str) -> dict[str, str]:
    """Read a manifest.

    Args:
        text: Its contents.
        where: What to call it in an error message, usually a file name.

    Returns:
        SHA-256 in hex digits by name of the file.

    Raises:
        DatasetError: A line is not a sum and a name.
    """
    sums = {}
    for number, line in enumerate(text.splitlines(), start=1):
        digits, separator, name = line.partition("  ")
        if not separator or len(digits) != 64 or not name:
            raise DatasetError(
                f"{where}: line {number} is not a SHA-256 sum, two spaces and a file's name; "
                "write the manifest anew with sha256sum"
            )
        sums[name] = digits.lower()
    return sums


def compare_manifests(expected: dict[str, str], found: dict[str, str]) -> ManifestDifferences:
    """Return how the files that were found differ from those expected."""
    both = expected.keys() & found.keys()
    return ManifestDifferences(
        changed=tuple(sorted(name for name in both if expected[name] != found[name])),
        missing=tuple(sorted(expected.keys() - found.keys())),
        added=tuple(sorted(found.keys() - expected.keys())),
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
