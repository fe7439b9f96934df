"""Where a figure comes from: commit, libraries, machine; nothing that names a person or a place."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import torch

import acoustic_sense

LIBRARIES: Final = ("acoustic-sense", "torch", "lightning", "numpy", "scipy", "numba", "librosa")
_SOURCES: Final = ("acoustic_sense", "plugins", "simulator", "pyproject.toml")


def provenance() -> dict[str, Any]:
    """Return commit, uncommitted changes of the sources, library versions and machine.

    Commit and changes are None where the program is not run from a checkout of its source.
    """
    commit, changes = _checkout()
    return {
        "commit": commit,
        "uncommitted_changes": changes,
        "libraries": {name: _version(name) for name in LIBRARIES},
        "python": platform.python_version(),
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "cpu": _cpu(),
            "cores": os.cpu_count(),
            "torch_threads": torch.get_num_threads(),
            "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "",
        },
    }


def _checkout() -> tuple[str | None, bool | None]:
    root = Path(acoustic_sense.__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return None, None
    commit = _git(root, "rev-parse", "HEAD")
    status = _git(root, "status", "--porcelain", "--", *_SOURCES)
    return commit, None if status is None else bool(status)


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


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
