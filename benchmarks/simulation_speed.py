"""Seconds of audio per CPU second, beside pyroomacoustics rebuilding its room for every pose.

Ours: an AMPL-like scene, everything from poses to FLAC, one thread, for two lengths; the slope is
the cost of a second, the intercept what a take costs whatever its length. Beside it, in the same
run: pyroomacoustics with a closed body of 512 triangles in the room, one response per pose at
20 poses a second. Few poses are timed and the rest extrapolated; neither its convolution nor its
cross-fade is counted, and one omnidirectional microphone stands in for four, all in its favour.

    python benchmarks/simulation_speed.py [--seconds 12] [--poses 3]
"""

import argparse
import json
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyroomacoustics as pra
from acoustic_sense_simulator import service
from acoustic_sense_simulator.body.embedded import embedded_arrays
from acoustic_sense_simulator.generation.threads import single_thread
from acoustic_sense_simulator.sampling import GenerationConfig, scenes

from acoustic_sense.config import config_hash
from acoustic_sense.datasets import write_take
from acoustic_sense.types import Room, Scene

RESULT = Path(__file__).parent / "results" / "simulation_speed.json"
POSE_RATE_HZ = 20
SHORT_S = 3.0


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of this process during `work`."""
    start = time.process_time()
    work()
    return time.process_time() - start


def settings(seconds: float) -> GenerationConfig:
    """Return the timed configuration: generated jazz, 60 Hz bodies, one reflection per leg."""
    return GenerationConfig(seed=11, seconds=seconds)


def time_take(scene: Scene, folder: Path) -> float:
    """Return the CPU time of one take, rendered and written."""

    def make() -> None:
        write_take(folder, service.simulate(scene))

    return cpu_seconds(make)


def time_ours(seconds: float) -> dict[str, Any]:
    """Return the cost of a second and of a take."""
    (short,) = scenes(settings(SHORT_S))
    (long,) = scenes(settings(seconds))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        time_take(scenes(settings(1.0))[0], folder / "warm")  # compiles the kernels
        cpu = {
            scene.seconds: time_take(scene, folder / str(scene.seconds)) for scene in (short, long)
        }
    per_second = (cpu[seconds] - cpu[SHORT_S]) / (seconds - SHORT_S)
    return {
        "cpu_s_by_take_length_s": cpu,
        "cpu_s_per_audio_s": per_second,
        "audio_s_per_cpu_s": 1 / per_second,
        "cpu_s_per_take": cpu[SHORT_S] - per_second * SHORT_S,
        "audio_s_per_cpu_s_with_take_cost": seconds / cpu[seconds],
        "facets": len(embedded_arrays(long.facets)["faces"]),
        "pose_rate_hz": long.motion.rate_hz,
        "loudspeakers": len(long.loudspeakers),
        "source_order": long.source_order,
        "microphone_order": long.microphone_order,
        "image_order": long.room.image_order,
        "late_tail": long.room.late_tail,
    }


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


def provenance(seconds: float) -> dict[str, Any]:
    """Return what the figures depend on: code, configuration, libraries, machine."""
    root = Path(__file__).parents[1]
    git = ["git", "-C", str(root)]
    commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    dirty = subprocess.run(
        [*git, "status", "--porcelain"], capture_output=True, text=True, check=True
    )
    cpu = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "commit": commit.stdout.strip(),
        "uncommitted_changes": bool(dirty.stdout.strip()),
        "config_hash": config_hash(settings(seconds)),
        "seed": settings(seconds).seed,
        "libraries": {n: version(n) for n in ("numpy", "scipy", "numba", "pyroomacoustics")},
        "python": platform.python_version(),
        "cpu": cpu[0] if cpu else platform.processor(),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=12.0, help="longer of the two takes")
    parser.add_argument("--poses", type=int, default=3, help="poses timed with pyroomacoustics")
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    with single_thread():
        ours = time_ours(arguments.seconds)
        theirs = [time_pyroomacoustics(arguments.poses, order) for order in (1, 2)]
    result = {
        "benchmark": "simulation_speed",
        "acoustic_sense": ours,
        "pyroomacoustics_rebuilt": theirs,
        "times_faster": [ours["audio_s_per_cpu_s"] / each["audio_s_per_cpu_s"] for each in theirs],
        "provenance": provenance(arguments.seconds),
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
