"""The page about a training run: how training went, and how good the model is."""

import math
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from acoustic_sense.constants import BODY_PARTS, FRAME_RATE_HZ
from acoustic_sense.reporting.charts import chart_top, line_chart
from acoustic_sense.reporting.page import (
    library_versions,
    render_page,
    render_section,
    write_page,
)
from acoustic_sense.reporting.run_files import RunFiles, read_run
from acoustic_sense.reporting.score_tables import (
    SHOWN_METRICS,
    format_metric,
    part_groups,
    render_score_table,
)
from acoustic_sense.reporting.tables import render_facts

PAGE_NAME = "report.html"
VALIDATION = "validation/"
Curve = list[tuple[float, float]]


def report_from_run(run: Path, out: Path | None = None, *, title: str = "") -> Path:
    """Write the page of a training run: one HTML file that needs no network.

    Args:
        run: The run folder.
        out: File to write; `report.html` in the run folder by default.
        title: Heading; the folder's name by default.

    Returns:
        The file.

    Raises:
        DatasetError: The folder holds no run, or a file in it cannot be read.
    """
    files = read_run(Path(run))
    page = render_run(files, title or Path(run).resolve().name)
    return write_page(Path(out) if out is not None else Path(run) / PAGE_NAME, page)


def render_run(files: RunFiles, title: str) -> str:
    """Return the page of a training run as HTML; `title` is plain text."""
    sections = [
        render_section("Training", "Each over the epochs.", _curves(files), name="training")
    ]
    for number, evaluation in enumerate(files.evaluations.values(), start=1):
        heading = f"Evaluation on {evaluation.get('dataset', 'a dataset')}"
        note = "The best of each group is bold. RMSE and MAE in hip-spine distances."
        content = render_evaluation(evaluation)
        sections.append(render_section(heading, note, content, name=f"evaluation-{number}"))
    sections.append(render_section("Facts", "", _facts(files), name="facts"))
    return render_page(
        title, _header(files, title) + f'<main id="content">{"".join(sections)}</main>'
    )


def render_evaluation(evaluation: Mapping[str, Any]) -> str:
    """Return the tables and facts of an evaluation, as `acoustic-sense evaluate` writes it."""
    scores = evaluation["scores"]
    tables = [("By part", render_score_table("Part", part_groups(scores, tuple(BODY_PARTS))))]
    for heading, corner, key in (
        ("By activity", "Activity", "per_activity"),
        ("By take", "Take", "per_take"),
    ):
        groups = evaluation.get(key) or {}
        if groups:
            seconds = {name: group["frames"] / FRAME_RATE_HZ for name, group in groups.items()}
            by_name = {name: group["scores"] for name, group in groups.items()}
            tables.append((heading, render_score_table(corner, by_name, seconds=seconds)))
    cards = "".join(
        f'<div class="card spaced"><h3>{heading}</h3>{table}</div>' for heading, table in tables
    )
    shown = {
        name: value
        for name, value in evaluation.items()
        if name not in ("scores", "per_activity", "per_take")
    }
    return f'{cards}<div class="card spaced">{render_facts(shown)}</div>'


def _header(files: RunFiles, title: str) -> str:
    cards = [("Epochs", f"{len(files.history.get('loss', []))}", "")]
    seconds = files.metrics.get("train_seconds")
    if isinstance(seconds, int | float):
        cards.append(("Training time", f"{seconds / 60:.1f}", "min"))
    parameters = files.metrics.get("parameters")
    if isinstance(parameters, int):
        cards.append(("Parameters", f"{parameters:,}".replace(",", " "), ""))
    validation = files.metrics.get("validation")
    if isinstance(validation, Mapping) and "rmse" in validation:
        cards.append(("Validation RMSE", format_metric("rmse", validation["rmse"]), "units"))
    shown = "".join(
        f'<div class="card stat"><p class="name">{name}</p>'
        f'<p class="value">{value} <small>{unit}</small></p></div>'
        for name, value, unit in cards
    )
    encoder = files.config.get("encoder", {})
    name = encoder.get("name", "") if isinstance(encoder, Mapping) else ""
    eyebrow = " · ".join(escape(part) for part in ("training run", str(name)) if part)
    return (
        f'<header class="top"><p class="eyebrow">{eyebrow}</p><h1>{escape(title)}</h1>'
        f'<div class="grid cards">{shown}</div></header>'
    )


def _curves(files: RunFiles) -> str:
    chosen = [
        name
        for name in files.history
        if not name.startswith(VALIDATION) or name.removeprefix(VALIDATION) in SHOWN_METRICS
    ]
    return (
        '<div class="grid curves">'
        + "".join(_curve_card(name, files.history[name]) for name in chosen)
        + "</div>"
    )


def _curve_card(name: str, curve: Curve) -> str:
    values = [value if math.isfinite(value) else 0.0 for _, value in curve]
    style = "truth" if name.startswith(VALIDATION) else "estimate"
    series = {style: [max(value, 0.0) for value in values]}
    top = chart_top(series)
    best = "largest" if "pckh" in name else "smallest"
    extreme = max(values) if best == "largest" else min(values)
    text = f"{best} {extreme:.4g}, last {values[-1]:.4g}"
    chart = line_chart(series, f"{name} over {len(values)} epochs: {text}", top=top)
    first, last = curve[0][0], curve[-1][0]
    return (
        f'<div class="card curve"><h3>{escape(name.replace("_", " "))}</h3>'
        f'<div class="lane-chart">{chart}<span class="axis plain" style="top:3px">{top:g}</span>'
        f'<span class="axis plain" style="bottom:3px">0</span></div>'
        f'<p class="change">epochs {first:g} to {last:g} · {text}</p></div>'
    )


def _facts(files: RunFiles) -> str:
    columns = (
        ("Settings", files.config),
        ("Measured", {k: v for k, v in files.metrics.items() if not isinstance(v, Mapping)}),
        ("Versions", library_versions()),
    )
    return (
        '<div class="grid two">'
        + "".join(
            f'<div class="card"><h3>{name}</h3>{render_facts(facts)}</div>'
            for name, facts in columns
            if facts
        )
        + "</div>"
    )
