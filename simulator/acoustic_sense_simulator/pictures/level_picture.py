"""The picture of the level around a body: shadow, diffraction, reflection."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Float64

from acoustic_sense.constants import SPEED_OF_SOUND_M_S
from acoustic_sense.errors import SimulationError
from acoustic_sense.types import Scene
from acoustic_sense_simulator.pictures.figures import new_figure
from acoustic_sense_simulator.pictures.posed_body import PosedBody, posed_body
from acoustic_sense_simulator.scattering.pressure import scattered_pressure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FREQUENCIES_HZ = (500.0, 1000.0, 2000.0, 4000.0)
REACH_M = 1.2
"""How far the map reaches from the middle of the body."""
SPACING_M = 0.03

_SHOWN_DB = 12.0


def level_behind_body_plot(
    scene: Scene,
    frequencies_hz: Sequence[float] = FREQUENCIES_HZ,
    pose: int = 0,
    loudspeaker: int = 0,
    fidelity: str = "fast",
) -> "Figure":
    """Draw how much louder or quieter the body makes it around itself, without walls.

    A map of the plane at the microphone's height for each frequency: the level of the direct sound
    of one loudspeaker with the body over that without it. The loudspeaker radiates alike in all
    directions; the body, of the `medium` mesh, is rigid.

    Args:
        scene: A scene with a subject.
        frequencies_hz: Frequencies in hertz, one map each.
        pose: Index of the pose.
        loudspeaker: Which loudspeaker plays.
        fidelity: As in `scattered_pressure`; anything but `fast` takes minutes.

    Returns:
        A figure of one axes for each frequency, and that of the scale.

    Raises:
        SimulationError: The scene has no subject, no such pose or loudspeaker; a frequency or the
            fidelity is not valid; matplotlib is not installed.
    """
    columns = min(2, len(frequencies_hz))
    rows = -(-len(frequencies_hz) // columns) if columns else 0
    if not columns:
        raise SimulationError("give at least one frequency to draw")
    figure, axes = new_figure(4.6 * columns, 4.0 * rows, nrows=rows, ncols=columns, squeeze=False)
    if not 0 <= loudspeaker < len(scene.loudspeakers):
        raise SimulationError(
            f"there is no loudspeaker {loudspeaker}; the scene has 0 to "
            f"{len(scene.loudspeakers) - 1}"
        )
    body = posed_body(scene, pose, "medium")
    source = np.asarray(scene.loudspeakers[loudspeaker].position_m, dtype=float)
    height = scene.microphone.position_m[1]
    across, along = _ticks(body, scene, 0), _ticks(body, scene, 2)
    level = level_map(body, source, height, across, along, np.array(frequencies_hz), fidelity)
    for axis, frequency, shown in zip(axes.flat, frequencies_hz, level, strict=False):
        image = _draw_map(axis, shown, across, along, source, body)
        axis.set_title(f"{frequency:g} Hz")
    for unused in axes.flat[len(frequencies_hz) :]:
        unused.set_visible(False)
    figure.colorbar(image, ax=axes, label="level over that without a body (dB)", shrink=0.8)
    name = scene.id or "scene"
    figure.suptitle(f"{name}: at {height:.2f} m, pose {pose}, sound of loudspeaker {loudspeaker}")
    return figure


def level_map(
    body: PosedBody,
    source_m: Float64[np.ndarray, " 3"],
    height_m: float,
    x_m: Float64[np.ndarray, " column"],
    z_m: Float64[np.ndarray, " row"],
    frequencies_hz: Float64[np.ndarray, " frequency"],
    fidelity: str = "fast",
) -> Float64[np.ndarray, "frequency row column"]:
    """Return the level with the body over that without it, in dB; NaN inside the body.

    Args:
        body: The person.
        source_m: Where the sound comes from, metres.
        height_m: Height of the plane.
        x_m: World x of the columns.
        z_m: World z of the rows.
        frequencies_hz: Frequencies in hertz.
        fidelity: As in `scattered_pressure`.
    """
    grid = np.stack(np.meshgrid(x_m, [height_m], z_m, indexing="ij"), axis=-1)[:, 0]
    points = grid.transpose(1, 0, 2).reshape(-1, 3)
    outside = ~inside_slice(points[:, [0, 2]], body_slice(body, height_m))
    outside &= np.linalg.norm(points - source_m, axis=1) > SPACING_M / 10
    scattered = scattered_pressure(
        body.vertices,
        body.faces,
        source_m,
        points[outside],
        frequencies_hz,
        fidelity=fidelity,
    )
    distance = np.linalg.norm(points[outside] - source_m, axis=1)[:, None]
    k = 2 * np.pi * frequencies_hz / SPEED_OF_SOUND_M_S
    incident = np.exp(1j * k * distance) / (4 * np.pi * distance)
    level = np.full((len(points), len(frequencies_hz)), np.nan)
    level[outside] = 20 * np.log10(np.abs(1 + scattered / incident) + 1e-6)
    return level.T.reshape(len(frequencies_hz), len(z_m), len(x_m))


def body_slice(body: PosedBody, height_m: float) -> Float64[np.ndarray, "segment 2 2"]:
    """Return where the body's surface cuts a horizontal plane: pairs of (x, z), metres."""
    corners = body.vertices[body.faces]
    above = corners[:, :, 1] > height_m
    cut = corners[(above.any(axis=1)) & (~above.all(axis=1))]
    ends = np.roll(cut, -1, axis=1)
    rise = ends[:, :, 1] - cut[:, :, 1]
    crossed = (cut[:, :, 1] > height_m) != (ends[:, :, 1] > height_m)
    share = (height_m - cut[:, :, 1]) / np.where(crossed, rise, 1.0)
    points = (cut + share[:, :, None] * (ends - cut))[:, :, [0, 2]]
    return np.asarray(points[crossed]).reshape(-1, 2, 2)


def inside_slice(
    points: Float[np.ndarray, "point 2"], segments: Float[np.ndarray, "segment 2 2"]
) -> Bool[np.ndarray, " point"]:
    """Return which points of the plane lie inside closed outlines (crossings of a ray)."""
    (x1, y1), (x2, y2) = np.moveaxis(segments, 0, -1)
    x, y = points[:, :1], points[:, 1:]
    between = (y1 > y) != (y2 > y)
    place = x1 + (y - y1) / np.where(y1 == y2, 1.0, y2 - y1) * (x2 - x1)
    return np.asarray((between & (place > x)).sum(axis=1) % 2 == 1)


def _ticks(body: PosedBody, scene: Scene, axis: int) -> Float64[np.ndarray, " tick"]:
    """Return positions along one world axis around the body, inside the room."""
    middle = float(body.vertices[:, axis].mean())
    low, high = max(middle - REACH_M, 0.0), min(middle + REACH_M, scene.room.size_m[axis])
    return np.arange(low + SPACING_M / 2, high, SPACING_M)


def _draw_map(
    axes: Any,
    level: np.ndarray,
    across: np.ndarray,
    along: np.ndarray,
    source: np.ndarray,
    body: PosedBody,
) -> Any:
    half = SPACING_M / 2
    image = axes.imshow(
        level,
        extent=(across[0] - half, across[-1] + half, along[-1] + half, along[0] - half),
        cmap="RdBu_r",
        vmin=-_SHOWN_DB,
        vmax=_SHOWN_DB,
        interpolation="nearest",
    )
    axes.set_facecolor("#404040")
    middle = body.vertices[:, [0, 2]].mean(axis=0)
    away = middle - source[[0, 2]]
    away = 0.35 * away / max(float(np.linalg.norm(away)), 1e-9)
    start = np.array([across.mean(), along.mean()]) - 3.2 * away
    axes.annotate(
        "",
        start + away,
        start,
        arrowprops={"arrowstyle": "-|>", "color": "black", "linewidth": 1.5},
    )
    axes.set_xlabel("x (m)")
    axes.set_ylabel("z (m)")
    return image
