"""The physics of the simulator against exact solutions and laws.

Run `python benchmarks/physics.py`; it writes `benchmarks/results/physics.json`:

- `sphere`: a sphere of 5,120 facets, rigid and locally reacting, against the exact series: relative
  error of the scattered field over receivers in all directions, at each third octave;
- `reciprocity`: source and receiver exchanged, for the sphere and for posed people: norm of the
  difference over the norm of the scattered pressure, over all pairs of places;
- `linearity`: how far the rendered sound of a mixture is from the mixture of rendered sounds, and
  that of a louder playback from a louder sound, over the peak;
- `time_domain`: the response that is rendered against the frequency-domain sum, all four channels,
  for posed people, rigid and clothed;
- `doppler`: the pitch of a tone that a moving sphere throws back, against theory.

`--only NAME ...` measures some parts and keeps the others of the file as they are.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from acoustic_sense_simulator import scattered_pressure
from acoustic_sense_simulator.generation.threads import single_thread
from acoustic_sense_simulator.scattering.boundary import HIGH, boundary_pressure
from acoustic_sense_simulator.scattering.sphere import admittance
from person_truth import around
from posed_people import person_in_room
from provenance import provenance

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "references"))
from sphere_series import scattered_by_sphere

RESULT = Path(__file__).parent / "results" / "physics.json"
SEED = 2611

THIRD_OCTAVES_HZ = (
    *(125.0, 160.0, 200.0, 250.0, 315.0, 400.0, 500.0, 630.0),
    *(800.0, 1000.0, 1250.0, 1600.0, 2000.0, 2500.0, 3150.0, 4000.0),
)
SPHERE_RADIUS_M = 0.25
SPHERE_SOURCE_M = np.array([1.1, 0.7, -1.3])
DIRECTIONS, DISTANCES_M = 200, (0.6, 2.0)
ABSORPTIONS = (0.0, 0.2, 0.5, 0.8)

PLACES = 6
RECIPROCITY_HZ = (100.0, 200.0, 400.0, 800.0, 1600.0, 2500.0, 4000.0)
PEOPLE = ("walk", "t-pose")


def relative(found: np.ndarray, truth: np.ndarray) -> float:
    """Return the norm of the difference over the norm of the truth."""
    return float(np.linalg.norm(found - truth) / np.linalg.norm(truth))


def by_hz(frequencies_hz: Any, values: Any) -> dict[str, float]:
    """Return values by frequency, with four significant digits."""
    return {f"{f:g}": float(f"{v:.4g}") for f, v in zip(frequencies_hz, values, strict=True)}


# ------------------------------------------------------------------------------------------- sphere


def all_directions(count: int) -> np.ndarray:
    """Return unit vectors spread evenly over the sphere (Fibonacci's lattice)."""
    index = np.arange(count) + 0.5
    height, angle = 1 - 2 * index / count, np.pi * (1 + 5**0.5) * index
    ring = np.sqrt(1 - height**2)
    return np.stack([ring * np.cos(angle), ring * np.sin(angle), height], axis=1)


def sphere() -> dict[str, Any]:
    """Return the errors of both fidelities, for every absorption."""
    mesh = trimesh.creation.icosphere(4, radius=SPHERE_RADIUS_M)
    behind = -SPHERE_SOURCE_M / np.linalg.norm(SPHERE_SOURCE_M)
    directions = np.concatenate([all_directions(DIRECTIONS), behind[None]])
    receivers = np.concatenate([distance * directions for distance in DISTANCES_M])
    return {
        "facets": len(mesh.faces),
        "radius_m": SPHERE_RADIUS_M,
        "source_distance_m": round(float(np.linalg.norm(SPHERE_SOURCE_M)), 3),
        "receiver_distances_m": DISTANCES_M,
        "receivers": len(receivers),
        "models": [
            sphere_errors(mesh, receivers, absorption, fidelity)
            for absorption in ABSORPTIONS
            for fidelity in ("fast", "high")
        ],
    }


def sphere_errors(
    mesh: trimesh.Trimesh, receivers: np.ndarray, absorption: float, fidelity: str
) -> dict[str, Any]:
    """Return the error of one fidelity and absorption at every third octave."""
    beta, frequencies = admittance(absorption), np.array(THIRD_OCTAVES_HZ)
    start = time.process_time()
    found = scattered_pressure(
        *(mesh.vertices, mesh.faces, SPHERE_SOURCE_M, receivers, frequencies),
        absorption=absorption,
        fidelity=fidelity,
    )
    seconds = time.process_time() - start
    truth = np.stack(
        [
            scattered_by_sphere(SPHERE_RADIUS_M, SPHERE_SOURCE_M, receivers, frequency, beta)
            for frequency in frequencies
        ],
        axis=1,
    )
    columns = range(len(frequencies))
    errors = [relative(found[:, i], truth[:, i]) for i in columns]
    last = [len(receivers) // len(DISTANCES_M) * (n + 1) - 1 for n in range(len(DISTANCES_M))]
    return {
        "fidelity": fidelity,
        "absorption": absorption,
        "relative_error_by_hz": by_hz(frequencies, errors),
        "directly_behind_by_hz": by_hz(
            frequencies, [relative(found[last, i], truth[last, i]) for i in columns]
        ),
        "relative_error_worst": round(max(errors), 4),
        "worst_at_hz": float(frequencies[int(np.argmax(errors))]),
        "cpu_s_per_frequency": round(seconds / len(frequencies), 3),
    }


# -------------------------------------------------------------------------------------- reciprocity


def reciprocity() -> list[dict[str, Any]]:
    """Return the differences for the sphere and for people, fast and high."""
    generator = np.random.default_rng(SEED)
    ball = trimesh.creation.icosphere(4, radius=SPHERE_RADIUS_M)
    bodies = {"sphere": (np.asarray(ball.vertices), np.asarray(ball.faces))}
    for pose in PEOPLE:
        bodies[f"person, {pose}"] = person_in_room(pose)
    rows = []
    for name, (vertices, faces) in bodies.items():
        places = vertices.mean(axis=0) + around(PLACES, (1.0, 3.0), generator)
        for fidelity in ("fast", "high"):
            rows.append({"body": name, "facets": len(faces), "fidelity": fidelity})
            rows[-1] |= exchanged(transfers(vertices, faces, places, fidelity))
    return rows


def transfers(
    vertices: np.ndarray, faces: np.ndarray, places: np.ndarray, fidelity: str
) -> np.ndarray:
    """Return the scattered pressure from every place to every place, frequencies last.

    `high` is what `scattered_pressure` solves, for all sources at once.
    """
    frequencies = np.array(RECIPROCITY_HZ)
    if fidelity == "high":
        return boundary_pressure(vertices, faces, places, places, frequencies, 0.0, HIGH)
    return np.stack(
        [scattered_pressure(vertices, faces, place, places, frequencies) for place in places]
    )


def exchanged(pressure: np.ndarray) -> dict[str, Any]:
    """Return how far the pressures change when source and receiver are exchanged."""
    first, second = np.triu_indices(len(pressure), 1)
    there, back = pressure[first, second], pressure[second, first]
    mean = (there + back) / 2
    difference = np.linalg.norm(there - back, axis=0) / np.linalg.norm(mean, axis=0)
    return {
        "pairs": len(first),
        "difference_by_hz": by_hz(RECIPROCITY_HZ, difference),
        "difference_worst": round(float(difference.max()), 4),
        "difference_all": round(relative(there, back), 4),
    }


PARTS: dict[str, Callable[[], Any]] = {
    "sphere": sphere,
    "reciprocity": reciprocity,
    "linearity": lambda: import_module("physics_rendering").linearity(),
    "time_domain": lambda: import_module("physics_rendering").time_domain(),
    "doppler": lambda: import_module("physics_rendering").doppler(),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    before = provenance("numpy", "scipy", "numba", "trimesh")
    result: dict[str, Any] = {"benchmark": "physics"}
    if len(arguments.only) < len(PARTS) and arguments.out.exists():
        result = json.loads(arguments.out.read_text(encoding="utf-8"))
    with single_thread():
        for name in arguments.only:
            result[name] = PARTS[name]()
            print(f"{name}: {json.dumps(result[name], indent=1)}", flush=True)
    result.setdefault("provenance", {}).update({name: before for name in arguments.only})
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
