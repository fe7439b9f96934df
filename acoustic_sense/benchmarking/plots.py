"""Plots of a comparison as PNG files, small enough to commit."""

import re
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any, Final

from acoustic_sense.benchmarking.blocks import (
    Block,
    Column,
    Row,
    activity_columns,
    joint_columns,
    shown,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLOTS: Final = "plots"
CURVES: Final = ("pose", "validation/rmse")
"""Columns of a learning curve that are drawn, where there are any; else `loss`."""
_STYLE: Final = {"font.size": 9.0, "axes.spines.top": False, "axes.spines.right": False}
_DOTS_PER_INCH: Final = 100


def can_plot() -> bool:
    """Return whether matplotlib is installed (extra `pictures`)."""
    return find_spec("matplotlib") is not None


def write_plots(folder: Path, blocks: Sequence[Block]) -> list[Path]:
    """Write the plots of each block: RMSE, learning curves, activities, joints.

    The same results give the same bytes with the same matplotlib. A plot that no result has
    figures for is left out, and its file removed.

    Args:
        folder: Folder of the results; the files lie in `plots` in it.
        blocks: The results.

    Returns:
        The files that were written.
    """
    rc_context = import_module("matplotlib").rc_context

    written = []
    (folder / PLOTS).mkdir(exist_ok=True)
    drawings: dict[str, Callable[[Block], Figure | None]] = {
        "rmse": _rmse_plot,
        "learning": _learning_plot,
        "activities": lambda block: _columns_plot(block, activity_columns(block), "activity"),
        "joints": lambda block: _columns_plot(block, joint_columns(), "joint"),
    }
    for block in blocks:
        for name, draw in drawings.items():
            path = plot_path(folder, block, name)
            with rc_context(_STYLE):
                figure = draw(block)
                if figure is None:
                    path.unlink(missing_ok=True)
                    continue
                figure.savefig(path, format="png", metadata={"Software": None})
            written.append(path)
    return written


def plot_path(folder: Path, block: Block, name: str) -> Path:
    """Return the file of a block's plot."""
    stem = "-".join(re.findall(r"[\w.]+", f"{block.playback} {block.protocol} {name}"))
    return folder / PLOTS / f"{stem}.png"


def curve_names(row: Row) -> list[str]:
    """Return the columns of a method's learning curves that are drawn."""
    columns = {name for result in row.results for line in result.learning_curve for name in line}
    return [name for name in CURVES if name in columns] or [n for n in ("loss",) if n in columns]


def _rmse_plot(block: Block) -> "Figure | None":
    rows = [row for row in block.rows if _values(row, "rmse")]
    if not rows:
        return None
    figure, axes = _new_figure(6.0, 0.8 + 0.36 * len(rows))
    for place, row in enumerate(reversed(rows)):
        values = _values(row, "rmse")
        spread = stdev(values) if len(values) > 1 else None
        axes.barh(place, mean(values), xerr=spread, color=f"C{_number(block, row)}", capsize=3)
        axes.text(0.01, place, f"{mean(values):.3f}", va="center", color="white", fontsize=8)
    axes.set_yticks(range(len(rows)), [_label(row) for row in reversed(rows)])
    references = [result.scores["mean_pose"]["rmse"] for row in rows for result in row.results]
    axes.axvline(mean(references), color="0.3", linestyle=":", label="mean pose")
    axes.set_xlabel("RMSE, hip-spine distances; bars of one deviation over seeds")
    axes.set_title(block.title)
    return figure


def _learning_plot(block: Block) -> "Figure | None":
    rows = [row for row in block.rows if curve_names(row)]
    if not rows:
        return None
    figure, axes = _new_figure(6.0, 3.4)
    for row in rows:
        for name in curve_names(row):
            style = "--" if name.startswith("validation/") else "-"
            for index, result in enumerate(row.results):
                line = [
                    (each["epoch"], each[name]) for each in result.learning_curve if name in each
                ]
                axes.plot(
                    *zip(*line, strict=True),
                    style,
                    color=f"C{_number(block, row)}",
                    linewidth=1.2,
                    label=f"{_label(row)}: {name}" if not index else None,
                )
    axes.set_xlabel("epoch")
    axes.set_title(f"{block.title}, one line a seed")
    axes.legend(fontsize=8)
    return figure


def _columns_plot(block: Block, columns: Mapping[str, Column], what: str) -> "Figure | None":
    """Return bars of several figures, a bar for each method beside the others."""
    chosen = shown(columns, block)
    rows = [row for row in block.rows if any(row.values(of) for of in chosen.values())]
    if not chosen:
        return None
    figure, axes = _new_figure(1.5 + 0.5 * max(len(chosen), 6), 3.6)
    width = 0.8 / len(rows)
    for index, row in enumerate(rows):
        found = [row.values(of) for of in chosen.values()]
        places = [n - 0.4 + width * (index + 0.5) for n in range(len(found))]
        axes.bar(
            places,
            [mean(values) if values else float("nan") for values in found],
            width,
            yerr=[stdev(values) if len(values) > 1 else 0.0 for values in found],
            error_kw={"linewidth": 0.7},
            color=f"C{_number(block, row)}",
            label=_label(row),
        )
    axes.set_xticks(range(len(chosen)), list(chosen), rotation=60, ha="right")
    axes.set_ylabel("RMSE, hip-spine distances")
    axes.set_title(f"{block.title}, by {what}")
    axes.legend(fontsize=8, ncols=2)
    return figure


def _new_figure(width_in: float, height_in: float) -> tuple["Figure", Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), dpi=_DOTS_PER_INCH, layout="constrained")
    return figure, figure.subplots()


def _values(row: Row, metric: str) -> list[float]:
    return row.values(lambda result: result.scores["method"].get(metric))


def _number(block: Block, row: Row) -> int:
    return block.rows.index(row) % 10


def _label(row: Row) -> str:
    return f"{row.method} (cut short)" if any(r.cut_short for r in row.results) else row.method
