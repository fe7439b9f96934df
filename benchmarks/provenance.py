"""What the figures of a benchmark depend on: code, libraries, machine."""

import os
import platform
from typing import Any

from acoustic_sense.benchmarking.provenance import SOURCES, checkout, cpu_name, library_versions


def provenance(*libraries: str) -> dict[str, Any]:
    """Return commit, versions and machine, without torch being loaded.

    Args:
        libraries: Distributions whose versions matter.
    """
    commit, changes = checkout((*SOURCES, "benchmarks/*.py", "benchmarks/configs"))
    return {
        "commit": commit,
        "uncommitted_changes": changes,
        "libraries": library_versions(libraries),
        "python": platform.python_version(),
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
    }
