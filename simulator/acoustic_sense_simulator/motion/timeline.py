"""Timeline: a random sequence of activities as key poses in time, and the angles between them."""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BPoly, PchipInterpolator

from acoustic_sense_simulator.motion.activities import VARIANTS, Activity, Pose
from acoustic_sense_simulator.motion.degrees_of_freedom import INDEX, NAMES, clipped
from acoustic_sense_simulator.motion.style import Style

_GLANCE_DEG = 10.0  # head turn between activities, at most


@dataclass(frozen=True)
class Segment:
    """When an activity is done, in seconds from the beginning of the take."""

    name: str
    start_s: float
    end_s: float


@dataclass(frozen=True, eq=False)
class Timeline:
    """Key poses and the activities that they belong to.

    Attributes:
        times_s: Times of the keys, ascending, shape `(key,)`.
        angles: Poses of the keys, shape `(key, dof)`, degrees.
        segments: The activities, one after another without gaps.
    """

    times_s: np.ndarray
    angles: np.ndarray
    segments: tuple[Segment, ...]

    def angles_at(self, times_s: np.ndarray) -> np.ndarray:
        """Return the angles at the times given, shape `(frame, dof)`, degrees.

        Between two keys each degree of freedom follows the quintic that has no acceleration at
        either key and, at both, the slope of a monotone cubic through all keys. Where that slope
        is zero, as at every turning point, this is the minimum-jerk movement.

        References:
            Flash and Hogan, "The coordination of arm movements", J. Neuroscience 5 (1985).
            Fritsch and Butland, SIAM J. Sci. Stat. Comput. 5 (1984), for the slopes.
        """
        slopes = PchipInterpolator(self.times_s, self.angles).derivative()(self.times_s)
        slopes[[0, -1]] = 0
        derivatives = np.stack([self.angles, slopes, np.zeros_like(slopes)], axis=1)
        return np.asarray(BPoly.from_derivatives(self.times_s, derivatives)(times_s))


def draw_timeline(
    names: tuple[str, ...], seconds: float, style: Style, generator: np.random.Generator
) -> Timeline:
    """Draw activities until the take is filled.

    Activities come in shuffled rounds, so that each appears once before any appears again.

    Args:
        names: Activities to draw from.
        seconds: Length of the take; the timeline reaches at least that far.
        style: Who moves.
        generator: Source of chance.
    """
    builder = _Builder(style, generator)
    while builder.now_s <= seconds:
        for name in generator.permutation(names):
            choices = [variant for variant in VARIANTS if variant.name == name]
            builder.add(choices[int(generator.integers(len(choices)))])
            if builder.now_s > seconds:
                break
    return builder.timeline()


class _Builder:
    """Collects keys; starts and ends at the neutral stand."""

    def __init__(self, style: Style, generator: np.random.Generator) -> None:
        self.style, self.generator = style, generator
        self.now_s = 0.0
        self.times: list[float] = [0.0]
        self.poses: list[np.ndarray] = [style.neutral]
        self.segments: list[Segment] = []

    def add(self, activity: Activity) -> None:
        """Append one activity and the way back to neutral."""
        start_s = self.now_s
        repeats = int(self.generator.integers(activity.repeats[0], activity.repeats[1] + 1))
        left_handed = self.generator.random() < self.style.left_handed
        amplitude = self.style.amplitude * self.generator.uniform(0.92, 1.06)
        tempo = self.style.tempo * self.generator.uniform(0.9, 1.12)
        for key in activity.keys(repeats, mirror=activity.either_side and left_handed):
            self._put(key.seconds / tempo, self._posed(key.pose, amplitude))
        neutral = self.style.neutral.copy()
        neutral[INDEX["head_turn"]] += self.generator.uniform(-_GLANCE_DEG, _GLANCE_DEG)
        self._put(activity.settle_s / tempo, neutral)
        self.segments.append(Segment(activity.name, start_s, self.now_s))

    def _posed(self, pose: Pose, amplitude: float) -> np.ndarray:
        angles = self.style.neutral.copy()
        jitter = self.generator.uniform(0.97, 1.03, len(NAMES))
        for name, value in pose.items():
            shared = jitter[INDEX[name.replace("right_", "left_")]]  # legs must agree
            angles[INDEX[name]] += amplitude * shared * (value - angles[INDEX[name]])
        return clipped(angles)

    def _put(self, seconds: float, pose: np.ndarray) -> None:
        self.now_s += seconds
        self.times.append(self.now_s)
        self.poses.append(pose)

    def timeline(self) -> Timeline:
        """Return what was collected."""
        return Timeline(np.array(self.times), np.stack(self.poses), tuple(self.segments))
