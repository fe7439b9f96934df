"""Truth of a person in a free field: a dense boundary element method, kept in files.

    python benchmarks/person_truth.py --set tuning --cache DIR [--check-mesh]

Two sets share nothing: other poses, other shapes, other positions. `tuning` is what the fast sum
may be tuned on, `held-out` what is reported. Every pose is drawn around its angles until its parts
do not intersect (a boundary element method of a surface that cuts itself is not truth). The mesh is
the embedded coarse body; its facets are split to a sixth of the wavelength, but not below 8 cm.
Facets that still lie inside another part (armpits, lips) are left out of the equation.

`DIR/<set>-<pose>-<shape>.npz`, one for each case; time exp(-i omega t), unit monopole
`exp(i k r) / (4 pi r)`, rigid surface, speed of sound 343 m/s, Y up:

| key | shape | what |
|---|---|---|
| `vertices` | vertex 3 | metres, feet on Y = 0 |
| `faces` | facet 3 | counter-clockwise from outside |
| `sources` | source 3 | metres |
| `receivers` | receiver 3 | metres |
| `frequencies` | frequency | hertz |
| `scattered` | source receiver frequency | complex64, true scattered pressure |
| `surface` | source facet frequency | complex64, true total pressure on each facet; 0 inside |
| `betas`, `pose` | 10; 24 3 | shape and axis-angle rotations in radians |
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from acoustic_sense_simulator.body import load_body

from acoustic_sense.constants import SPEED_OF_SOUND_M_S
from acoustic_sense.types import Subject

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "references"))
from dense_bem import DenseBem, exposed, interior_points, split_to, winding_numbers

FREQUENCIES_HZ = (100, 125, 160, 200, 250, 315, 400, 500, 630, 800, 1000, 1250)
SHAPES = 2
SOURCES = 3
RECEIVERS = 40
CHIEF_POINTS = 60
JITTER_DEG = 6.0

_JOINTS = {
    "hip_l": 1,
    "hip_r": 2,
    "spine": 3,
    "knee_l": 4,
    "knee_r": 5,
    "chest": 6,
    "neck": 12,
    "arm_l": 16,
    "arm_r": 17,
    "elbow_l": 18,
    "elbow_r": 19,
}

# degrees about X, Y, Z; the body faces +Z with its left arm along +X
POSES: dict[str, dict[str, dict[str, tuple[float, float, float]]]] = {
    "held-out": {
        "arms-raised": {"arm_l": (0, 0, 62), "arm_r": (0, 0, -62)},
        "t-pose": {"arm_l": (0, 0, 0), "arm_r": (0, 0, 0)},
        "squat": {
            "hip_l": (-62, 0, 14),
            "hip_r": (-62, 0, -14),
            "knee_l": (82, 0, 0),
            "knee_r": (82, 0, 0),
            "spine": (20, 0, 0),
            "arm_l": (0, -70, -15),
            "arm_r": (0, 70, 15),
        },
        "walk": {
            "hip_l": (-25, 0, 0),
            "hip_r": (20, 0, 0),
            "knee_l": (10, 0, 0),
            "knee_r": (30, 0, 0),
            "arm_l": (25, 0, -60),
            "arm_r": (-25, 0, 60),
            "elbow_l": (0, -20, 0),
            "elbow_r": (0, 25, 0),
        },
        "bow": {
            "spine": (30, 0, 0),
            "chest": (16, 0, 0),
            "hip_l": (-18, 0, 0),
            "hip_r": (-18, 0, 0),
            "arm_l": (0, 0, -55),
            "arm_r": (0, 0, 55),
        },
    },
    "tuning": {
        "reach": {"arm_l": (0, -75, -5), "arm_r": (0, 60, 20), "chest": (8, 0, 0)},
        "one-arm": {"arm_l": (0, 0, 45), "arm_r": (0, 0, 62), "neck": (0, 30, 0)},
        "crouch": {
            "hip_l": (-50, 0, 18),
            "hip_r": (-70, 0, -10),
            "knee_l": (75, 0, 0),
            "knee_r": (90, 0, 0),
            "spine": (25, 0, 0),
            "arm_l": (0, -40, -45),
            "arm_r": (0, 30, 50),
        },
        "lunge": {
            "hip_l": (-50, 0, 4),
            "hip_r": (30, 0, -4),
            "knee_l": (50, 0, 0),
            "knee_r": (20, 0, 0),
            "arm_l": (0, 0, -50),
            "arm_r": (0, 40, 30),
            "elbow_r": (0, 50, 0),
        },
        "lean": {
            "spine": (12, 15, 14),
            "chest": (8, 10, 8),
            "hip_l": (-10, 0, 12),
            "arm_l": (20, 0, -30),
            "arm_r": (0, 10, 55),
        },
    },
}
_SEEDS = {"held-out": 40_961, "tuning": 271}


def main() -> None:
    """Compute what is missing of a set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", choices=sorted(POSES), required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument(
        "--check-mesh", action="store_true", help="Halve the facets of one case and compare."
    )
    arguments = parser.parse_args()
    if arguments.check_mesh:
        check_mesh(case(arguments.set, next(iter(POSES[arguments.set])), 0))
        return
    for _ in truths(arguments.set, arguments.cache):
        pass


def truths(name: str, cache: Path) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Yield every case of a set, solved now or read from the cache."""
    cache.mkdir(parents=True, exist_ok=True)
    for shape in range(SHAPES):
        for pose in POSES[name]:
            path = cache / f"{name}-{pose}-{shape}.npz"
            if not path.exists():
                start = time.perf_counter()
                posed = case(name, pose, shape)
                aside = path.with_name(f".{path.name}")
                np.savez(aside, **posed, **solved(posed))
                aside.replace(path)
                print(f"{path.stem}: {time.perf_counter() - start:.0f} s", flush=True)
            with np.load(path, allow_pickle=False) as file:
                yield path.stem, dict(file)


def case(name: str, pose: str, shape: int) -> dict[str, np.ndarray]:
    """Return a posed person whose parts do not intersect, sources and receivers around it."""
    number = list(POSES[name]).index(pose)
    generator = np.random.default_rng([_SEEDS[name], number, shape])
    betas = np.clip(generator.normal(size=10), -2, 2)
    body = load_body(Subject(betas=tuple(map(float, betas))), "coarse")
    for _ in range(30):
        turns = np.zeros((24, 3))
        for joint, degrees in POSES[name][pose].items():
            jitter = generator.uniform(-JITTER_DEG, JITTER_DEG, size=3)
            turns[_JOINTS[joint]] = np.deg2rad(np.array(degrees) + jitter)
        vertices = body.pose_vertices(turns.reshape(1, 72), np.zeros((1, 3)))[0].astype(float)
        vertices[:, 1] -= vertices[:, 1].min()
        if intersecting_area(vertices, body.faces) < 0.004:
            break
    else:
        raise SystemExit(f"{pose}: the parts of the body intersect whatever the angles")
    middle = vertices.mean(axis=0)
    return {
        "vertices": vertices,
        "faces": body.faces,
        "sources": middle + around(SOURCES, (1.2, 3.0), generator),
        "receivers": middle + around(RECEIVERS, (1.0, 3.0), generator),
        "frequencies": np.array(FREQUENCIES_HZ, dtype=float),
        "betas": betas,
        "pose": turns,
    }


def around(
    count: int, distances_m: tuple[float, float], generator: np.random.Generator
) -> np.ndarray:
    """Return positions evenly round the vertical axis, at drawn distances and heights."""
    angles = 2 * np.pi * (np.arange(count) + generator.random(count)) / count
    angles += generator.uniform(0, 2 * np.pi)
    distances = generator.uniform(*distances_m, size=count)
    heights = generator.uniform(-0.7, 0.8, size=count)
    return np.stack([distances * np.sin(angles), heights, distances * np.cos(angles)], axis=1)


def facet_geometry(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the centres of the facets and their normals times their areas."""
    corners = vertices[faces]
    crossed = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return corners.mean(axis=1), crossed / 2


def intersecting_area(vertices: np.ndarray, faces: np.ndarray) -> float:
    """Return the share of the surface that lies inside the body, seen 3 mm out of each facet."""
    centres, vectors = facet_geometry(vertices, faces)
    areas = np.linalg.norm(vectors, axis=1)
    out = centres + 0.003 * vectors / np.maximum(areas, 1e-12)[:, None]
    buried = np.abs(winding_numbers(vertices, faces, out)) > 0.5
    return float(areas[buried].sum() / areas.sum())


def solved(posed: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the scattered pressure and the pressure on the facets."""
    vertices, faces = posed["vertices"], posed["faces"]
    sources, receivers, frequencies = posed["sources"], posed["receivers"], posed["frequencies"]
    inside = interior_points(vertices, faces, CHIEF_POINTS, np.random.default_rng(0))
    shape = len(sources), len(receivers), len(frequencies)
    scattered = np.zeros(shape, dtype=np.complex64)
    surface = np.zeros((len(sources), len(faces), len(frequencies)), dtype=np.complex64)
    for i, frequency in enumerate(frequencies):
        longest = max(SPEED_OF_SOUND_M_S / frequency / 6, 0.08)
        fine, fine_faces, parents = outside_pieces(vertices, faces, longest)
        bem = DenseBem(fine, fine_faces, frequency, inside, c=SPEED_OF_SOUND_M_S)
        pressure = bem.surface_pressure(sources)
        scattered[:, :, i] = bem.radiated(pressure, receivers).T
        areas = np.linalg.norm(facet_geometry(fine, fine_faces)[1], axis=1)
        whole = np.maximum(np.bincount(parents, areas, len(faces)), 1e-30)
        for source in range(len(sources)):
            for part, factor in ((pressure.real, 1), (pressure.imag, 1j)):
                mean = np.bincount(parents, areas * part[:, source], len(faces)) / whole
                surface[source, :, i] += (factor * mean).astype(np.complex64)
    return {"scattered": scattered, "surface": surface}


def outside_pieces(
    vertices: np.ndarray, faces: np.ndarray, longest_m: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the split facets that lie on the outside, and the facet each is part of."""
    fine, fine_faces, parents = split_to(vertices, faces, longest_m)
    kept = exposed(vertices, faces, fine, fine_faces)
    return fine, fine_faces[kept], parents[kept]


def check_mesh(posed: dict[str, np.ndarray]) -> None:
    """Print what other facets make of the truth: the mesh as it is, and split further."""
    vertices, faces = posed["vertices"], posed["faces"]
    inside = interior_points(vertices, faces, CHIEF_POINTS, np.random.default_rng(0))
    for frequency in (250.0, 500.0, 1250.0):
        reference = np.zeros(0)
        for longest in (0.055, 0.08, 1.0):
            fine, fine_faces, _ = outside_pieces(vertices, faces, longest)
            bem = DenseBem(fine, fine_faces, frequency, inside, c=SPEED_OF_SOUND_M_S)
            field = bem.scattered(posed["sources"], posed["receivers"])
            reference = reference if reference.size else field
            error = np.linalg.norm(field - reference) / np.linalg.norm(reference)
            print(f"{frequency:.0f} Hz, {len(fine_faces)} facets: {error:.4f} off the finest")


if __name__ == "__main__":
    main()
