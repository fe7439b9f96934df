"""The scene seen from above and from the side, as SVG."""

from dataclasses import dataclass
from html import escape

import numpy as np
from jaxtyping import Float

from acoustic_sense.constants import JOINT_PARENTS
from acoustic_sense.types import Scene

WIDTH, MARGIN = 520.0, 34.0
UP = 1


@dataclass(frozen=True)
class View:
    """A parallel projection of the room onto two world axes.

    Attributes:
        across: World axis that points right.
        down: World axis of the vertical; 1 (height) points up, others point down the page.
        size_m: Size of the room.
    """

    across: int
    down: int
    size_m: tuple[float, float, float]

    @property
    def scale(self) -> float:
        """Pixels per metre."""
        return (WIDTH - 2 * MARGIN) / self.size_m[self.across]

    @property
    def flip(self) -> float:
        """Height that maps to the top of the picture, or 0 where the axis points down."""
        return self.size_m[self.down] if self.down == UP else 0.0

    @property
    def height(self) -> float:
        """Height of the picture in pixels."""
        return self.size_m[self.down] * self.scale + 2 * MARGIN

    def point(self, position_m: tuple[float, ...] | np.ndarray) -> tuple[float, float]:
        """Return the picture position of a world position."""
        second = float(position_m[self.down])
        second = self.flip - second if self.flip else second
        return MARGIN + float(position_m[self.across]) * self.scale, MARGIN + second * self.scale

    def path(self, *positions_m: tuple[float, ...] | np.ndarray) -> str:
        """Return world positions as the points of a polyline."""
        return " ".join("{:.1f},{:.1f}".format(*self.point(p)) for p in positions_m)


def plan_views(scene: Scene) -> tuple[View, View]:
    """Return the view from above and the side view that shows the most of the layout."""
    places = np.array(
        [scene.microphone.position_m, *(speaker.position_m for speaker in scene.loudspeakers)]
    )
    spread = np.ptp(places, axis=0)
    across = 2 if spread[2] > spread[0] else 0
    size = scene.room.size_m
    return View(0, 2, size), View(across, UP, size)


def draw_scene(
    scene: Scene,
    view: View,
    joints: Float[np.ndarray, "21 3"],
    walked: Float[np.ndarray, "frame 3"],
    description: str,
) -> str:
    """Return one view of the scene.

    Args:
        scene: The scene.
        view: From where.
        joints: The person at one moment, world, metres, shape `(21, 3)`.
        walked: Where the hips went, world, metres, shape `(frame, 3)`.
        description: What the picture shows, for those who cannot see it.
    """
    size = view.size_m
    body = "".join(
        (
            f'<rect class="wall" x="{MARGIN}" y="{MARGIN}" rx="3" '
            f'width="{size[view.across] * view.scale:.1f}" '
            f'height="{size[view.down] * view.scale:.1f}"/>',
            _dimensions(view),
            _rays(scene, view, joints[0]),
            f'<polyline class="walked" points="{view.path(*walked[::4])}"/>',
            _bones(view, joints),
            _devices(scene, view),
        )
    )
    return (
        f'<svg viewBox="0 0 {WIDTH:.0f} {view.height:.0f}" role="img" '
        f'aria-label="{escape(description)}">{body}</svg>'
    )


def wall_points(
    source_m: tuple[float, ...], receiver_m: tuple[float, ...], size_m: tuple[float, ...]
) -> list[tuple[int, np.ndarray]]:
    """Return where the six first reflections between two points meet the walls of a shoebox.

    Each point lies on the straight line from the mirror image of the source to the receiver.

    Returns:
        For each wall its normal's axis (0, 1, 2) and the point, world, metres.
    """
    source, receiver = np.array(source_m, float), np.array(receiver_m, float)
    points = []
    for axis in range(3):
        for wall in (0.0, size_m[axis]):
            image = source.copy()
            image[axis] = 2 * wall - source[axis]
            share = (wall - image[axis]) / (receiver[axis] - image[axis])
            points.append((axis, image + share * (receiver - image)))
    return points


def _rays(scene: Scene, view: View, hips: np.ndarray) -> str:
    microphone = scene.microphone.position_m
    drawn = []
    for speaker in scene.loudspeakers:
        start = speaker.position_m
        drawn += [
            f'<polyline class="ray" points="{view.path(start, point, microphone)}"/>'
            for axis, point in wall_points(start, microphone, view.size_m)
            if axis in (view.across, view.down)
        ]
        drawn.append(f'<polyline class="ray direct" points="{view.path(start, microphone)}"/>')
        if scene.subject is not None:
            line = view.path(start, hips, microphone)
            drawn.append(f'<polyline class="ray body" points="{line}"/>')
    return "".join(drawn)


def _bones(view: View, joints: np.ndarray) -> str:
    """Return the skeleton; the player moves each line by its joints."""
    lines = []
    for joint, parent in enumerate(JOINT_PARENTS):
        if parent < 0:
            continue
        (x1, y1), (x2, y2) = view.point(joints[parent]), view.point(joints[joint])
        lines.append(
            f'<line class="bone" data-from="{parent}" data-to="{joint}" '
            f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
        )
    axes = f"{view.across} {view.down} {view.flip:g} {view.scale:.4f} {MARGIN:g} {MARGIN:g}"
    return f'<g data-axes="{axes}">{"".join(lines)}</g>'


def _devices(scene: Scene, view: View) -> str:
    drawn = []
    for index, speaker in enumerate(scene.loudspeakers, start=1):
        x, y = view.point(speaker.position_m)
        drawn.append(
            f'<rect class="speaker" x="{x - 7:.1f}" y="{y - 7:.1f}" width="14" height="14" rx="3">'
            f"<title>Loudspeaker {index}</title></rect>"
        )
    x, y = view.point(scene.microphone.position_m)
    yaw = np.deg2rad(scene.microphone.yaw_deg)
    front = np.array(scene.microphone.position_m) + 0.45 * np.array(
        [np.cos(yaw), 0.0, -np.sin(yaw)]
    )
    drawn.append(
        f'<polyline class="front" fill="none" '
        f'points="{view.path(scene.microphone.position_m, front)}"/>'
        f'<circle class="microphone" cx="{x:.1f}" cy="{y:.1f}" r="7">'
        "<title>Microphone; the tick is its front</title></circle>"
    )
    return "".join(drawn)


def _dimensions(view: View) -> str:
    names = ("x", "height", "z")
    width, height = view.size_m[view.across], view.size_m[view.down]
    middle = MARGIN + height * view.scale / 2
    return (
        f'<text x="{WIDTH / 2:.0f}" y="{view.height - 11:.1f}" text-anchor="middle">'
        f"{names[view.across]} {width:.2f} m</text>"
        f'<text x="17" y="{middle:.1f}" text-anchor="middle" '
        f'transform="rotate(-90 17 {middle:.1f})">{names[view.down]} {height:.2f} m</text>'
    )
