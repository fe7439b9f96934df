"""Motions: procedural labelled activities, embedded captures and motion files."""

from acoustic_sense_simulator.motion.activities import ACTIVITY_NAMES
from acoustic_sense_simulator.motion.making import make_motion
from acoustic_sense_simulator.motion.track import MotionTrack

__all__ = ["ACTIVITY_NAMES", "MotionTrack", "make_motion"]
