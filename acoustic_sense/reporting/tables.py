"""Tables and lists of numbers as HTML."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from acoustic_sense.constants import BODY_PARTS, JOINT_NAMES
from acoustic_sense.reporting.report import Report
from acoustic_sense.reporting.score_tables import (
    LOWER_IS_BETTER,
    SHOWN_METRICS,
    format_metric,
    part_groups,
    render_score_table,
)

MOST_ITEMS = 8
"""Most items of a list that are written out."""


def render_stat_cards(report: Report) -> str:
    """Return the three headline numbers, the estimate's beside the mean pose's."""
    cards = []
    for key, name in SHOWN_METRICS.items():
        value, mean = report.model_metrics[key], report.mean_metrics[key]
        shown, unit = format_metric(key, value), ""
        if key in LOWER_IS_BETTER:
            unit = f" <small>units, {value * report.unit_cm:.1f} cm</small>"
        cards.append(
            f'<div class="card stat"><p class="name">{name}</p>'
            f'<p class="value">{shown}{unit}</p>'
            f'<p class="change">mean pose {format_metric(key, mean)} · '
            f"{comparison(key, value, mean)}</p></div>"
        )
    return f'<div class="grid cards">{"".join(cards)}</div>'


def comparison(key: str, value: float, mean: float) -> str:
    """Return in words how a metric compares with the mean pose's, as HTML."""
    if key in LOWER_IS_BETTER:
        change = 100 * (1 - value / mean) if mean > 0 else 0.0
        good, text = change > 0, f"{abs(change):.0f} % {'less' if change >= 0 else 'more'}"
    else:
        change = 100 * (value - mean)
        good, text = change > 0, f"{abs(change):.0f} points {'more' if change >= 0 else 'less'}"
    if abs(change) < 0.5:
        return "the same"
    return f'<span class="{"better" if good else "worse"}">{text}</span>'


def render_metrics_table(report: Report) -> str:
    """Return the metrics of estimate and mean pose, whole body and parts."""
    scores = {"estimate": report.model_metrics, "mean_pose": report.mean_metrics}
    table = render_score_table(
        "Part", part_groups(scores, tuple(BODY_PARTS)), described_by="metrics-note"
    )
    return (
        '<p class="note" id="metrics-note">Over the whole take. RMSE and MAE in hip-spine '
        f"distances; for this person one is {report.unit_cm:.1f} cm. The better of each pair is "
        f"bold.</p>{table}"
    )


def render_joint_bars(report: Report) -> str:
    """Return each joint's mean distance to the truth as a bar, the mean pose's as a mark."""
    ours, mean = report.model_joint_errors, report.mean_joint_errors
    longest = max(*ours.values(), *mean.values(), 1e-9) * 1.05
    groups = []
    for part, joints in BODY_PARTS.items():
        rows = "".join(
            _joint_row(name, ours[name], mean[name], longest)
            for name in (JOINT_NAMES[joint] for joint in joints)
        )
        groups.append(f'<div><p class="group">{part}</p>{rows}</div>')
    return f'<div class="joints">{"".join(groups)}</div>'


def _joint_row(name: str, ours: float, mean: float, longest: float) -> str:
    label = f"{name}: estimate {ours:.2f}, mean pose {mean:.2f}"
    return (
        f'<div class="joint"><span>{name}</span>'
        f'<span class="rail" role="img" aria-label="{label}" title="{label}">'
        f'<i style="width:{100 * ours / longest:.1f}%"></i>'
        f'<b style="left:{100 * mean / longest:.1f}%"></b></span>'
        f'<span class="number">{ours:.2f}</span></div>'
    )


def render_facts(facts: Mapping[str, Any]) -> str:
    """Return plain data as a list of terms; nested tables become dotted terms."""
    items = "".join(
        f"<dt>{escape(term.replace('_', ' '))}</dt><dd>{escape(value)}</dd>"
        for term, value in flatten(facts)
    )
    return f'<dl class="facts">{items}</dl>'


def flatten(facts: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return plain data as terms and texts.

    Examples:
        >>> flatten({"data": {"takes": 4, "rooms": ["hall", "room"]}, "licence": None})
        [('data · takes', '4'), ('data · rooms', 'hall, room')]
    """
    found: list[tuple[str, str]] = []
    for key, value in facts.items():
        term = f"{prefix}{key}"
        if isinstance(value, Mapping):
            found += flatten(value, f"{term} · ")
        elif value is not None and value != "" and value != [] and value != ():
            found.append((term, _text(value)))
    return found


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        shown = ", ".join(_text(item) for item in value[:MOST_ITEMS])
        return shown if len(value) <= MOST_ITEMS else f"{shown}, ... ({len(value)} in all)"
    return str(value)
