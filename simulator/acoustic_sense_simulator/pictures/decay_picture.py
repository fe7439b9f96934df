"""The picture of a room's decay: energy that is still to come, octave by octave."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Float64
from scipy.signal import butter, sosfilt

from acoustic_sense.errors import SimulationError
from acoustic_sense.types import Scene
from acoustic_sense.types.scene import ABSORPTION_BANDS_HZ
from acoustic_sense_simulator.empty_room import room_responses
from acoustic_sense_simulator.pictures.figures import new_figure
from acoustic_sense_simulator.room.decay import reverberation_time

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OCTAVES_HZ = ABSORPTION_BANDS_HZ[:6]
FITTED_DB = (-5.0, -35.0)
"""Between which levels the decay is fitted (T30 of ISO 3382)."""

_FLOOR_DB = -65.0
_SHOWN = 400


def decay_plot(scene: Scene, loudspeaker: int = 0) -> "Figure":
    """Draw how the sound of the empty room dies away at the microphone's W.

    For each octave: the energy that is still to come (Schroeder's backward integration), a straight
    line through -5 to -35 dB, and the time in which that falls by 60 dB beside the reverberation
    time by statistics (with the air's absorption).

    Args:
        scene: Room, loudspeakers and microphone; the rest does not matter.
        loudspeaker: Which loudspeaker plays.

    Returns:
        A figure of one axes.

    Raises:
        SimulationError: There is no such loudspeaker, something stands outside the room, or
            matplotlib is not installed.

    References:
        ISO 3382-2:2008. Schroeder: New method of measuring reverberation time, J. Acoust. Soc. Am.
        37, 1965.
    """
    figure, axes = new_figure(7.5, 4.8)
    if not 0 <= loudspeaker < len(scene.loudspeakers):
        raise SimulationError(
            f"there is no loudspeaker {loudspeaker}; the scene has 0 to "
            f"{len(scene.loudspeakers) - 1}"
        )
    alone = replace(scene, loudspeakers=(scene.loudspeakers[loudspeaker],))
    response = room_responses(alone)[0, 0].astype(np.float64)
    rate, longest = scene.sample_rate_hz, 0.0
    statistics = reverberation_time(scene.room)
    for number, (centre, expected) in enumerate(zip(OCTAVES_HZ, statistics, strict=False)):
        level = remaining_level(octave_band(response, centre, rate))
        found, start_db = fitted_decay(level, rate)
        shown = np.arange(0, max(1, int(np.argmax(level < _FLOOR_DB)) or len(level)))
        shown = shown[:: max(1, len(shown) // _SHOWN)]
        label = f"{centre:g} Hz: {found:.2f} s (statistics {expected:.2f} s)"
        (line,) = axes.plot(shown / rate, level[shown], color=f"C{number}", label=label)
        line.set_gid(f"decay {centre:g}")
        ends = np.array([0.0, -found * (_FLOOR_DB - start_db) / 60])
        axes.plot(
            *(ends, start_db - 60 * ends / found),
            color=f"C{number}",
            linewidth=0.8,
            linestyle=":",
            gid=f"fit {centre:g}",
        )
        longest = max(longest, shown[-1] / rate)
    axes.set_xlim(0, longest)
    axes.set_ylim(_FLOOR_DB, 2)
    axes.set_xlabel("time after the impulse (s)")
    axes.set_ylabel("energy still to come (dB)")
    axes.legend(title="octave: time to fall by 60 dB", fontsize=8, frameon=False)
    tail = "with" if scene.room.late_tail else "without"
    axes.set_title(
        f"{scene.room.name}: images to order {scene.room.image_order}, {tail} diffuse tail"
    )
    return figure


def octave_band(
    response: Float[np.ndarray, " sample"], centre_hz: float, sample_rate_hz: int
) -> Float64[np.ndarray, " sample"]:
    """Return a response through one octave filter (Butterworth, order 4)."""
    edges = [centre_hz / 2**0.5, centre_hz * 2**0.5]
    sections = butter(4, edges, "bandpass", fs=sample_rate_hz, output="sos")
    return np.asarray(sosfilt(sections, response))


def remaining_level(response: Float[np.ndarray, " sample"]) -> Float64[np.ndarray, " sample"]:
    """Return the energy from each sample to the end over the whole energy, in dB."""
    left = np.cumsum(response[::-1] ** 2)[::-1]
    return np.asarray(10 * np.log10(left / left[0] + 1e-30))


def fitted_decay(
    level_db: Float[np.ndarray, " sample"], sample_rate_hz: int
) -> tuple[float, float]:
    """Return the time to fall by 60 dB, and the fitted line's level at time zero.

    Args:
        level_db: As `remaining_level` returns it.
        sample_rate_hz: Samples per second.

    Examples:
        >>> level = np.linspace(0, -120, 1001)
        >>> [round(value, 6) for value in fitted_decay(level, 1000)]
        [0.5, 0.0]
    """
    high, low = FITTED_DB
    start, stop = int(np.argmax(level_db < high)), int(np.argmax(level_db < low))
    time_s = np.arange(start, stop) / sample_rate_hz
    slope, offset = np.polyfit(time_s, level_db[start:stop], 1)
    return float(-60 / slope), float(offset)
