"""The table of what a stream costs is the one that the benchmark wrote."""

import json


def test_table_is_that_of_the_result(load_benchmark) -> None:
    benchmark = load_benchmark("streaming")
    page = benchmark.PAGE.read_text(encoding="utf-8")
    result = json.loads(benchmark.RESULT.read_text(encoding="utf-8"))
    assert benchmark.table(result) in page
    assert benchmark.filled(page, result) == page, "run: python benchmarks/streaming.py --page-only"
