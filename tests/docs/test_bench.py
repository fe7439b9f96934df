"""`make bench`: every script of it is there, and the time is that of the scripts."""

import ast
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def bench(load_benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return load_benchmark("bench")


def test_every_script_is_there_and_knows_its_options(bench: ModuleType) -> None:
    for name, (script, *options) in bench.SCRIPTS.items():
        text = (ROOT / "benchmarks" / script).read_text(encoding="utf-8")
        assert (ROOT / "benchmarks" / "results" / f"{name}.json").is_file()
        for option in options:
            assert f'add_argument("{option}"' in text
    assert "benchmarks/bench.py" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_every_speed_benchmark_is_run(bench: ModuleType) -> None:
    scripts = {script for script, *_ in bench.SCRIPTS.values()}
    for path in (ROOT / "benchmarks").glob("*_speed.py"):
        assert path.name in scripts


def test_seconds_are_those_of_each_script_and_failures_are_named(
    bench: ModuleType, tmp_path: Path
) -> None:
    (tmp_path / "sleep.py").write_text(
        "import sys, time\ntime.sleep(float(sys.argv[1]))\n", encoding="utf-8"
    )
    (tmp_path / "fail.py").write_text("raise SystemExit(3)\n", encoding="utf-8")
    started = time.perf_counter()
    result = bench.measure(
        {"long": ("sleep.py", "0.8"), "short": ("sleep.py", "0"), "bad": ("fail.py",)}, tmp_path
    )
    elapsed = time.perf_counter() - started
    assert list(result["seconds"]) == ["long", "short", "bad"]
    assert result["seconds"]["long"] >= 0.8
    assert result["total_seconds"] == pytest.approx(elapsed, abs=0.3)
    assert result["failed"] == ["bad"]
    assert result["within_limit"]


def test_twenty_minutes_are_the_limit(bench: ModuleType, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "nothing.py").write_text("", encoding="utf-8")
    monkeypatch.setattr(bench, "LIMIT_S", -1)
    assert not bench.measure({"nothing": ("nothing.py",)}, tmp_path)["within_limit"]
    monkeypatch.undo()
    assert bench.LIMIT_S == 1200


def test_benchmarks_take_their_provenance_from_the_program() -> None:
    """Nothing of commit, library or processor is read twice."""
    tree = ast.parse((ROOT / "benchmarks" / "provenance.py").read_text(encoding="utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert "acoustic_sense.benchmarking.provenance" in modules
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert "subprocess" not in imported


def test_peer_without_a_body_has_the_rooms_reflections(
    load_benchmark: Callable[[str], ModuleType],
) -> None:
    peer = load_benchmark("torchrir_peer")
    assert peer.reflection(0.36) == pytest.approx(0.8)  # of pressure: its square is of energy
    assert peer.reflection((0.19, 0.53)) == pytest.approx(0.8)
    # The farthest image of an order lies within that many rooms, each no longer than its diagonal.
    size = np.array((3.0, 4.0, 12.0))
    assert peer.response_s(tuple(size), 2) == pytest.approx(3 * 13.0 / 343.0)
