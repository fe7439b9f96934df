"""Fidelities of takes: how far from the boundary equation on the whole mesh, and what they cost.

    python benchmarks/fidelity_in_takes.py              # a minute and a half
    python benchmarks/fidelity_in_takes.py --page-only  # the table of the page alone

Writes `benchmarks/results/fidelity_in_takes.json` and the table of
`docs/explanation/scattering-fidelity.md`.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from acoustic_sense_simulator import scattered_pressure, simulate
from acoustic_sense_simulator.body import load_body
from acoustic_sense_simulator.generation.threads import single_thread
from acoustic_sense_simulator.motion import make_motion
from acoustic_sense_simulator.rendering.renderer import MovingMesh, scattered_sound
from acoustic_sense_simulator.scattering.boundary_in_time import REFINEMENTS, SOLUTIONS_HZ
from marked import fill
from provenance import provenance

from acoustic_sense.types import Loudspeaker, Motion, Scene

HERE = Path(__file__).parent
RESULT = HERE / "results" / "fidelity_in_takes.json"
PAGE = HERE.parent / "docs" / "explanation" / "scattering-fidelity.md"
FIDELITIES = ("fast", "bem", "high")
ACTIVITIES = ("walk", "squat", "wave")
FREQUENCIES_HZ = (125.0, 250.0, 400.0, 500.0, 630.0)
COST_SECONDS = {"fast": (2.0, 10.0), "bem": (1.0, 2.0), "high": (0.5, 1.0)}
FREE = Scene(
    seconds=2.0,
    seed=11,
    loudspeakers=(Loudspeaker((2.3, 1.2, 0.8)),),
    source_order=0,
    microphone_order=0,
)


def heard(scene: Scene, mesh: MovingMesh) -> np.ndarray:
    """Return W's spectrum of what a body that stands still adds, exp(-i omega t)."""
    impulse = np.zeros((1, 8192), dtype=np.float32)
    impulse[0, 2048] = 1.0
    sound = scattered_sound(scene, impulse, mesh)[0].astype(float)
    times = (np.arange(len(sound)) - 2048) / scene.sample_rate_hz
    spectrum: np.ndarray = np.exp(2j * np.pi * np.outer(FREQUENCIES_HZ, times)) @ sound
    return spectrum


def errors() -> dict[str, float]:
    """Return the error of each fidelity relative to the equation on the whole mesh."""
    parts: dict[str, list[float]] = {name: [] for name in FIDELITIES}
    for activity in ACTIVITIES:
        scene = replace(FREE, motion=Motion(activities=(activity,)))
        assert scene.subject is not None
        body = load_body(scene.subject, scene.facets)
        track = make_motion(scene, body, np.random.default_rng(scene.seed))
        vertices = body.pose_vertices(track.smpl_pose[60:61], track.smpl_trans[60:61])
        still = np.zeros((1, 72), np.float32), np.zeros((1, 3), np.float32)
        mesh = MovingMesh(vertices, body.faces, body.pose_vertices(*still)[0], 60.0)
        places = np.array(scene.loudspeakers[0].position_m), np.array([scene.microphone.position_m])
        truth = scattered_pressure(
            vertices[0], body.faces, *places, np.array(FREQUENCIES_HZ), fidelity="bem"
        )
        whole = 4 * np.pi * truth[0]
        for name in FIDELITIES:
            off = heard(replace(scene, fidelity=name), mesh) - whole
            parts[name].append(float(np.linalg.norm(off) / np.linalg.norm(whole)))
    return {name: float(np.sqrt(np.mean(np.square(each)))) for name, each in parts.items()}


def cost(fidelity: str) -> float:
    """Return CPU seconds for one more second of the default room with two loudspeakers."""
    scene = Scene(motion=Motion(activities=("walk",)), fidelity=fidelity)
    simulate(replace(scene, seconds=0.1))
    spent = []
    for seconds in COST_SECONDS[fidelity]:
        start = time.process_time()
        simulate(replace(scene, seconds=seconds))
        spent.append(time.process_time() - start)
    short, long = COST_SECONDS[fidelity]
    return (spent[1] - spent[0]) / (long - short)


def page_table(result: dict[str, Any]) -> str:
    """Return the table of the page."""
    low, high = result["frequencies_hz"][0], result["frequencies_hz"][-1]
    lines = [
        f"| | off the whole mesh, {low:g} to {high:g} Hz | CPU time for a second of sound |",
        "|---|---|---|",
    ]
    for name, row in result["fidelities"].items():
        spent = f"{row['cpu_s_per_audio_s']:.2g} s"
        lines.append(f"| {name} | {100 * row['relative_error']:.1f} % | {spent} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, write the result and the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--page-only", action="store_true", help="write the page's table alone")
    if not parser.parse_args().page_only:
        before = provenance("numpy", "scipy", "numba")
        with single_thread():
            off = errors()
            rows = {
                name: {"relative_error": off[name], "cpu_s_per_audio_s": cost(name)}
                for name in FIDELITIES
            }
        result = {
            "benchmark": "fidelity_in_takes",
            "activities": ACTIVITIES,
            "frequencies_hz": FREQUENCIES_HZ,
            "solutions_hz": SOLUTIONS_HZ,
            "facets": {name: each.facets for name, each in REFINEMENTS.items()},
            "fidelities": rows,
            "provenance": before,
        }
        RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        print(json.dumps(rows, indent=1))
    fill(PAGE, "takes", page_table(json.loads(RESULT.read_text(encoding="utf-8"))))


if __name__ == "__main__":
    main()
