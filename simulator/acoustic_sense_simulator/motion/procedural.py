"""Procedural motion: a person does labelled activities in their own style."""

from itertools import pairwise
from math import ceil

import numpy as np

from acoustic_sense.errors import SimulationError, suggestion
from acoustic_sense_simulator.body import Body
from acoustic_sense_simulator.motion.activities import ACTIVITY_NAMES
from acoustic_sense_simulator.motion.degrees_of_freedom import clipped
from acoustic_sense_simulator.motion.footing import grounded_root, returned_home
from acoustic_sense_simulator.motion.skeleton_pose import smpl_pose_of
from acoustic_sense_simulator.motion.style import personal_style
from acoustic_sense_simulator.motion.timeline import draw_timeline
from acoustic_sense_simulator.motion.track import MotionTrack
from acoustic_sense_simulator.motion.unrest import unrest

REACH_M = 0.7
"""Greatest horizontal distance of the root from the subject's place."""


def procedural_motion(
    body: Body,
    activities: tuple[str, ...],
    frames: int,
    rate_hz: float,
    style_seed: int,
    generator: np.random.Generator,
) -> MotionTrack:
    """Return a random sequence of activities of a person who stands at the origin facing +Z.

    Args:
        body: Who moves.
        activities: Activities to draw from; empty for all.
        frames: Number of frames.
        rate_hz: Frames per second.
        style_seed: Seed of the personal style.
        generator: Source of chance for the order and the variations.

    Raises:
        SimulationError: An activity is not known.
    """
    for name in activities:
        if name not in ACTIVITY_NAMES:
            hint = suggestion(name, ACTIVITY_NAMES) or f" known: {', '.join(ACTIVITY_NAMES)}"
            raise SimulationError(f"motion: unknown activity '{name}';{hint}")
    style = personal_style(style_seed)
    timeline = draw_timeline(activities or ACTIVITY_NAMES, frames / rate_hz, style, generator)
    # every activity is moved to its end, so that its root comes home; what is too much is cut
    times_s = np.arange(ceil(timeline.times_s[-1] * rate_hz)) / rate_hz
    angles = clipped(timeline.angles_at(times_s) + unrest(times_s, style, generator))
    pose = smpl_pose_of(angles, body.rest_joints).astype(np.float32)
    names = np.array([segment.name for segment in timeline.segments])
    starts = np.array([segment.start_s for segment in timeline.segments])
    owner = np.searchsorted(starts, times_s, side="right") - 1
    bounds = [*np.flatnonzero(np.diff(owner, prepend=-1)), len(times_s)]
    root = grounded_root(body, pose, rate_hz)
    root = returned_home(root, list(pairwise(bounds)), REACH_M)[:frames].astype(np.float32)
    return MotionTrack(pose[:frames], root, names[owner[:frames]], rate_hz)
