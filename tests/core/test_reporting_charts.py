"""Charts of the reports."""

import math
import re

from acoustic_sense.reporting.charts import HEIGHT, WIDTH, chart_top, line_chart


def points(svg):
    return [
        [tuple(map(float, point.split(","))) for point in line.split()]
        for line in re.findall(r'points="([^"]*)"', svg)
    ]


def test_values_that_are_missing_leave_a_gap_and_are_not_zeros():
    values = [1.0, 2.0, math.nan, 4.0, math.inf]
    (first, second) = points(line_chart({"estimate": values}, "a loss", top=4.0))
    places = [WIDTH * (i + 0.5) / 5 for i in range(5)]
    assert first == [(places[0], HEIGHT * 0.75), (places[1], HEIGHT * 0.5)]
    assert second == [(places[3], 0.0)]


def test_the_top_is_that_of_finite_values():
    assert chart_top({"a": [0.2, math.nan], "b": [math.inf, 0.9]}) == chart_top({"a": [0.9]})
    assert chart_top({"a": [math.nan]}) == 1.5
