"""Read motion files: AMASS npz (SMPL-H, SMPL-X), this project's pose.npz, and BVH."""

import zipfile
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from acoustic_sense.errors import SimulationError
from acoustic_sense_simulator.motion.bvh import read_bvh
from acoustic_sense_simulator.motion.capture import Capture
from acoustic_sense_simulator.motion.retargeting import retargeted

_BODY_VALUES = 66  # pelvis and 21 body joints, the same in SMPL, SMPL-H and SMPL-X
_PARTS = ("root_orient", "pose_body")
_RATES = ("mocap_framerate", "mocap_frame_rate")


def read_motion_file(path: Path, rest_joints: np.ndarray) -> Capture:
    """Read a recorded movement.

    Args:
        path: `.bvh` with CMU's joint names, Y up; or `.npz`, either AMASS's (`poses` of shape
            `(frame, 72)` SMPL, `(frame, 156)` SMPL-H or `(frame, 165)` SMPL-X, `trans`, and
            `mocap_framerate` or `mocap_frame_rate`, or `root_orient` and `pose_body` in
            place of `poses`; Z up as AMASS is) or this project's `pose.npz`
            (`smpl_pose`, `smpl_trans`, `rate_hz`; Y up). Hands stay flat.
        rest_joints: SMPL joints of the body's T-pose, shape `(24, 3)`, metres.

    Raises:
        SimulationError: The file is missing, of an unknown kind, or not whole.
    """
    if not str(path.name):
        raise SimulationError('motion: `source = "file"` needs `path`, an AMASS .npz or a .bvh')
    if not path.is_file():
        raise SimulationError(f"{path}: no such motion file; check `motion.path`")
    if path.suffix.lower() == ".bvh":
        return retargeted(read_bvh(path), path.stem, rest_joints)
    if path.suffix.lower() != ".npz":
        raise SimulationError(f"{path}: a motion file ends in .npz or .bvh")
    try:
        with np.load(path, allow_pickle=False) as data:
            wanted = ("poses", *_PARTS, "trans", *_RATES, "smpl_pose", "smpl_trans", "rate_hz")
            arrays = {name: data[name] for name in wanted if name in data.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise SimulationError(f"{path}: not a readable .npz of plain arrays: {error}") from None
    if "poses" not in arrays and all(name in arrays for name in _PARTS):
        arrays["poses"] = _joined_parts(path, arrays)
    if "smpl_pose" in arrays:
        return _of_dataset(path, arrays)
    return _of_amass(path, arrays)


def _joined_parts(path: Path, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Return the poses of a SMPL-X file that holds them only part by part."""
    root, body = (arrays[name] for name in _PARTS)
    if root.ndim != 2 or root.shape[1] != 3 or body.shape != (len(root), _BODY_VALUES - 3):
        raise SimulationError(
            f"{path}: 'root_orient' has shape {root.shape} and 'pose_body' {body.shape}, not "
            f"(frame, 3) and (frame, {_BODY_VALUES - 3})"
        )
    return np.concatenate([root, body], axis=1)


def _of_dataset(path: Path, arrays: dict[str, np.ndarray]) -> Capture:
    pose, trans = _checked(path, arrays, "smpl_pose", "smpl_trans")
    if "rate_hz" not in arrays:
        raise SimulationError(f"{path}: lacks 'rate_hz', the frames per second")
    return Capture(path.stem, _body_pose(pose), trans, float(arrays["rate_hz"]))


def _of_amass(path: Path, arrays: dict[str, np.ndarray]) -> Capture:
    pose, trans = _checked(path, arrays, "poses", "trans")
    rates = [name for name in _RATES if name in arrays]
    if not rates:
        raise SimulationError(f"{path}: lacks 'mocap_framerate', the frames per second")
    body = _body_pose(pose)
    upright = Rotation.from_euler("x", -90, degrees=True)  # AMASS has Z up
    body[:, 0] = (upright * Rotation.from_rotvec(body[:, 0])).as_rotvec()
    return Capture(path.stem, body, upright.apply(trans), float(arrays[rates[0]]))


def _checked(
    path: Path, arrays: dict[str, np.ndarray], pose_name: str, trans_name: str
) -> tuple[np.ndarray, np.ndarray]:
    for name in (pose_name, trans_name):
        if name not in arrays:
            raise SimulationError(f"{path}: lacks '{name}'; give an AMASS or a pose.npz file")
    pose, trans = arrays[pose_name], arrays[trans_name]
    if pose.ndim != 2 or pose.shape[1] < _BODY_VALUES or pose.dtype.kind != "f":
        raise SimulationError(
            f"{path}: '{pose_name}' has shape {pose.shape}, not (frame, 72), (frame, 156) or "
            "(frame, 165) of SMPL, SMPL-H or SMPL-X"
        )
    if trans.shape != (len(pose), 3):
        raise SimulationError(f"{path}: '{trans_name}' has shape {trans.shape}, not {len(pose), 3}")
    if not (np.isfinite(pose).all() and np.isfinite(trans).all()):
        raise SimulationError(f"{path}: holds values that are not finite; mend the file")
    return pose.astype(np.float64), trans.astype(np.float64)


def _body_pose(pose: np.ndarray) -> np.ndarray:
    """Return the rotations `(frame, 24, 3)` of the body joints, the hands flat."""
    body = np.zeros((len(pose), 24, 3))
    body[:, :22] = pose[:, :_BODY_VALUES].reshape(-1, 22, 3)
    return body
