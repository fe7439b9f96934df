"""The results of a comparison as rows and blocks, and the figures that tables and plots show."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from acoustic_sense.benchmarking.results import CELLS, PLAN_NAME, CellResult, read_result
from acoustic_sense.constants import BODY_PARTS, JOINT_NAMES
from acoustic_sense.errors import DatasetError

ELSEWHERE: Final = " -> "
"""Between the name of what is trained on and of what is tested on, where they differ."""
METRICS: Final = {"rmse": "RMSE", "mae": "MAE", "pckh@0.5": "PCKh@0.5"}


@dataclass(frozen=True)
class Row:
    """The results of one method under one protocol, one for each seed that is done.

    Attributes:
        method: Name of the method.
        planned: Cells that there are to be.
        results: Results that there are.
    """

    method: str
    planned: int
    results: tuple[CellResult, ...]

    def values(self, of: Callable[[CellResult], float | None]) -> list[float]:
        """Return a figure of each result that has it."""
        return [value for value in map(of, self.results) if value is not None]


@dataclass(frozen=True)
class Block:
    """The rows of one protocol under one playback.

    Attributes:
        playback: Name of what is played; `a -> b` where `b` is another dataset that is tested on.
        protocol: Name of the protocol.
        rows: The methods, in the order of the configuration.
    """

    playback: str
    protocol: str
    rows: tuple[Row, ...]

    @property
    def title(self) -> str:
        """What to call it in headings."""
        trained_on, tested_on = self.datasets
        where = trained_on if trained_on == tested_on else f"{trained_on}, tested on {tested_on}"
        return f"{where}: {self.protocol}"

    @property
    def datasets(self) -> tuple[str, str]:
        """Names of the datasets that are trained and tested on."""
        trained_on, _, tested_on = self.playback.partition(ELSEWHERE)
        return trained_on, tested_on or trained_on

    @property
    def results(self) -> list[CellResult]:
        """All results of all rows."""
        return [result for row in self.rows for result in row.results]


def read_blocks(folder: Path) -> tuple[str, list[Block]]:
    """Return the comparison's name and its blocks, methods in the order of the configuration.

    Without `plan.json` every cell in the folder counts, and none is known to be missing.

    Raises:
        DatasetError: No benchmark has been run in the folder, or a file is not a result.
    """
    without = not is_planned(folder) and (folder / CELLS).is_dir()
    plan = _plan_of_cells(folder) if without else _read_plan(folder)
    found: dict[tuple[str, str], dict[str, list[CellResult | None]]] = {}
    for cell in plan["cells"]:
        datasets = [cell["playback"], *filter(None, [cell.get("test_playback")])]
        rows = found.setdefault((ELSEWHERE.join(datasets), cell["protocol"]), {})
        path = Path(cell["playback"], cell["protocol"], cell["method"], f"seed-{cell['seed']}.json")
        result = read_result(folder / CELLS / path)
        fits = result is not None and result.config_hash == cell["config_hash"]
        rows.setdefault(cell["method"], []).append(result if fits else None)
    return plan["name"], [
        Block(
            *key,
            tuple(
                Row(method, len(each), tuple(r for r in each if r is not None))
                for method, each in rows.items()
            ),
        )
        for key, rows in found.items()
    ]


def is_planned(folder: Path) -> bool:
    """Return whether a folder says which cells there are to be."""
    return (folder / PLAN_NAME).exists()


def _plan_of_cells(folder: Path) -> dict[str, Any]:
    """Return a plan of the cells that are there, methods without training first."""
    found = [read_result(path) for path in sorted((folder / CELLS).rglob("seed-*.json"))]
    results = sorted(
        (result for result in found if result is not None),
        key=lambda r: (r.config.playback, r.config.protocol, r.epochs > 0, r.config.method),
    )
    cells = [result.config.model_dump() | {"config_hash": result.config_hash} for result in results]
    return {"name": folder.resolve().name, "cells": cells}


def _read_plan(folder: Path) -> dict[str, Any]:
    path = folder / PLAN_NAME
    try:
        plan: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DatasetError(
            f"{folder}: holds no {PLAN_NAME}; give the folder of 'acoustic-sense benchmark run'"
        ) from None
    except ValueError as error:
        raise DatasetError(f"{path}: not JSON ({error}); run the benchmark again") from None
    if not isinstance(plan, dict) or not {"name", "cells"} <= plan.keys():
        raise DatasetError(f"{path}: not a benchmark's plan; run the benchmark again")
    return plan


Column = Callable[[CellResult], float | None]
"""A figure of a result; None where it has none."""


def part_columns() -> dict[str, Column]:
    """Return the RMSE of each part of the body."""
    return {part: _score(f"rmse/{part}") for part in BODY_PARTS}


def joint_columns() -> dict[str, Column]:
    """Return the RMSE of each joint."""
    return {joint: _score(f"rmse/{joint}") for joint in JOINT_NAMES}


def activity_columns(block: Block) -> dict[str, Column]:
    """Return the RMSE of each activity that a block's test takes show."""

    def column(name: str) -> Column:
        return lambda r: (
            r.activities[name].scores["method"].get("rmse") if name in r.activities else None
        )

    names = sorted({name for result in block.results for name in result.activities})
    return {name: column(name) for name in names}


def shown(columns: Mapping[str, Column], block: Block) -> dict[str, Column]:
    """Return those columns that a result of the block has a figure for."""
    return {
        name: of
        for name, of in columns.items()
        if any(of(result) is not None for result in block.results)
    }


def _score(metric: str) -> Column:
    return lambda result: result.scores["method"].get(metric)
