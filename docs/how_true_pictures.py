"""The pictures of how-true-is-it.md and of the page on pictures, drawn from what was measured.

Each file keeps in its metadata the digest of what it was drawn from, so that a test can tell when a
picture is older than its data.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acoustic_sense_simulator.pictures import (
    decay_plot,
    level_behind_body_plot,
    scene_plot,
    write_figure,
)
from acoustic_sense_simulator.pictures.figures import new_figure
from acoustic_sense_simulator.sampling import GenerationConfig, scenes

from acoustic_sense.config import load_config
from acoustic_sense.types import Scene

IMAGES = Path(__file__).parent / "images"
CONFIG = Path(__file__).parent / "examples" / "configs" / "demo-dataset.toml"

Results = Mapping[str, Any]

_MODELS = {
    "no body": "#999999",
    "plain Kirchhoff": "#7b5ea7",
    "fast": "#c8401c",
    "high": "#2f6db3",
    "bem": "#2a8f57",
}
_BELOW: dict[str, Any] = {
    "loc": "outside lower center",
    "ncols": 5,
    "fontsize": 8,
    "frameon": False,
}
_KEYS = ("facets", "source_order", "microphone_order", "rate_hz")


@dataclass(frozen=True)
class Picture:
    """A picture of the documentation.

    Attributes:
        text: What it shows, for those who do not see it.
        data: What it is drawn from, of all results; None if that was not measured.
        draw: Draws that.
    """

    text: str
    data: Callable[[Results], Any]
    draw: Callable[[Any], Any]


def write_all(results: Results) -> None:
    """Write every picture whose data are there."""
    IMAGES.mkdir(exist_ok=True)
    for name, picture in PICTURES.items():
        data = picture.data(results)
        if data is not None:
            write_figure(picture.draw(data), IMAGES / f"{name}.png", digest(data))


def digest(data: Any) -> str:
    """Return the digest of what a picture is drawn from."""
    plain = data.to_json() if isinstance(data, Scene) else data
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]


def shown_scene(results: Results) -> Scene:
    """Return the scene of the pictures: the first of the demo's dataset."""
    return scenes(load_config(GenerationConfig, CONFIG))[0]


def sphere_error(models: Any) -> Any:
    """Draw the errors of the sphere over frequency."""
    figure, axes = new_figure(9, 3.9, ncols=2, sharey=True)
    for axis, fidelity in zip(axes, ("fast", "high"), strict=True):
        for model in (m for m in models if m["fidelity"] == fidelity):
            frequencies, errors = _curve(model["relative_error_by_hz"])
            absorption = model["absorption"]
            label = f"absorption {absorption:g}" if absorption else "rigid"
            axis.plot(frequencies, [100 * e for e in errors], "o-", markersize=3, label=label)
        for asked, name in ((5, "asked, rigid"), (8, "asked, absorbing")):
            axis.axhline(asked, color="black", linestyle="--", linewidth=0.8)
            axis.text(130, asked * 1.05, name, fontsize=7)
        _octaves(axis, frequencies)
        axis.set_yscale("log")
        axis.set_title(fidelity)
    axes[0].set_ylabel("error of the scattered field (%)")
    figure.legend(*axes[0].get_legend_handles_labels(), **_BELOW)
    return figure


def person_error(models: Any) -> Any:
    """Draw the errors of a person over frequency, of every model."""
    figure, (field, level) = new_figure(9, 4.0, ncols=2)
    for name, colour in _MODELS.items():
        for axis, key in ((field, "relative_error_by_hz"), (level, "level_error_db_by_hz")):
            frequencies, errors = _curve(models[name][key])
            axis.plot(frequencies, errors, "o-", markersize=3, color=colour, label=name)
    for axis, lines in (
        (field, ((0.45, "fast"), (0.2, "high"))),
        (level, ((1, "fast"), (0.5, "high"))),
    ):
        for asked, name in lines:
            axis.axhline(asked, color=_MODELS[name], linestyle="--", linewidth=0.8)
        _octaves(axis, frequencies)
    field.set_yscale("log")
    field.set_ylabel("error of the scattered field, mean")
    level.set_ylabel("rms error of the total level (dB)")
    level.set_title("dashed: asked of fast and high", fontsize=9)
    figure.legend(*field.get_legend_handles_labels(), **_BELOW)
    return figure


def cost(rows: Any) -> Any:
    """Draw CPU time over facets, orders and rate of poses, the rest as in most of the rows."""
    usual = {key: Counter(row[key] for row in rows).most_common(1)[0][0] for key in _KEYS}
    figure, axes = new_figure(10, 3.4, ncols=3, sharey=True)
    for axis, varied in zip(axes, (("facets",), _KEYS[1:3], ("rate_hz",)), strict=True):
        fixed = [key for key in _KEYS if key not in varied]
        chosen = [row for row in rows if all(row[key] == usual[key] for key in fixed)]
        chosen.sort(key=lambda row: [row[key] for key in varied])
        times = [row["cpu_s_per_audio_s"] for row in chosen]
        if len(varied) == 1:
            axis.plot([row[varied[0]] for row in chosen], times, "o-", color=_MODELS["fast"])
            axis.set_xlim(left=0)
        else:
            names = [f"{row[varied[0]]}, {row[varied[1]]}" for row in chosen]
            axis.bar(names, times, color=_MODELS["fast"], width=0.6)
    axes[0].set_ylim(bottom=0)
    axes[0].set_ylabel("CPU s per s of audio")
    axes[0].set_xlabel("facets")
    axes[1].set_xlabel("orders of reflection: source, microphone")
    axes[2].set_xlabel("poses a second")
    return figure


def _curve(by_hz: Mapping[str, float]) -> tuple[list[float], list[float]]:
    return [float(f) for f in by_hz], list(by_hz.values())


def _octaves(axis: Any, frequencies: list[float]) -> None:
    """Give an axis of frequencies a mark at every octave."""
    axis.set_xscale("log", base=2)
    marks = [f for f in (125, 250, 500, 1000, 2000, 4000) if f <= 1.01 * max(frequencies)]
    axis.set_xticks(marks, [f"{f}" for f in marks])
    axis.set_xlabel("frequency (Hz)")


PICTURES = {
    "sphere-error": Picture(
        "Error of the field that a sphere scatters, over frequency, beside the bounds asked for",
        lambda results: results.get("physics", {}).get("sphere", {}).get("models"),
        sphere_error,
    ),
    "person-error": Picture(
        "Error of field and level of a person over frequency: no body, plain Kirchhoff, fast, "
        "high, bem",
        lambda results: results.get("person_against_bem", {}).get("models"),
        person_error,
    ),
    "cost": Picture(
        "CPU time of a second of audio over facets, orders of reflection and rate of poses",
        lambda results: results.get("simulation_speed", {}).get("scaling"),
        cost,
    ),
    "scene": Picture(
        "Room from above and from the side: loudspeakers, microphone, person, ways of the sound",
        shown_scene,
        scene_plot,
    ),
    "decay": Picture(
        "Decay of a room, octave by octave, with fitted lines", shown_scene, decay_plot
    ),
    "level-behind-body": Picture(
        "Level around a person over that without, at four frequencies",
        shown_scene,
        level_behind_body_plot,
    ),
}
"""Every picture by the name of its file."""
