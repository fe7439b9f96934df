"""Tables of scores: each method's errors, the mean pose always among them."""

from collections.abc import Mapping, Sequence

from acoustic_sense.cli.terminal import print_table

Scores = Mapping[str, Mapping[str, float]]

METHOD_NAMES = {
    "mean_pose": "mean pose",
    "nearest_neighbour": "nearest neighbour",
    "model": "model",
}
"""What to call each method, in the order of the rows."""

HEADLINE = {"rmse": "RMSE", "mae": "MAE", "pckh@0.5": "PCKh@0.5"}
"""Metrics that the command line shows, where a task has them."""

UNIT_NOTE = "errors in hip-spine distances; PCKh@0.5: share of joints within half a head"


def shown_metrics(scores: Scores) -> list[str]:
    """Return the metrics to show: the headline ones of a pose, or all of another task's."""
    names = [name for metrics in scores.values() for name in metrics]
    headline = [name for name in HEADLINE if name in names]
    return headline or list(dict.fromkeys(name for name in names if "/" not in name))


def methods(scores: Scores) -> list[str]:
    """Return the methods that were scored, the mean pose first and the model last."""
    others = [name for name in scores if name not in METHOD_NAMES]
    return [*(name for name in METHOD_NAMES if name in scores), *others]


def method_rows(scores: Scores, suffix: str = "") -> list[tuple[str, ...]]:
    """Return a row for each method: its name and its metrics.

    Args:
        scores: Metrics by method.
        suffix: Part of the body, e.g. `/arm`; empty for all of it.
    """
    names = shown_metrics(scores)
    return [
        (
            METHOD_NAMES.get(method, method),
            *(_number(scores[method].get(f"{name}{suffix}")) for name in names),
        )
        for method in methods(scores)
    ]


def print_scores(title: str, scores: Scores) -> None:
    """Print a row for each method."""
    columns = [HEADLINE.get(name, name) for name in shown_metrics(scores)]
    print_table(title, ("estimate", *columns), method_rows(scores), numbers_from=1)


def print_part_scores(scores: Scores, parts: Sequence[str]) -> None:
    """Print a row for each part of the body and method, if the task has parts."""
    measured = {name for metrics in scores.values() for name in metrics}
    rows = [
        (part, *row)
        for part in parts
        if any(name.endswith(f"/{part}") for name in measured)
        for row in method_rows(scores, f"/{part}")
    ]
    columns = [HEADLINE.get(name, name) for name in shown_metrics(scores)]
    if rows:
        print_table("by part", ("part", "estimate", *columns), rows, numbers_from=2)


def print_group_scores(title: str, groups: Mapping[str, tuple[float, Scores]]) -> None:
    """Print a row for each group of frames and method.

    Args:
        title: What groups them, e.g. `by activity`.
        groups: Seconds and scores by name.
    """
    rows = [
        (name, f"{seconds:.1f} s", *row)
        for name, (seconds, scores) in groups.items()
        for row in method_rows(scores)
    ]
    if rows:
        first = next(iter(groups.values()))[1]
        columns = [HEADLINE.get(name, name) for name in shown_metrics(first)]
        print_table(
            title, (title.split()[-1], "length", "estimate", *columns), rows, numbers_from=3
        )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
