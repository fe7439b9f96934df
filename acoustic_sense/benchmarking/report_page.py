"""The page of a comparison: one HTML file with tables, bars, learning curves and moving clips."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from statistics import mean, stdev
from typing import Final

from acoustic_sense.benchmarking.blocks import (
    METRICS,
    Block,
    Column,
    Row,
    activity_columns,
    is_planned,
    joint_columns,
    part_columns,
    read_blocks,
    shown,
)
from acoustic_sense.benchmarking.clips import clip_reports
from acoustic_sense.benchmarking.plots import curve_names
from acoustic_sense.benchmarking.results import CellResult
from acoustic_sense.benchmarking.runs import run_folder
from acoustic_sense.benchmarking.tables import (
    cut_short_note,
    main_rows,
    split_text,
    spread,
    state,
)
from acoustic_sense.errors import DatasetError
from acoustic_sense.reporting.charts import chart_top, line_chart
from acoustic_sense.reporting.page import asset, render_page, render_section, write_page
from acoustic_sense.reporting.player import render_player

PAGE_NAME: Final = "report.html"
MOST_CELLS: Final = 12
"""Most cells whose clips are shown; three clips weigh about half a megabyte."""

BEST: Final = '<td class="best">'

OnClips = Callable[[int, int], None]
"""Called before the clips of a cell are predicted, with its number from 1 and their count."""


def write_benchmark_page(
    folder: Path, data: Mapping[str, Path] | None = None, on_clips: OnClips | None = None
) -> Path:
    """Write `report.html` from the results in a folder: one file that needs no network.

    Clips are shown of cells whose training run, or shipped model, and dataset are at hand, of each
    method the first such seed; best methods come first, of at most `MOST_CELLS` cells.

    Args:
        folder: Folder of the results.
        data: Folders of datasets by playback, before those that runs were trained on.
        on_clips: Called before the clips of a cell are predicted.

    Returns:
        The file.

    Raises:
        DatasetError: No benchmark has been run in the folder, or a file is not a result.
    """
    name, blocks = read_blocks(folder)
    lede = state(blocks, planned=is_planned(folder))
    header = (
        '<header class="top"><p class="eyebrow">comparison of methods</p>'
        f'<h1>{escape(name)}</h1><p class="lede">{escape(lede)}</p></header>'
    )
    sections = [_block_section(block, number) for number, block in enumerate(blocks, start=1)]
    sections.append(_clips_section(folder, blocks, data or {}, on_clips))
    body = f'{header}<main id="content">{"".join(sections)}</main>'
    script = asset("player.js") if "data-player=" in body else ""
    return write_page(folder / PAGE_NAME, render_page(name, body, script=script))


# ------------------------------------------------------------------------------------- a protocol


def _block_section(block: Block, number: int) -> str:
    note = (
        f"{split_text(block)} RMSE and MAE in hip-spine distances; mean and standard deviation "
        "over seeds. Bars: RMSE; line: one deviation to each side; mark: the mean pose."
    )
    cut_short = cut_short_note(block).replace("\\*", "*")
    cards = [
        f'<div class="card">{_main_table(block)}'
        + (f'<p class="change">{escape(cut_short)}</p>' if cut_short else "")
        + "</div>",
        _curves(block),
    ]
    for heading, corner, columns in (
        ("RMSE by part of the body", "Part", part_columns()),
        ("RMSE by activity", "Activity", activity_columns(block)),
        ("RMSE by joint", "Joint", joint_columns()),
    ):
        cards.append(_detail_card(heading, corner, block, columns))
    return render_section(block.title, note, "".join(cards), name=f"block-{number}")


def _main_table(block: Block) -> str:
    head, *lines = main_rows(block)
    rmse = METRICS["rmse"]
    longest = _longest(row.values(_rmse) for row in block.rows)
    rows = []
    for row, cells in zip(block.rows, lines, strict=True):
        shown_cells = [
            f"<td>{escape(text)}"
            + (_rail(row.values(_rmse), longest, _mean_pose(row)) if name == rmse else "")
            + "</td>"
            for name, text in zip(head[1:], cells[1:], strict=True)
        ]
        label = escape(cells[0].replace("\\*", "* (cut short)"))
        rows.append(f'<tr><th scope="row">{label}</th>{"".join(shown_cells)}</tr>')
    return _table(head, rows)


def _detail_card(heading: str, corner: str, block: Block, columns: Mapping[str, Column]) -> str:
    """Return a table with a row for each column and methods side by side, the best in bold."""
    chosen = shown(columns, block)
    if not chosen:
        text = "These cells hold no such figures; cells that are run anew do."
        return f'<div class="card spaced"><h3>{heading}</h3><p class="change">{text}</p></div>'
    methods = [row for row in block.rows if row.results]
    longest = _longest(row.values(of) for row in methods for of in chosen.values())
    rows = []
    for name, of in chosen.items():
        found = [row.values(of) for row in methods]
        best = min(mean(values) for values in found if values)
        cells = [
            (BEST if values and mean(values) == best else "<td>")
            + f"{spread(values)}{_rail(values, longest)}</td>"
            for values in found
        ]
        label = escape(name.replace("-", " ").replace("_", " "))
        rows.append(f'<tr><th scope="row">{label}</th>{"".join(cells)}</tr>')
    table = _table([corner, *(row.method for row in methods)], rows)
    return f'<div class="card spaced"><h3>{heading}</h3>{table}</div>'


def _table(head: Sequence[str], rows: Sequence[str]) -> str:
    names = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    return (
        f'<div class="scroll"><table><thead><tr>{names}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _rail(values: Sequence[float], longest: float, mark: float | None = None) -> str:
    """Return a bar under a number; the number says it all, so readers of text are spared it."""
    if not values:
        return ""
    scale, middle = 100 / longest, mean(values)
    parts = f'<i style="width:{middle * scale:.1f}%"></i>'
    if len(values) > 1:
        low, width = max(0.0, middle - stdev(values)), 2 * stdev(values)
        parts += f'<s style="left:{low * scale:.1f}%;width:{width * scale:.1f}%"></s>'
    if mark is not None:
        parts += f'<b style="left:{mark * scale:.1f}%"></b>'
    return f'<span class="rail" aria-hidden="true">{parts}</span>'


def _longest(groups: Iterable[Sequence[float]]) -> float:
    """Return the length of the longest bar with its deviation."""
    ends = [
        mean(values) + (stdev(values) if len(values) > 1 else 0.0) for values in groups if values
    ]
    return max(ends, default=1.0) * 1.02 or 1.0


def _rmse(result: CellResult) -> float | None:
    return result.scores["method"].get("rmse")


def _mean_pose(row: Row) -> float | None:
    values = row.values(lambda result: result.scores["mean_pose"].get("rmse"))
    return mean(values) if values else None


# ------------------------------------------------------------------------------------- learning


def _curves(block: Block) -> str:
    cards = [_curve_card(row, name) for row in block.rows for name in curve_names(row)]
    if not cards:
        return ""
    return (
        '<div class="spaced"><h3>Learning curves, one line a seed</h3>'
        f'<div class="grid curves">{"".join(cards)}</div></div>'
    )


def _curve_card(row: Row, name: str) -> str:
    style = "truth" if name.startswith("validation/") else "estimate"
    series = {}
    for result in row.results:
        values = [line.get(name, math.nan) for line in result.learning_curve]
        if values:
            series[f"{style} seed-{result.config.seed}"] = values
    top = chart_top(series)
    epochs = max(len(values) for values in series.values())
    finite = [[value for value in values if math.isfinite(value)] for values in series.values()]
    last = spread([values[-1] for values in finite if values])
    text = f"{len(series)} seed(s), {epochs} epochs, last {last}"
    if any(result.cut_short for result in row.results):
        text += "; cut short"
    chart = line_chart(series, f"{row.method}: {name}, {text}", top=top)
    return (
        f'<div class="card curve"><h3>{escape(row.method)}: {escape(name)}</h3>'
        f'<div class="lane-chart">{chart}<span class="axis plain" style="top:3px">{top:g}</span>'
        f'<span class="axis plain" style="bottom:3px">0</span></div>'
        f'<p class="change">{escape(text)}</p></div>'
    )


# ------------------------------------------------------------------------------------- clips


def _clips_section(
    folder: Path, blocks: Sequence[Block], data: Mapping[str, Path], on_clips: OnClips | None
) -> str:
    """Return skeletons and sounds of clips, and for which cells there are none and why."""
    candidates = _clip_cells(folder, blocks)
    chosen, left = candidates[:MOST_CELLS], len(candidates) - MOST_CELLS
    cards, lacking = [], []
    for number, (block, result) in enumerate(chosen, start=1):
        if on_clips is not None:
            on_clips(number, len(chosen))
        heading = f"{block.title}, {result.config.method}, seed {result.config.seed}"
        try:
            found = clip_reports(folder, result, data)
        except DatasetError as error:
            lacking.append(f"{heading}: {error}")
            continue
        for which, (text, report) in found.items():
            cards.append(
                f'<div class="spaced"><h3>{escape(heading)}: {which} clip</h3>'
                f'<p class="change">{escape(text)}</p>'
                f"{render_player(report, f'clip-{number}-{which}-')}</div>"
            )
    if left > 0:
        lacking.append(f"{left} more cells: a page shows clips of {MOST_CELLS}.")
    missing = "".join(f"<li>{escape(text)}</li>" for text in lacking)
    if missing:
        cards.append(f'<div class="card spaced"><h3>Not shown</h3><ul>{missing}</ul></div>')
    note = (
        "The test clips of 0.6 s with the smallest, the middle and the largest RMSE, each with up "
        "to 0.6 s before and after it; the clip is marked on the timeline."
    )
    return render_section("Best, median and worst clips", note, "".join(cards), name="clips")


def _clip_cells(folder: Path, blocks: Sequence[Block]) -> list[tuple[Block, CellResult]]:
    """Return a cell for each method with a network, the best methods of all blocks first."""
    ranked = []
    for number, block in enumerate(blocks):
        networks = [row for row in block.rows if any(r.parameters for r in row.results)]
        networks.sort(key=lambda row: mean(row.values(_rmse) or [math.inf]))
        for rank, row in enumerate(networks):
            at_hand = [r for r in row.results if run_folder(folder, r.config).is_dir()]
            ranked.append((rank, number, (block, (at_hand or row.results)[0])))
    ranked.sort(key=lambda each: each[:2])
    return [cell for _, _, cell in ranked]
