"""Tables of metrics: a row for each group of frames or joints, methods side by side."""

from collections.abc import Mapping
from html import escape

Scores = Mapping[str, Mapping[str, float]]
"""Method, then metric, to value."""

SHOWN_METRICS = {"rmse": "RMSE", "mae": "MAE", "pckh@0.5": "PCKh@0.5"}
"""Metrics that tables show, and what to call them."""

LOWER_IS_BETTER = ("rmse", "mae")

METHOD_NAMES = {
    "model": "model",
    "mean_pose": "mean pose",
    "nearest_neighbour": "nearest neighbour",
}


def format_metric(key: str, value: float) -> str:
    """Return a metric as people read it: shares in per cent, errors with three digits.

    Examples:
        >>> format_metric("pckh@0.5", 0.482), format_metric("rmse", 0.5)
        ('48 %', '0.500')
    """
    return f"{100 * value:.0f} %" if key.startswith("pckh") else f"{value:.3f}"


def part_groups(scores: Scores, parts: tuple[str, ...]) -> dict[str, dict[str, dict[str, float]]]:
    """Return the scores of the whole body and of each part, from metrics named `rmse/arm`."""
    groups = {}
    for part in ("", *parts):
        suffix = f"/{part}" if part else ""
        groups[part or "whole body"] = {
            method: {key: metrics[key + suffix] for key in SHOWN_METRICS if key + suffix in metrics}
            for method, metrics in scores.items()
        }
    return groups


def render_score_table(
    corner: str,
    groups: Mapping[str, Scores],
    *,
    seconds: Mapping[str, float] | None = None,
    described_by: str = "",
) -> str:
    """Return a table with the best method of each row and metric in bold.

    Args:
        corner: What the rows are; plain text.
        groups: Scores of each row.
        seconds: Length of each row's frames, for a column of its own.
        described_by: Identity of the element that explains the table.
    """
    first = next(iter(groups.values()))
    methods = list(first)
    keys = [key for key in SHOWN_METRICS if all(key in first[method] for method in methods)]
    length_head = '<th rowspan="2" scope="col">seconds</th>' if seconds is not None else ""
    head = "".join(
        f'<th scope="colgroup" colspan="{len(methods)}">{SHOWN_METRICS[key]}</th>' for key in keys
    )
    names = "".join(
        f'<th scope="col">{escape(METHOD_NAMES.get(name, name))}</th>' for name in methods
    )
    rows = []
    for name, scores in groups.items():
        length = f"<td>{seconds[name]:.1f}</td>" if seconds is not None else ""
        cells = "".join(_cells(key, scores, methods) for key in keys)
        label = escape(name.replace("_", " ").replace("-", " "))
        rows.append(f'<tr><th scope="row">{label}</th>{length}{cells}</tr>')
    described = f' aria-describedby="{described_by}"' if described_by else ""
    return (
        f'<div class="scroll"><table{described}><thead><tr><th rowspan="2" scope="col">'
        f"{escape(corner)}</th>{length_head}{head}</tr><tr>{names * len(keys)}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _cells(key: str, scores: Scores, methods: list[str]) -> str:
    values = [scores[method].get(key) for method in methods]
    known = [value for value in values if value is not None]
    best = (min(known) if key in LOWER_IS_BETTER else max(known)) if known else None
    alone = known.count(best) == 1 if best is not None else False
    return "".join(
        "<td>-</td>"
        if value is None
        else f'<td class="best">{format_metric(key, value)}</td>'
        if alone and value == best
        else f"<td>{format_metric(key, value)}</td>"
        for value in values
    )
