"""Pictures of docs/explanation/music-or-chirp.md, for `music_or_chirp.py`."""

from pathlib import Path
from statistics import mean
from typing import Any, Final

from matplotlib import rc_context
from matplotlib.figure import Figure
from music_or_chirp_page import METHODS, NAMES, Cells, Sound
from music_or_chirp_scenes import Study

BANDS: Final = "music-or-chirp-bands.png"
HEARD: Final = "music-or-chirp-heard.png"
_STYLE: Final = {"font.size": 9.0, "axes.spines.top": False, "axes.spines.right": False}
_COLOURS: Final = {"generated": "#2f6db3", "tsp": "#c8401c"}
_MARKERS: Final = {"noise": "o", "level": "o", "room": "s", "place": "^"}
_LEGENDS: Final = {"o": "noise and level", "s": "other rooms", "^": "other places"}


def write_pictures(folder: Path, study: Study, sound: Sound, cells: Cells) -> None:
    """Write the pictures of the page; those without results are left as they are."""
    with rc_context(_STYLE):
        _save(bands_figure(sound), folder / BANDS)
        if cells:
            _save(heard_figure(study, sound, cells), folder / HEARD)


def bands_figure(sound: Sound) -> Figure:
    """Draw the body's sound in octaves under either playback, over the noises."""
    figure, axes = _new_figure(6.4, 3.6)
    for criterion, levels in sound["noise_db"].items():
        axes.plot(sound["bands_hz"], levels, color="0.6", linewidth=0.9, linestyle="--")
        axes.annotate(
            f"NC-{criterion}", (sound["bands_hz"][-1], levels[-1]), (4, -3),
            textcoords="offset points", color="0.4", fontsize=8,
        )  # fmt: skip
    for playback, found in sound["playbacks"].items():
        name, colour = NAMES[playback], _COLOURS[playback]
        axes.plot(sound["bands_hz"], found["body_db"], "o-", color=colour, label=f"body, {name}")
    axes.set_xscale("log")
    axes.set_xticks(sound["bands_hz"], [f"{band:g}" for band in sound["bands_hz"]])
    axes.minorticks_off()
    axes.set_xlabel("octave, Hz")
    axes.set_ylabel("dB SPL at the microphone")
    axes.set_title(f"Playback of {sound['level_dba']:g} dB(A)")
    axes.legend(fontsize=8)
    return figure


def heard_figure(study: Study, sound: Sound, cells: Cells) -> Figure:
    """Draw each method's RMSE over that of the mean pose against how much of the body is heard."""
    figure = Figure(figsize=(9.0, 3.3), dpi=100, layout="constrained")
    panels = figure.subplots(1, len(METHODS), sharey=True)
    kinds = {c: _MARKERS[name] for name, each in reversed(study.tables.items()) for c in each}
    for axes, method in zip(panels, METHODS, strict=True):
        for playback in NAMES:
            for condition, marker in kinds.items():
                results = cells.get((playback, condition, method), ())
                relative = [r.relative_rmse for r in results if r.relative_rmse is not None]
                if relative:
                    heard = 100 * sound["conditions"][condition][playback]["heard"]["all"]
                    axes.plot(heard, mean(relative), marker, color=_COLOURS[playback])
        axes.axhline(1.0, color="0.3", linestyle=":")
        axes.set_title(method)
    figure.supxlabel("body louder than noise, % of frames and bands", fontsize=9)
    panels[0].set_ylabel("RMSE over the mean pose's")
    for playback, name in NAMES.items():
        panels[-1].plot([], [], "s", color=_COLOURS[playback], label=name)
    for marker, text in _LEGENDS.items():
        panels[-1].plot([], [], marker, color="0.5", label=text)
    panels[-1].legend(fontsize=8)
    return figure


def _new_figure(width_in: float, height_in: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(width_in, height_in), dpi=100, layout="constrained")
    return figure, figure.subplots()


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, format="png", metadata={"Software": None})
