"""Bodies: an SMPL-compatible person, shaped by betas and posed by joint rotations."""

from acoustic_sense_simulator.body.body import Body
from acoustic_sense_simulator.body.loading import load_body, subject_betas, subject_measures
from acoustic_sense_simulator.body.model import BodyModel
from acoustic_sense_simulator.body.skeleton import SMPL_JOINT_NAMES, SMPL_PARENTS

__all__ = [
    "SMPL_JOINT_NAMES",
    "SMPL_PARENTS",
    "Body",
    "BodyModel",
    "load_body",
    "subject_betas",
    "subject_measures",
]
