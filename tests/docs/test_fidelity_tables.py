"""Tables that benchmarks write into pages are those of their results."""

import json

import pytest

WRITTEN = [
    ("fidelity_in_takes", "takes", lambda script, result: script.page_table(result)),
    ("person_against_bem", "fidelity", lambda script, result: script.page_table(result)),
    ("motions", "motions", lambda script, result: script.table(result["motions"])),
]


@pytest.mark.parametrize(("name", "marks", "table"), WRITTEN, ids=[row[0] for row in WRITTEN])
def test_table_is_that_of_the_result(name, marks, table, load_benchmark):
    script = load_benchmark(name)
    result = json.loads(script.RESULT.read_text(encoding="utf-8"))
    page = script.PAGE.read_text(encoding="utf-8")
    filled = load_benchmark("marked").filled(page, marks, table(script, result))
    assert filled == page, f"run: python benchmarks/{name}.py --page-only"
