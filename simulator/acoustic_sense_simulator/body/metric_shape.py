"""Metric shape: shape coefficients of a person given by height and mass.

Height is that of the mesh in T-pose, mass the volume of the mesh times `DENSITY_KG_M3`. Both follow
from the betas, so betas are found that give them, as near as possible to betas given. Shape
coefficients have unit variance in the population that a body model was made from, so the length of
the shortest betas that give a height and a mass says how far out in the population such a person
is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor
from typing import Final

import numpy as np
from jaxtyping import Float

from acoustic_sense.errors import SimulationError
from acoustic_sense_simulator.body.model import BodyModel

DENSITY_KG_M3: Final = 1010.0
"""Density of a person with the air in the lungs.

Of tissues 1.06 times that of water for adults with a fifth to a quarter of fat (Siri 1961, two
components of 0.9 and 1.1 g/cm^3), less the 3 to 4 % of the body's volume that is air in the lungs.
"""

FARTHEST: Final = 5.0
"""Length of the shortest betas that a height and a mass may need, in standard deviations.

Far, because in the embedded body's own population height and mass go together more closely than in
people (correlation 0.8); bodies so far out still look like people.
"""

_SOLVED_BETAS = 10  # further ones hardly change height or mass
_HEIGHT_TOLERANCE_M, _MASS_TOLERANCE_KG = 1e-5, 1e-3
_STEPS = 40
_BISECTIONS = 16


@dataclass(frozen=True)
class Measures:
    """What a person measures.

    Attributes:
        height_m: Height of the T-pose.
        mass_kg: Mass.
    """

    height_m: float
    mass_kg: float


def measures(model: BodyModel, betas: tuple[float, ...]) -> Measures:
    """Return the height and the mass of a person.

    Args:
        model: The body model; for the embedded body its fine mesh.
        betas: Shape coefficients.

    Raises:
        SimulationError: More coefficients than the model has.
    """
    vertices, _ = model.shaped(betas)
    return Measures(float(np.ptp(vertices[:, 1])), DENSITY_KG_M3 * volume_m3(vertices, model))


def volume_m3(vertices: Float[np.ndarray, "vertex 3"], model: BodyModel) -> float:
    """Return the volume that a shaped mesh encloses, in cubic metres."""
    a, b, c = (vertices[model.faces[:, corner]] for corner in range(3))
    return float(np.sum(a * np.cross(b, c)) / 6)


def betas_of_measures(
    model: BodyModel,
    height_m: float | None,
    mass_kg: float | None,
    betas: tuple[float, ...] = (),
) -> tuple[float, ...]:
    """Return betas near those given of a person with this height and mass.

    Newton's method; each step is the shortest that meets both measures to first order.

    Args:
        model: The body model; for the embedded body its fine mesh.
        height_m: Wanted height, or None for any.
        mass_kg: Wanted mass, or None for any.
        betas: Where to start; those left out are zero.

    Returns:
        As many betas as given, at least ten where the model has them; the height is met to a
        hundredth of a millimetre, the mass to a gram.

    Raises:
        SimulationError: No such person is in the model's population.
    """
    if height_m is None and mass_kg is None:
        return betas
    model.shaped(betas)  # raises for too many
    found = _solved(model, height_m, mass_kg, np.asarray(betas, dtype=np.float64))
    near = found is not None and np.linalg.norm(found) <= FARTHEST
    if not near and not is_in_population(model, height_m, mass_kg):
        raise SimulationError(_outside(model, height_m, mass_kg))
    if found is None:
        raise SimulationError(
            f"no person of {_told(height_m, mass_kg)} was found near the betas given; leave out "
            "`betas` or bring them nearer to zero"
        )
    return tuple(float(beta) for beta in found)


def is_in_population(model: BodyModel, height_m: float | None, mass_kg: float | None) -> bool:
    """Return whether the model's population has such a person, see `FARTHEST`."""
    found = _solved(model, height_m, mass_kg, np.zeros(0))
    return found is not None and float(np.linalg.norm(found)) <= FARTHEST


def _solved(
    model: BodyModel,
    height_m: float | None,
    mass_kg: float | None,
    start: Float[np.ndarray, " beta"],
) -> Float[np.ndarray, " solved"] | None:
    """Return the betas that Newton's method comes to, None where it comes to none."""
    count = min(_SOLVED_BETAS, model.beta_count)
    found = np.concatenate([start, np.zeros(max(0, count - len(start)))])
    wanted = [height_m is not None, mass_kg is not None]
    target = np.array([height_m or 0.0, mass_kg or 0.0])
    tolerance = np.array([_HEIGHT_TOLERANCE_M, _MASS_TOLERANCE_KG])
    for _ in range(_STEPS):
        reached, slopes = _measures_and_slopes(model, found, count)
        missing = (target - reached)[wanted]
        if (np.abs(missing) <= tolerance[wanted]).all():
            return found
        found[:count] += np.linalg.pinv(slopes[wanted]) @ missing
        if np.linalg.norm(found) > 4 * FARTHEST + np.linalg.norm(start):
            return None
    return None


def _measures_and_slopes(
    model: BodyModel, betas: Float[np.ndarray, " beta"], count: int
) -> tuple[Float[np.ndarray, " 2"], Float[np.ndarray, "2 solved"]]:
    """Return height and mass, and their change with each of the first betas."""
    vertices = model.vertices + model.vertex_directions[..., : len(betas)] @ betas
    directions = model.vertex_directions[..., :count]
    top, bottom = vertices[:, 1].argmax(), vertices[:, 1].argmin()
    a, b, c = (vertices[model.faces[:, corner]] for corner in range(3))
    opposite = (np.cross(b, c), np.cross(c, a), np.cross(a, b))  # 6 dV / d corner
    corners, changes = model.faces.T.ravel(), np.concatenate(opposite)
    pull = np.stack([np.bincount(corners, axis, len(vertices)) for axis in changes.T], axis=1)
    mass_slope = DENSITY_KG_M3 / 6 * np.tensordot(pull, directions, axes=([0, 1], [0, 1]))
    height_slope = directions[top, 1] - directions[bottom, 1]
    mass = DENSITY_KG_M3 * float(np.sum(a * opposite[0])) / 6
    reached = np.array([vertices[top, 1] - vertices[bottom, 1], mass])
    return reached, np.stack([height_slope, mass_slope])


def _outside(model: BodyModel, height_m: float | None, mass_kg: float | None) -> str:
    """Return what is wrong with a height and a mass, with the range possible."""
    mean = measures(model, ())
    if height_m is not None and not is_in_population(model, height_m, None):
        low, high = _range(mean.height_m, 0.6, lambda h: is_in_population(model, h, None))
        return (
            f"no person of {_told(height_m, mass_kg)} is in the population of the body "
            f"'{model.name}': height_m goes from {ceil(low * 100) / 100:.2f} to "
            f"{floor(high * 100) / 100:.2f}"
        )
    middle = mean.mass_kg
    of_height = ""
    if height_m is not None:
        usual = _solved(model, height_m, None, np.zeros(0))
        assert usual is not None
        middle = measures(model, tuple(usual)).mass_kg
        of_height = f" at {height_m:g} m"
    low, high = _range(middle, middle, lambda m: is_in_population(model, height_m, m))
    return (
        f"no person of {_told(height_m, mass_kg)} is in the population of the body "
        f"'{model.name}': mass_kg{of_height} goes from {ceil(low)} to {floor(high)}"
    )


def _told(height_m: float | None, mass_kg: float | None) -> str:
    given = ((height_m, "m"), (mass_kg, "kg"))
    return " and ".join(f"{value:g} {unit}" for value, unit in given if value is not None)


def _range(
    middle: float, reach: float, is_possible: Callable[[float], bool]
) -> tuple[float, float]:
    """Return the bounds of what is possible around a value that is, by bisection."""
    bounds = []
    for sign in (-1.0, 1.0):
        inside, outside = 0.0, reach
        for _ in range(_BISECTIONS):
            half = (inside + outside) / 2
            inside, outside = (
                (half, outside) if is_possible(middle + sign * half) else (inside, half)
            )
        bounds.append(middle + sign * inside)
    return bounds[0], bounds[1]
