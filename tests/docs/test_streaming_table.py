"""The table of what a stream costs is the one that the benchmark wrote."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_table_is_that_of_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    specification = importlib.util.spec_from_file_location(
        "streaming_benchmark", BENCHMARKS / "streaming.py"
    )
    benchmark = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(benchmark)
    sys.modules.pop("provenance", None)
    page = benchmark.PAGE.read_text(encoding="utf-8")
    result = json.loads(benchmark.RESULT.read_text(encoding="utf-8"))
    assert benchmark.table(result) in page
    assert benchmark.filled(page, result) == page, "run: python benchmarks/streaming.py --page-only"
