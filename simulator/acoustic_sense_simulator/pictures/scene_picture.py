"""The picture of a scene: from above and from the side, near and with the mirror images."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from acoustic_sense.types import Scene
from acoustic_sense_simulator.pictures.figures import new_figure
from acoustic_sense_simulator.pictures.posed_body import PosedBody, posed_body
from acoustic_sense_simulator.pictures.sound_paths import (
    BODY,
    DIRECT,
    WALL,
    WALL_AND_BODY,
    SoundPath,
    first_images,
    paths_of,
)
from acoustic_sense_simulator.room.axes import front, microphone_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARROW_M = 0.45
_UP = 1
_AXES = "xyz"
_LINES: dict[str, dict[str, Any]] = {
    DIRECT: {"color": "#1b1b1b", "linewidth": 1.4},
    WALL: {"color": "#7a7a7a", "linewidth": 0.7, "zorder": 1.5},
    BODY: {"color": "#c8401c", "linewidth": 1.4, "zorder": 3},
    WALL_AND_BODY: {"color": "#e8a33d", "linewidth": 0.6, "zorder": 1.5},
}
_LABEL: dict[str, Any] = {"textcoords": "offset points", "fontsize": 8}
_LOUDSPEAKER, _MICROPHONE, _LIT_BODY = "#2f6db3", "#2a8f57", (0.80, 0.62, 0.50)


@dataclass(frozen=True)
class _View:
    """A parallel projection: the world axes that point across and along the page, and at us."""

    name: str
    across: int
    along: int

    @property
    def depth(self) -> int:
        return 3 - self.across - self.along

    def flat(self, points: Float[np.ndarray, "... 3"]) -> Float[np.ndarray, "... 2"]:
        return np.asarray(points)[..., [self.across, self.along]]


def scene_plot(scene: Scene, pose: int = 0) -> "Figure":
    """Draw a scene: room, equipment, person, the ways of the sound, the mirror images.

    The upper pictures show the room from above and from the side: loudspeakers (directive ones with
    their cabinet and an arrow along their axis), the microphone with its front X, left Y and up Z,
    the person in one pose, and the ways that `sound_paths` describes. The lower ones show the
    images of first order of loudspeakers and microphone around it. Axes are the world's, in metres.

    Args:
        scene: What to draw; a scene without a subject is drawn without a body.
        pose: Index of the pose to draw; pose 0 is that of time zero.

    Returns:
        A figure of four axes.

    Raises:
        SimulationError: There is no such pose, or matplotlib is not installed.
    """
    figure, axes = new_figure(11, 8.6, nrows=2, ncols=2)
    body = posed_body(scene, pose) if scene.subject is not None else None
    for column, view in enumerate(_views(scene)):
        for row in (0, 1):
            _draw_room(axes[row, column], scene, view)
        _draw_body(axes[0, column], body, view)
        _draw_paths(axes[0, column], paths_of(scene, body), view)
        _draw_equipment(axes[0, column], scene, view)
        axes[0, column].set_title(f"from {view.name}")
        _draw_equipment(axes[1, column], scene, view, arrows=False)
        _draw_images(axes[1, column], scene, view)
        axes[1, column].set_title(f"images of first order, from {view.name}")
    for corner in (axes[0, 0], axes[1, 0]):
        corner.legend(
            loc="upper left", bbox_to_anchor=(0, -0.14), ncols=4, fontsize=8, frameon=False
        )
    when = f", pose {pose} at {body.time_s:.2f} s" if body is not None else ", nobody present"
    figure.suptitle(f"{scene.id or 'scene'}: {scene.room.name}{when}")
    return figure


def _views(scene: Scene) -> tuple[_View, _View]:
    """Return the view from above, and the side view that shows the most of the layout."""
    places = [scene.microphone.position_m, *(each.position_m for each in scene.loudspeakers)]
    spread = np.ptp(np.array(places), axis=0)
    return _View("above", 0, 2), _View("the side", 2 if spread[2] > spread[0] else 0, _UP)


def _draw_room(axes: Any, scene: Scene, view: _View) -> None:
    from matplotlib.patches import Rectangle

    size = np.asarray(scene.room.size_m)
    width, height = view.flat(size)
    axes.add_patch(
        Rectangle((0, 0), width, height, fill=False, linewidth=1.2, edgecolor="#444444", gid="room")
    )
    margin = 0.04 * max(width, height)
    axes.set_xlim(-margin, width + margin)
    axes.set_ylim(-margin, height + margin)
    axes.set_aspect("equal")
    axes.set_xlabel(f"{_AXES[view.across]} (m)")
    axes.set_ylabel(f"{_AXES[view.along]} (m)")
    if view.along != _UP:
        axes.invert_yaxis()


def _draw_body(axes: Any, body: PosedBody | None, view: _View) -> None:
    """Draw the facets from back to front, the lighter the more they face us."""
    from matplotlib.collections import PolyCollection

    if body is None:
        return
    corners = body.vertices[body.faces]
    order = corners[:, :, view.depth].mean(axis=1).argsort()
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    light = 0.55 + 0.45 * np.clip(normals[:, view.depth], 0, 1)
    colours = np.clip(light[order, None] * np.array(_LIT_BODY), 0, 1)
    facets = PolyCollection(
        list(view.flat(corners[order])),
        facecolors=colours,
        edgecolors=colours,
        linewidths=0.2,
        zorder=2.5,
    )
    facets.set_gid("body")
    axes.add_collection(facets)


def _draw_paths(axes: Any, paths: list[SoundPath], view: _View) -> None:
    named = set()
    for path in sorted(paths, key=lambda each: each.kind in (DIRECT, BODY)):
        label = f"over {path.kind}" if path.kind != DIRECT else "direct"
        axes.plot(
            *view.flat(path.points).T,
            **_LINES[path.kind],
            gid=f"path {path.kind}",
            label=label if path.kind not in named else None,
        )
        named.add(path.kind)


def _draw_equipment(axes: Any, scene: Scene, view: _View, arrows: bool = True) -> None:
    from matplotlib.patches import Circle

    for number, loudspeaker in enumerate(scene.loudspeakers):
        place = np.asarray(loudspeaker.position_m)
        axes.plot(*view.flat(place), "s", color=_LOUDSPEAKER, markersize=5, gid="loudspeaker")
        if not arrows:
            continue
        name = f"loudspeaker {number}" if number == 0 else f"{number}"
        axes.annotate(name, view.flat(place), (4, 8 - 16 * (number % 2)), **_LABEL)
        if loudspeaker.cabinet_radius_m:
            across, along = view.flat(place)
            circle = Circle((across, along), loudspeaker.cabinet_radius_m, gid="cabinet")
            circle.set(fill=False, edgecolor=_LOUDSPEAKER)
            axes.add_patch(circle)
            axis = front(loudspeaker.yaw_deg, loudspeaker.elevation_deg)
            _arrow(axes, view, place, axis, _LOUDSPEAKER, "")
    place = np.asarray(scene.microphone.position_m)
    axes.plot(*view.flat(place), "o", color=_MICROPHONE, markersize=5, gid="microphone")
    if arrows:
        axes.annotate("microphone", view.flat(place), (5, -12), **_LABEL)
        for name, axis in zip("XYZ", microphone_axes(scene.microphone.yaw_deg), strict=True):
            _arrow(axes, view, place, axis, _MICROPHONE, name)


def _arrow(
    axes: Any, view: _View, place: np.ndarray, axis: np.ndarray, colour: str, name: str
) -> None:
    """Draw a unit vector from a place, unless it points at us."""
    if np.linalg.norm(view.flat(axis)) < 0.05:
        return
    tip = view.flat(place + ARROW_M * axis)
    style = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.0}
    beyond = view.flat(place + 1.25 * ARROW_M * axis)
    axes.text(*beyond, name, color=colour, ha="center", va="center", fontsize=8)
    arrow = axes.annotate("", tip, view.flat(place), arrowprops=style)
    arrow.set_gid("axis")


def _draw_images(axes: Any, scene: Scene, view: _View) -> None:
    """Draw the images, and widen the picture to hold them."""
    drawn = [np.zeros(2), view.flat(np.asarray(scene.room.size_m))]
    things = [("loudspeaker", "s", _LOUDSPEAKER, each.position_m) for each in scene.loudspeakers]
    things.append(("microphone", "o", _MICROPHONE, scene.microphone.position_m))
    named = set()
    for name, marker, colour, place in things:
        points = view.flat(first_images(place, scene.room.size_m))
        axes.plot(
            *points.T,
            marker,
            color=colour,
            fillstyle="none",
            gid=f"images of {name}",
            label=None if name in named else f"images of a {name}",
        )
        drawn += list(points)
        named.add(name)
    low, high = np.min(drawn, axis=0), np.max(drawn, axis=0)
    margin = 0.05 * (high - low).max()
    axes.set_xlim(low[0] - margin, high[0] + margin)
    upwards = (low[1] - margin, high[1] + margin)
    axes.set_ylim(upwards if view.along == _UP else upwards[::-1])
