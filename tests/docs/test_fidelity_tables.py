"""Tables that benchmarks write into pages are those of their results."""

import json

import pytest

from acoustic_sense.inference import shipped_models
from acoustic_sense.inference.model_files import read_description

WRITTEN = [
    ("fidelity_in_takes", "takes", lambda script, result: script.page_table(result)),
    ("person_against_bem", "fidelity", lambda script, result: script.page_table(result)),
    ("motions", "motions", lambda script, result: script.table(result["motions"])),
    ("room_cancelled", "room-cancelled", lambda script, result: script.table(result)),
    ("room_cancelled_study", "room-cancelled-study", lambda script, result: script.table(result)),
    ("shipped_models", "cards", lambda script, result: script.card_table(result)),
    ("shipped_models", "scores", lambda script, result: script.score_table(result)),
]


@pytest.mark.parametrize(("name", "marks", "table"), WRITTEN, ids=[row[1] for row in WRITTEN])
def test_table_is_that_of_the_result(name, marks, table, load_benchmark):
    script = load_benchmark(name)
    result = json.loads(script.RESULT.read_text(encoding="utf-8"))
    page = script.PAGE.read_text(encoding="utf-8")
    filled = load_benchmark("marked").filled(page, marks, table(script, result))
    assert filled == page, f"run: python benchmarks/{name}.py --page-only"


def test_page_of_what_was_reached_is_that_of_the_cells(load_benchmark):
    script = load_benchmark("results_page")
    page = script.PAGE.read_text(encoding="utf-8")
    assert script.filled(page) == page, "run: python benchmarks/results_page.py"


def test_shipped_models_are_those_that_were_scored(load_benchmark):
    """Training a model anew and forgetting to score it would leave the old scores standing."""
    script = load_benchmark("shipped_models")
    result = json.loads(script.RESULT.read_text(encoding="utf-8"))
    models = shipped_models()
    assert set(result["models"]) == set(models) == set(script.TRAINED_AT)
    for name, path in models.items():
        told = result["models"][name]
        assert told["file_bytes"] == path.stat().st_size < 4e6
        assert told["config_hash"] == read_description(path).training["config_hash"]
