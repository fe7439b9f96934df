"""The user's own SMPL body file (.npz or the official .pkl), read without running code in it."""

import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float

from acoustic_sense.errors import SimulationError
from acoustic_sense_simulator.body.model import BodyModel
from acoustic_sense_simulator.body.restricted_pickle import read_pickled_arrays
from acoustic_sense_simulator.body.skeleton import SMPL_PARENTS

_REQUIRED = ("v_template", "f", "weights", "J_regressor", "shapedirs", "kintree_table")


def smpl_model(path: Path) -> BodyModel:
    """Read an SMPL body.

    Args:
        path: A `.npz` or `.pkl` with SMPL's arrays `v_template`, `f`, `weights`, `J_regressor`,
            `shapedirs`, `kintree_table` and, optionally, `posedirs`.

    Returns:
        The body model; read once for each path and time of change.

    Raises:
        SimulationError: The file is missing, unreadable, holds anything but arrays, or is not a
            body with SMPL's 24 joints.
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
    _check_shapes(path, arrays)
    regressor = arrays["J_regressor"].astype(np.float64)
    vertices = arrays["v_template"].astype(np.float64)
    directions = arrays["shapedirs"].astype(np.float64)
    return BodyModel(
        name=path.name,
        vertices=vertices,
        faces=arrays["f"].astype(np.int32),
        vertex_directions=directions,
        weights=arrays["weights"].astype(np.float64),
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
    return directions.astype(np.float64)


def _check_shapes(path: Path, arrays: dict[str, np.ndarray]) -> None:
    vertex_count, joint_count = len(arrays["v_template"]), len(SMPL_PARENTS)
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
                f"{path}: '{name}' has shape {found}, not {wanted}; give an SMPL body "
                "with 24 joints (SMPL-H and SMPL-X have more)"
            )
        if name in arrays and not np.isfinite(arrays[name]).all():
            raise SimulationError(f"{path}: '{name}' holds values that are not finite")
    if not np.array_equal(arrays["kintree_table"][0, 1:].astype(np.int64), SMPL_PARENTS[1:]):
        raise SimulationError(f"{path}: its joints do not form SMPL's tree; give an SMPL body")
    if not 0 <= arrays["f"].min() <= arrays["f"].max() < vertex_count:
        raise SimulationError(f"{path}: 'f' names vertices that do not exist")
