"""The page on how true the simulator is: its figures are those of the benchmarks, all of them."""

import copy
import re
from types import ModuleType
from typing import Any

import pytest

RESULTS = (
    "empty_room",
    "generation",
    "generation-hour",
    "generation-memory",
    "motions",
    "person_against_bem",
    "physics",
    "simulation_speed",
)
PICTURES = ("sphere-error", "person-error", "cost", "scene", "decay", "level-behind-body")


@pytest.fixture(scope="module")
def results(how_true: ModuleType) -> dict[str, Any]:
    return how_true.read_results()


@pytest.fixture(scope="module")
def page(how_true: ModuleType) -> str:
    return how_true.PAGE.read_text(encoding="utf-8")


def test_tables_are_those_of_the_results(how_true: ModuleType, results: Any, page: str) -> None:
    assert how_true.filled(page, results) == page, "run: make figures"


@pytest.mark.parametrize("name", RESULTS)
def test_every_result_that_the_page_needs_is_there(how_true: ModuleType, name: str) -> None:
    path = how_true.RESULTS / f"{name}.json"
    assert path.exists(), f"run: {how_true.COMMANDS[name]}, then: make figures"


def test_no_other_result_is_needed(how_true: ModuleType) -> None:
    needed = {each for names, _ in how_true.TABLES.values() for each in names}
    assert needed | how_true.how_true_bounds.MEASURED.keys() == set(RESULTS)
    assert set(how_true.COMMANDS) == set(RESULTS)


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_drawn_from_the_results(how_true: ModuleType, results: Any, name: str) -> None:
    from PIL import Image

    pictures = how_true.how_true_pictures
    data = pictures.PICTURES[name].data(results)
    path = pictures.IMAGES / f"{name}.png"
    if data is None:
        assert not path.exists(), f"nothing to draw {path.name} from"
        return
    with Image.open(path) as image:
        assert image.info["Source"] == pictures.digest(data), "run: make figures"
        assert min(image.size) > 300
    assert set(PICTURES) == set(pictures.PICTURES)


def test_no_figure_is_typed_by_hand(page: str) -> None:
    prose = re.sub(r"<!-- ([\w-]+): begin.*?<!-- \1: end -->", "", page, flags=re.DOTALL)
    assert len(prose) < len(page)
    assert not re.findall(r"\d+\.\d+|\d\s?%|\d\s?dB", prose)


def test_table_follows_its_result(how_true: ModuleType, results: Any, page: str) -> None:
    changed = copy.deepcopy(results)
    changed["person_against_bem"]["models"]["fast"]["level_error_db_worst"] = 7.89
    changed["empty_room"]["decay"]["hall"]["ratio_mean"] = 1.234
    text = how_true.filled(page, changed)
    assert "| at most 1 dB | 7.89 dB | **not kept** |" in text
    assert "| at most 10 % | 23.4 % | **not kept** |" in text
    new = [line for line in text.splitlines() if line not in page.splitlines()]
    assert 3 < len(new) < 8


def test_missing_result_is_named_with_its_command(
    how_true: ModuleType, results: Any, page: str
) -> None:
    fewer = {name: data for name, data in results.items() if name != "motions"}
    assert "Not measured yet: `python benchmarks/motions.py`." in how_true.filled(page, fewer)
    assert "motions" in how_true.missing(fewer)


@pytest.mark.parametrize(
    ("asked", "found", "least", "verdict"),
    [
        (0.05, 0.05, False, "kept"),
        (0.05, 0.0501, False, "**not kept**"),
        (10.0, 9.99, True, "**not kept**"),
        (10.0, 10.0, True, "kept"),
    ],
)
def test_bound_is_kept_up_to_its_edge(
    how_true: ModuleType, asked: float, found: float, least: bool, verdict: str
) -> None:
    bound = how_true.how_true_bounds.Bound("this", asked, found, least=least)
    assert bound.row()[-1] == verdict


def test_marks_without_a_table_are_refused(how_true: ModuleType, results: Any, page: str) -> None:
    with pytest.raises(ValueError, match="sphere"):
        how_true.filled(page.replace("<!-- sphere: begin", "<!-- globe: begin"), results)
