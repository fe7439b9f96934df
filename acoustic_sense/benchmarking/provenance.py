"""Where a figure comes from: commit, libraries, machine; nothing that names a person or a place."""

import os
import platform
import subprocess
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import acoustic_sense

LIBRARIES: Final = ("acoustic-sense", "torch", "lightning", "numpy", "scipy", "numba", "librosa")
SOURCES: Final = ("acoustic_sense", "plugins", "simulator", "pyproject.toml")
"""What of a checkout decides the figures of a cell."""


def provenance() -> dict[str, Any]:
    """Return commit, uncommitted changes of the sources, library versions and machine.

    Commit and changes are None where the program is not run from a checkout of its source.
    """
    import torch  # benchmarks that use the parts below are spared it

    commit, changes = checkout()
    return {
        "commit": commit,
        "uncommitted_changes": changes,
        "libraries": library_versions(LIBRARIES),
        "python": platform.python_version(),
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "cpu": cpu_name(),
            "cores": os.cpu_count(),
            "torch_threads": torch.get_num_threads(),
            "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "",
        },
    }


def checkout(sources: Sequence[str] = SOURCES) -> tuple[str | None, bool | None]:
    """Return the commit, and whether any of these paths of it has uncommitted changes."""
    root = Path(acoustic_sense.__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return None, None
    commit = _git(root, "rev-parse", "HEAD")
    status = _git(root, "status", "--porcelain", "--", *sources)
    return commit, None if status is None else bool(status)


def library_versions(names: Sequence[str]) -> dict[str, str]:
    """Return the versions of distributions; empty where one is not installed."""
    return {name: _version(name) for name in names}


def cpu_name() -> str:
    """Return what the processor calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
