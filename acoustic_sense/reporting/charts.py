"""Charts as inline SVG that stretches with the page and takes its colours from the style sheet."""

import math
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

WIDTH, HEIGHT = 1000, 120
TICK_STEPS_S = (0.5, 1, 2, 5, 10, 20, 30, 60)


def line_chart(
    series: Mapping[str, Sequence[float] | np.ndarray], description: str, *, top: float = 0.0
) -> str:
    """Return lines over a common, evenly spaced axis; zero is the bottom.

    Args:
        series: Values by style class (`estimate`, `mean`, `truth`); drawn in this order, with
            gaps where they are not finite.
        description: What the chart says, for those who cannot see it.
        top: Value of the upper edge; by default `chart_top` of the values.
    """
    top = top or chart_top(series)
    lines = "".join(_polyline(style, values, top) for style, values in series.items())
    grid = "".join(
        f'<line class="gridline" x1="0" x2="{WIDTH}" y1="{HEIGHT * share:g}" '
        f'y2="{HEIGHT * share:g}"/>'
        for share in (0.25, 0.5, 0.75)
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(description)}">{grid}{lines}</svg>'
    )


def chart_top(series: Mapping[str, Sequence[float] | np.ndarray]) -> float:
    """Return a round number a little above every finite value."""
    finite = [np.asarray(values)[np.isfinite(values)] for values in series.values()]
    highest = max((float(np.max(values)) for values in finite if len(values)), default=1.0)
    return round_up(highest * 1.08) if highest > 0 else 1.0


def round_up(value: float) -> float:
    """Return the next of 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten.

    Examples:
        >>> round_up(0.23), round_up(7.0), round_up(10.0)
        (0.3, 8.0, 10.0)
    """
    power = 10.0 ** math.floor(math.log10(value))
    for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10):
        if value <= step * power * (1 + 1e-9):
            return float(f"{step * power:.6g}")
    return 10 * power


def time_ticks(seconds: float) -> str:
    """Return labelled ticks under a time axis of this length."""
    step = next((step for step in TICK_STEPS_S if seconds / step <= 10), seconds)
    marks = [index * step for index in range(int(seconds / step + 1e-9) + 1)]
    return (
        '<div class="ticks" aria-hidden="true">'
        + "".join(
            f'<span style="left:{100 * mark / seconds:.2f}%">{mark:g} s</span>' for mark in marks
        )
        + "</div>"
    )


def _polyline(style: str, values: Sequence[float] | np.ndarray, top: float) -> str:
    """Return a line that has gaps where values are not finite."""
    runs: list[list[str]] = [[]]
    for index, value in enumerate(values):
        if math.isfinite(value):
            x, y = WIDTH * (index + 0.5) / len(values), HEIGHT * (1 - float(value) / top)
            runs[-1].append(f"{x:.1f},{y:.1f}")
        elif runs[-1]:
            runs.append([])
    return "".join(
        f'<polyline class="line {style}" points="{" ".join(points)}"/>' for points in runs if points
    )
