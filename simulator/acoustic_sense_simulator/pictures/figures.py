"""Figures: made without a window, written without a date."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acoustic_sense.errors import SimulationError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOTS_PER_INCH = 110
FORMATS = ("png", "svg")
"""Endings that `write_figure` knows."""

_STYLE = {
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "acoustic-sense",
}


def new_figure(width_in: float, height_in: float, **subplots: Any) -> tuple["Figure", Any]:
    """Return an empty figure and its axes.

    Args:
        width_in: Width in inches.
        height_in: Height in inches.
        **subplots: As in `matplotlib.figure.Figure.subplots`.

    Returns:
        The figure, and one axes or an array of them.

    Raises:
        SimulationError: matplotlib is not installed.
    """
    try:
        matplotlib = import_module("matplotlib")
    except ImportError:
        raise SimulationError(
            "pictures need the package 'matplotlib'; install it with: "
            "pip install 'acoustic-sense[pictures]'"
        ) from None
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width_in, height_in), dpi=DOTS_PER_INCH, layout="constrained")
        return figure, figure.subplots(**subplots)


def write_figure(figure: "Figure", path: Path, source: str = "") -> None:
    """Write a figure, with the same bytes whenever it is written.

    Args:
        figure: What to write.
        path: A `.png` or `.svg` file.
        source: Text to keep in the file's metadata: what the picture was made from.

    Raises:
        SimulationError: The ending is neither `.png` nor `.svg`.
    """
    form = path.suffix.removeprefix(".")
    if form not in FORMATS:
        raise SimulationError(f"{path}: pictures end in .png or .svg")
    metadata: dict[str, Any] = {"Software": None} if form == "png" else {"Date": None}
    if source:
        metadata["Source"] = source
    with import_module("matplotlib").rc_context(_STYLE):
        figure.savefig(path, format=form, metadata=metadata)
