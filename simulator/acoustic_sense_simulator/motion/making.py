"""Make the motion that a scene asks for."""

from math import ceil
from pathlib import Path

import numpy as np

from acoustic_sense.errors import SimulationError
from acoustic_sense.types import Scene
from acoustic_sense_simulator.body import Body
from acoustic_sense_simulator.motion.arm_clearance import kept_off
from acoustic_sense_simulator.motion.embedded_captures import embedded_captures
from acoustic_sense_simulator.motion.motion_file import read_motion_file
from acoustic_sense_simulator.motion.placing import placed
from acoustic_sense_simulator.motion.procedural import procedural_motion
from acoustic_sense_simulator.motion.replay import replayed
from acoustic_sense_simulator.motion.track import MotionTrack


def make_motion(scene: Scene, body: Body, generator: np.random.Generator) -> MotionTrack:
    """Return the subject's movement in world coordinates.

    Args:
        scene: Gives the length, the kind of motion, the place and the style.
        body: The subject's body.
        generator: Source of chance.

    Returns:
        `ceil(seconds * rate_hz) + 1` frames, the first at time zero.

    Raises:
        SimulationError: The scene has no subject, an activity is unknown, or a motion file cannot
            be used.
    """
    subject, motion = scene.subject, scene.motion
    if subject is None:
        raise SimulationError("the scene has no subject, so nothing moves; give it one")
    frames = ceil(scene.seconds * motion.rate_hz) + 1
    rate_hz = motion.rate_hz
    if motion.source == "cmu":
        captures = kept_off(embedded_captures(), body)
        track = replayed(captures, body, frames, rate_hz, generator, random_start=True)
    elif motion.source == "file":
        capture = read_motion_file(Path(motion.path), body.rest_joints)
        track = replayed([capture], body, frames, rate_hz, generator, random_start=False)
    else:
        track = procedural_motion(
            body, motion.activities, frames, rate_hz, subject.style_seed, generator
        )
    return placed(track, body, subject.position_m, subject.heading_deg)
