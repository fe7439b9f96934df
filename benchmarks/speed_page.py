"""Timing in turns, and the tables of speed in docs/explanation/bgm2pose.md.

What `feature_speed.py` and `encoder_speed.py` share. Nothing is measured by importing this.
"""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import marked
import numpy as np

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "explanation" / "bgm2pose.md"
NAMES = ("feature_speed", "encoder_speed")


def in_turns(
    ways: Mapping[str, Callable[[], Any]], turns: int, clips: int
) -> dict[str, dict[str, float]]:
    """Return processor milliseconds a clip of each way, the fastest turn and the middle one.

    Each way is called once unmeasured, then all in turns, so that what else the machine does
    falls on all alike.

    Args:
        ways: What to call, by name.
        turns: How often each is measured.
        clips: Clips that a call works on.
    """
    for call in ways.values():
        call()
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(turns):
        for name, call in ways.items():
            started = time.process_time()
            call()
            spent[name].append(1000 * (time.process_time() - started) / clips)
    return {
        name: {
            "fastest_ms_per_clip": round(min(times), 3),
            "median_ms_per_clip": round(float(np.median(times)), 3),
        }
        for name, times in spent.items()
    }


def feature_table(result: Mapping[str, Any]) -> str:
    """Return the feature's measurements as a Markdown table."""
    ways = result["ways"]
    slowest = next(iter(ways.values()))["median_ms_per_clip"]
    rows = [
        f"| {name} | {row['median_ms_per_clip']:.2f} ms | {row['fastest_ms_per_clip']:.2f} ms | "
        f"{1000 / row['median_ms_per_clip']:,.0f} | {slowest / row['median_ms_per_clip']:.1f} |"
        for name, row in ways.items()
    ]
    head = "| way | a clip, median | fastest | clips a second | times the first |"
    return "\n".join([head, "|---|---|---|---|---|", *rows]) + "\n"


def encoder_table(result: Mapping[str, Any]) -> str:
    """Return the encoder's measurements as a Markdown table."""
    rows = [
        f"| {what} | {name} | {row['median_ms_per_clip']:.1f} ms | "
        f"{row['fastest_ms_per_clip']:.1f} ms |"
        for what, ways in result["ways"].items()
        for name, row in ways.items()
    ]
    head = "| what, a clip | way | median | fastest |"
    return "\n".join([head, "|---|---|---|---|", *rows]) + "\n"


TABLES = {"feature_speed": feature_table, "encoder_speed": encoder_table}


def filled(page: str, results: Mapping[str, Any]) -> str:
    """Return the page with each table between its marks."""
    for name, table in TABLES.items():
        page = marked.filled(
            page, name, table(results[name]) if name in results else "Not measured yet."
        )
    return page


def read_results() -> dict[str, Any]:
    """Return the results that there are, by name."""
    paths = {name: RESULTS / f"{name}.json" for name in NAMES}
    return {
        name: json.loads(path.read_text(encoding="utf-8"))
        for name, path in paths.items()
        if path.exists()
    }


def write_page() -> None:
    """Rewrite the tables of the page from the results."""
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), read_results()), encoding="utf-8")
