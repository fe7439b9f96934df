"""The tables of speed are those that the benchmarks wrote."""

import copy
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def speed_page(load_benchmark) -> ModuleType:
    return load_benchmark("speed_page")


def test_tables_are_those_of_the_results(speed_page: ModuleType) -> None:
    page, results = speed_page.PAGE.read_text(encoding="utf-8"), speed_page.read_results()
    assert set(results) == set(speed_page.NAMES)
    for name, table in speed_page.TABLES.items():
        assert table(results[name]) in page
    message = "run: python benchmarks/feature_speed.py --page-only"
    assert speed_page.filled(page, results) == page, message


def test_tables_follow_their_results(speed_page: ModuleType) -> None:
    page, results = speed_page.PAGE.read_text(encoding="utf-8"), speed_page.read_results()
    changed = copy.deepcopy(results)
    ways = changed["feature_speed"]["ways"]
    first, *_, last = ways.values()
    first["median_ms_per_clip"], last["median_ms_per_clip"] = 77.0, 7.0
    assert "| 143 | 11.0 |" in speed_page.filled(page, changed)


def test_results_are_of_committed_code(speed_page: ModuleType) -> None:
    for result in speed_page.read_results().values():
        assert result["provenance"]["uncommitted_changes"] is False
        assert result["threads"] == 1
