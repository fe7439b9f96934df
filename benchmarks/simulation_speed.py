"""Seconds of audio per CPU second, beside pyroomacoustics rebuilding its room for every pose.

Ours: an AMPL-like scene, everything from poses to FLAC, one thread: a body of 5,000 facets at 60
poses a second, two directive loudspeakers, one reflection over both legs, a room of images and a
scattered tail. Two lengths are timed; the slope is the cost of a second, the intercept what a take
costs whatever its length. The track has been made for an earlier subject, as it has for all but
the first in a dataset; what making it costs is given beside. Each take is timed a few times and
the quickest counts, since other guests of a shared machine only ever slow it down; all are listed.

Beside it, in the same run: pyroomacoustics with a closed body of 512 triangles in the room, one
response per pose at 20 poses a second. Few poses are timed and the rest extrapolated; neither its
convolution nor its cross-fade is counted, and one omnidirectional microphone stands in for four,
all in its favour. torchrir's dynamic scene, where it is installed (`pip install
'acoustic-sense[bench]'`), has a moving source and its own convolution, and no body at all.

`scaling` in the result is how the cost of a second grows with facets, orders of reflection and
pose rate.

    python benchmarks/simulation_speed.py [--seconds 42] [--poses 3] [--repeats 3]
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyroomacoustics as pra
from acoustic_sense_simulator import service
from acoustic_sense_simulator.body.embedded import Facets, embedded_arrays
from acoustic_sense_simulator.generation.threads import single_thread
from acoustic_sense_simulator.sampling import GenerationConfig, scenes
from provenance import provenance
from torchrir_peer import INSTALL, installed_version, time_torchrir

from acoustic_sense.config import config_hash
from acoustic_sense.datasets import write_take
from acoustic_sense.types import Room, Scene

RESULT = Path(__file__).parent / "results" / "simulation_speed.json"
POSE_RATE_HZ = 20
SHORT_S = 12.0


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of this process during `work`."""
    start = time.process_time()
    work()
    return time.process_time() - start


def settings(seconds: float) -> GenerationConfig:
    """Return the timed configuration: generated jazz, 60 Hz bodies, one reflection in all."""
    return GenerationConfig(seed=11, seconds=seconds)


def scene_of(seconds: float, **changes: Any) -> Scene:
    """Return the timed scene with 5,000 facets, or with changes."""
    (scene,) = scenes(settings(seconds))
    rate_hz = changes.pop("rate_hz", scene.motion.rate_hz)
    motion = replace(scene.motion, rate_hz=rate_hz)
    return replace(scene, **{"facets": "medium", "motion": motion, **changes})


def time_take(scene: Scene) -> float:
    """Return the CPU time of one take, rendered and written."""
    with tempfile.TemporaryDirectory() as folder:
        return cpu_seconds(lambda: write_take(Path(folder), service.simulate(scene)))


def time_ours(seconds: float, repeats: int) -> dict[str, Any]:
    """Return the cost of a second and of a take, and how it grows."""
    time_take(scene_of(1.0))  # compiles the kernels
    timed: dict[float, list[float]] = {}
    music = 0.0
    for length in (SHORT_S, seconds):
        scene = scene_of(length)
        first = time_take(scene)
        timed[length] = [time_take(scene) for _ in range(repeats)]
        music = (first - min(timed[length])) / length
    cpu = {length: min(times) for length, times in timed.items()}
    per_second = (cpu[seconds] - cpu[SHORT_S]) / (seconds - SHORT_S)
    scene = scene_of(seconds)
    return {
        "cpu_s_by_take_length_s": timed,
        "cpu_s_per_audio_s": per_second,
        "audio_s_per_cpu_s": 1 / per_second,
        "cpu_s_per_take": cpu[SHORT_S] - per_second * SHORT_S,
        "audio_s_per_cpu_s_with_take_cost": seconds / cpu[seconds],
        "cpu_s_per_audio_s_of_making_the_track": music,
        "facets": facet_count(scene.facets),
        "pose_rate_hz": scene.motion.rate_hz,
        "loudspeakers": len(scene.loudspeakers),
        "source_order": scene.source_order,
        "microphone_order": scene.microphone_order,
        "image_order": scene.room.image_order,
        "late_tail": scene.room.late_tail,
    }


def facet_count(facets: Facets) -> int:
    """Return how many facets a mesh of the embedded body has."""
    return len(embedded_arrays(facets)["faces"])


def time_growth() -> list[dict[str, Any]]:
    """Return the cost of a second for other meshes, orders and pose rates."""
    cases: list[dict[str, Any]] = [{}]
    cases += [{"facets": facets} for facets in ("coarse", "fine")]
    cases += [{"source_order": order, "microphone_order": order} for order in (0, 2)]
    cases += [{"rate_hz": rate} for rate in (30.0, 120.0)]
    rows = []
    for case in cases:
        short, long = (scene_of(length, **case) for length in (2.0, 8.0))
        for scene in (short, long):
            time_take(scene)  # the track, the room, the tables
        cpu = [min(time_take(scene) for _ in range(2)) for scene in (short, long)]
        rows.append(
            {
                "facets": facet_count(long.facets),
                "source_order": long.source_order,
                "microphone_order": long.microphone_order,
                "rate_hz": long.motion.rate_hz,
                "cpu_s_per_audio_s": (cpu[1] - cpu[0]) / 6.0,
            }
        )
    return rows


def body_triangles(centre: np.ndarray) -> np.ndarray:
    """Return a closed ellipsoid of a person's size, shape `(512, 3, 3)`, normals outward."""
    around, along = 16, 17
    polar = np.linspace(0, np.pi, along + 1)
    azimuth = np.linspace(0, 2 * np.pi, around, endpoint=False)
    radii = np.array([0.25, 0.2, 0.85])

    def point(i: int, j: int) -> np.ndarray:
        theta, phi = polar[i], azimuth[j % around]
        unit = (np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta))
        return np.asarray(centre + radii * np.array(unit))

    triangles = []
    for i in range(along):
        for j in range(around):
            corners = point(i, j), point(i + 1, j), point(i + 1, j + 1), point(i, j + 1)
            if i < along - 1:
                triangles.append([corners[0], corners[1], corners[2]])
            if i > 0:
                triangles.append([corners[0], corners[2], corners[3]])
    return np.array(triangles)


def response_with_body(room: Room, scene: Scene, centre: np.ndarray, order: int) -> None:
    """Build a pyroomacoustics room with a body in it and compute its responses."""
    absorption = np.atleast_1d(room.absorption)
    energy = absorption[:, None]
    # pyroomacoustics has z up: (x, y, z) of the world becomes (z, x, y)
    size = np.array(room.size_m)[[2, 0, 1]]
    x, y, z = size
    o = 0.0
    faces = [
        [[o, o, o], [o, y, o], [x, y, o], [x, o, o]],
        [[o, o, z], [x, o, z], [x, y, z], [o, y, z]],
        [[o, o, o], [x, o, o], [x, o, z], [o, o, z]],
        [[o, y, o], [o, y, z], [x, y, z], [x, y, o]],
        [[o, o, o], [o, o, z], [o, y, z], [o, y, o]],
        [[x, o, o], [x, y, o], [x, y, z], [x, o, z]],
    ]
    rigid = np.full_like(energy, 0.02)
    walls = [pra.wall_factory(np.array(f).T, energy, np.zeros_like(energy)) for f in faces]
    walls += [  # normals point into the obstacle
        pra.wall_factory(triangle[::-1].T, rigid, np.zeros_like(rigid))
        for triangle in body_triangles(centre)
    ]
    built = pra.Room(walls, fs=scene.sample_rate_hz, max_order=order)
    for loudspeaker in scene.loudspeakers:
        built.add_source(np.array(loudspeaker.position_m)[[2, 0, 1]])
    built.add_microphone(np.array(scene.microphone.position_m)[[2, 0, 1]])
    built.compute_rir()


def time_pyroomacoustics(poses: int, order: int) -> dict[str, Any]:
    """Return the cost of a response per pose, extrapolated to a second of audio."""
    (scene,) = scenes(settings(SHORT_S))
    assert scene.subject is not None
    x, _, z = scene.subject.position_m
    times = [
        cpu_seconds(
            partial(response_with_body, scene.room, scene, np.array([z, x + shift, 0.9]), order)
        )
        for shift in np.linspace(-0.05, 0.05, poses)
    ]
    per_pose = float(np.mean(times))
    return {
        "image_order": order,
        "triangles": 512,
        "poses_timed": poses,
        "poses_per_audio_s": POSE_RATE_HZ,
        "extrapolated": True,
        "cpu_s_per_pose": per_pose,
        "audio_s_per_cpu_s": 1 / (per_pose * POSE_RATE_HZ),
    }


def torchrir_rows(seconds: float) -> list[dict[str, Any]] | str:
    """Return the cost of torchrir's dynamic scene, or why it was not measured."""
    if not installed_version():
        return f"not measured: torchrir is not installed; {INSTALL}"
    (scene,) = scenes(settings(SHORT_S))
    orders = (1, 2, scene.room.image_order)
    return time_torchrir(scene, poses_per_s=POSE_RATE_HZ, seconds=seconds, orders=orders)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=42.0, help="longer of the two takes")
    parser.add_argument("--poses", type=int, default=3, help="poses timed with pyroomacoustics")
    parser.add_argument("--repeats", type=int, default=3, help="times that each take is timed")
    parser.add_argument(
        "--torchrir-seconds", type=float, default=3.0, help="length of torchrir's sound"
    )
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    with single_thread():
        ours = time_ours(arguments.seconds, arguments.repeats)
        growth = time_growth()
        theirs = [time_pyroomacoustics(arguments.poses, order) for order in (1, 2)]
        moving = torchrir_rows(arguments.torchrir_seconds)
    result = {
        "benchmark": "simulation_speed",
        "acoustic_sense": ours,
        "pyroomacoustics_rebuilt": theirs,
        "torchrir_moving_source": moving,
        "times_faster": [ours["audio_s_per_cpu_s"] / each["audio_s_per_cpu_s"] for each in theirs],
        "scaling": growth,
        "provenance": {
            **provenance("numpy", "scipy", "numba", "pyroomacoustics", "torchrir", "torch"),
            "config_hash": config_hash(settings(arguments.seconds)),
            "seed": settings(arguments.seconds).seed,
        },
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
