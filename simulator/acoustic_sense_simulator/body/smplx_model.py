"""A body model taken from a live smplx model, for those who load their files with smplx already."""

from typing import Any

import numpy as np

from acoustic_sense.errors import SimulationError
from acoustic_sense_simulator.body.model import BodyModel
from acoustic_sense_simulator.body.smpl_file import model_of_arrays

_BUFFERS = ("v_template", "lbs_weights", "J_regressor", "shapedirs", "posedirs", "parents")


def model_of_smplx(layer: Any) -> BodyModel:
    """Return the body of an `smplx.SMPL`, `SMPLH` or `SMPLX` model.

    Args:
        layer: What `smplx.create` returned. Its hands count as flat, whatever `flat_hand_mean` is.

    Returns:
        The body, with the shape directions that the model was made with (`num_betas`).

    Raises:
        SimulationError: It is not such a model, or not a whole one.

    Examples:
        ```python
        layer = smplx.create("models", model_type="smplx", gender="female")
        body = Body(model_of_smplx(layer), betas=(0.5, -1.0))
        ```
    """
    missing = [name for name in (*_BUFFERS, "faces") if not hasattr(layer, name)]
    name = type(layer).__name__
    if missing:
        raise SimulationError(
            f"{name} is not a model of smplx: it lacks {', '.join(missing)}; "
            "give what smplx.create returns"
        )
    found = {key: getattr(layer, key).detach().cpu().numpy() for key in _BUFFERS}
    vertex_count = len(found["v_template"])
    arrays = {
        "v_template": found["v_template"],
        "f": np.asarray(layer.faces),
        "weights": found["lbs_weights"],
        "J_regressor": found["J_regressor"],
        "shapedirs": found["shapedirs"],
        "posedirs": found["posedirs"].T.reshape(vertex_count, 3, -1),
        "kintree_table": np.stack([found["parents"], np.arange(len(found["parents"]))]),
    }
    return model_of_arrays(name, arrays, name)
