"""The user's own SMPL, SMPL-H or SMPL-X file, .npz or .pkl, read without running code in it."""

import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float

from acoustic_sense.errors import SimulationError
from acoustic_sense_simulator.body.model import BodyModel
from acoustic_sense_simulator.body.restricted_pickle import read_pickled_arrays
from acoustic_sense_simulator.body.smpl_layouts import (
    LAYOUTS,
    body_pose_directions,
    joints_followed,
    located_joints,
    merged_weights,
    shape_count,
)

_REQUIRED = ("v_template", "f", "weights", "J_regressor", "shapedirs", "kintree_table")


def smpl_model(path: Path) -> BodyModel:
    """Read an SMPL, SMPL-H or SMPL-X body; the face and the fingers of the latter two stay flat.

    Args:
        path: A `.npz` or `.pkl` with the arrays `v_template`, `f`, `weights`, `J_regressor`,
            `shapedirs`, `kintree_table` and, optionally, `posedirs`.

    Returns:
        The body model; read once for each path and time of change.

    Raises:
        SimulationError: The file is missing, unreadable, holds anything but arrays, or is not a
            body with the joints of SMPL, SMPL-H or SMPL-X.
    """
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        raise SimulationError(
            f"{path}: no such body file; give the path of your SMPL .npz or .pkl, or 'embedded'"
        ) from None
    return _read_model(path, stamp)


@lru_cache(maxsize=4)
def _read_model(path: Path, stamp: int) -> BodyModel:
    arrays = _read_arrays(path)
    missing = [name for name in _REQUIRED if name not in arrays]
    if missing:
        raise SimulationError(f"{path}: not an SMPL body, it lacks {', '.join(missing)}")
    shapes = shape_count(arrays["weights"].shape[-1], arrays["shapedirs"].shape[-1])
    arrays["shapedirs"] = arrays["shapedirs"][..., :shapes]
    return model_of_arrays(path.name, arrays, str(path))


def model_of_arrays(name: str, arrays: dict[str, np.ndarray], where: str) -> BodyModel:
    """Return the body that SMPL's, SMPL-H's or SMPL-X's arrays describe.

    Args:
        name: What to call the model.
        arrays: `v_template`, `f`, `weights`, `J_regressor`, `shapedirs` (of shapes only),
            `kintree_table` and, optionally, `posedirs`.
        where: What to call the source in messages.

    Raises:
        SimulationError: They are not such a body.
    """
    _check_shapes(where, arrays)
    parents = arrays["kintree_table"][0].astype(np.int64)
    try:
        followed = joints_followed(parents)
    except ValueError as error:
        raise SimulationError(f"{where}: {error}; give an SMPL, SMPL-H or SMPL-X body") from None
    regressor = arrays["J_regressor"].astype(np.float64)[located_joints(followed)]
    vertices = arrays["v_template"].astype(np.float64)
    directions = arrays["shapedirs"].astype(np.float64)
    return BodyModel(
        name=name,
        vertices=vertices,
        faces=arrays["f"].astype(np.int32),
        vertex_directions=directions,
        weights=merged_weights(arrays["weights"].astype(np.float64), followed),
        joints=regressor @ vertices,
        joint_directions=np.tensordot(regressor, directions, axes=(1, 0)),
        pose_directions=_pose_directions(arrays),
    )


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    if path.suffix == ".pkl":
        return read_pickled_arrays(path)
    if path.suffix != ".npz":
        raise SimulationError(f"{path}: a body file ends in .npz or .pkl")
    try:
        with np.load(path, allow_pickle=False) as data:
            return {name: data[name] for name in data.files if name in (*_REQUIRED, "posedirs")}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise SimulationError(f"{path}: not a readable .npz of plain arrays: {error}") from None


def _pose_directions(arrays: dict[str, np.ndarray]) -> Float[np.ndarray, "vertex 3 207"] | None:
    """Return the pose blend shapes, None where the file has none or only zeros."""
    directions = arrays.get("posedirs")
    if directions is None or not directions.any():
        return None
    return body_pose_directions(directions)


def _check_shapes(where: str, arrays: dict[str, np.ndarray]) -> None:
    vertex_count, joint_count = len(arrays["v_template"]), arrays["weights"].shape[-1]
    if joint_count not in LAYOUTS:
        known = ", ".join(f"{count} ({name})" for count, name in LAYOUTS.items())
        raise SimulationError(
            f"{where}: 'weights' has shape {arrays['weights'].shape}, {joint_count} joints; "
            f"give a body with {known}"
        )
    expected = {
        "v_template": (vertex_count, 3),
        "f": (-1, 3),
        "weights": (vertex_count, joint_count),
        "J_regressor": (joint_count, vertex_count),
        "shapedirs": (vertex_count, 3, -1),
        "kintree_table": (2, joint_count),
        "posedirs": (vertex_count, 3, 9 * (joint_count - 1)),
    }
    for name, shape in expected.items():
        found = arrays[name].shape if name in arrays else shape
        same_rank = len(found) == len(shape)
        if not same_rank or any(b not in (-1, a) for a, b in zip(found, shape, strict=True)):
            wanted = str(shape).replace("-1", "any")
            raise SimulationError(
                f"{where}: '{name}' has shape {found}, not {wanted}; give a whole "
                f"{LAYOUTS[joint_count]} body"
            )
        if name in arrays and not np.isfinite(arrays[name]).all():
            raise SimulationError(f"{where}: '{name}' holds values that are not finite")
    if not 0 <= arrays["f"].min() <= arrays["f"].max() < vertex_count:
        raise SimulationError(f"{where}: 'f' names vertices that do not exist")
