"""The comparison of methods: cells of method, protocol and seed, run, kept as JSON, tabulated."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from acoustic_sense.benchmarking.config import BenchmarkConfig, load_benchmark_config
    from acoustic_sense.benchmarking.plan import Plan, make_plan
    from acoustic_sense.benchmarking.report import Written, write_benchmark_report
    from acoustic_sense.benchmarking.results import CellResult
    from acoustic_sense.benchmarking.runner import Outcome, run_plan
    from acoustic_sense.benchmarking.tables import write_tables

_HOME = {
    "BenchmarkConfig": "config",
    "CellResult": "results",
    "Outcome": "runner",
    "Plan": "plan",
    "Written": "report",
    "load_benchmark_config": "config",
    "make_plan": "plan",
    "run_plan": "runner",
    "write_benchmark_report": "report",
    "write_tables": "tables",
}

__all__ = [
    "BenchmarkConfig",
    "CellResult",
    "Outcome",
    "Plan",
    "Written",
    "load_benchmark_config",
    "make_plan",
    "run_plan",
    "write_benchmark_report",
    "write_tables",
]


def __getattr__(name: str) -> Any:
    """Import a name on first use."""
    if name not in _HOME:
        raise AttributeError(f"module 'acoustic_sense.benchmarking' has no attribute '{name}'")
    return getattr(import_module(f"acoustic_sense.benchmarking.{_HOME[name]}"), name)
