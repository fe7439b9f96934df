"""How true the scattered pressure of a person is: every fidelity against a dense BEM.

    python benchmarks/person_against_bem.py --cache DIR [--set held-out|tuning] [--cases 2]
    python benchmarks/person_against_bem.py --page-only

The truth is that of `person_truth.py`, solved where `DIR` lacks it (about a minute a case) and read
from it otherwise. Over all sources and receivers of a case: the error of the scattered field
relative to the true one, and the rms error of the level of the total field in dB. Beside the
fidelities: no body at all, and plain Kirchhoff (surface pressure doubled where lit, none in the
dark). Times are CPU seconds of one process for one source and frequency, meshes and all.

Only `--set held-out` with all its cases writes the result, and the page about it: nothing was
tuned on those.
"""

import argparse
import json
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from acoustic_sense_simulator import scattered_pressure
from marked import fill
from person_truth import POSES, facet_geometry, truths

from acoustic_sense.constants import SPEED_OF_SOUND_M_S

RESULT = Path(__file__).parent / "results" / "person_against_bem.json"
PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "scattering-fidelity.md"

Model = Callable[[dict[str, np.ndarray], np.ndarray], np.ndarray]


def no_body(case: dict[str, np.ndarray], source: np.ndarray) -> np.ndarray:
    """Return no scattered pressure."""
    return np.zeros((len(case["receivers"]), len(case["frequencies"])), dtype=complex)


def plain_kirchhoff(case: dict[str, np.ndarray], source: np.ndarray) -> np.ndarray:
    """Return the sum with twice the incident pressure on lit facets and none on others."""
    centres, vectors = facet_geometry(case["vertices"], case["faces"])
    to_source = source - centres
    distance = np.linalg.norm(to_source, axis=1)
    lit = (to_source * vectors).sum(axis=1) > 0
    away = centres[None] - case["receivers"][:, None]
    r = np.linalg.norm(away, axis=2)
    slope = (away * vectors).sum(axis=2) / r
    columns = []
    for frequency in case["frequencies"]:
        k = 2 * np.pi * frequency / SPEED_OF_SOUND_M_S
        pressure = 2 * lit * np.exp(1j * k * distance) / (4 * np.pi * distance)
        green = np.exp(1j * k * r) / (4 * np.pi * r) * (1j * k - 1 / r)
        columns.append((green * slope) @ pressure)
    return np.stack(columns, axis=1)


def fidelity(name: str) -> Model:
    """Return the scattered pressure of one fidelity."""

    def model(case: dict[str, np.ndarray], source: np.ndarray) -> np.ndarray:
        return scattered_pressure(
            case["vertices"],
            case["faces"],
            source,
            case["receivers"],
            case["frequencies"],
            fidelity=name,
        )

    return model


MODELS: dict[str, Model] = {
    "no body": no_body,
    "plain Kirchhoff": plain_kirchhoff,
    "fast": fidelity("fast"),
    "high": fidelity("high"),
    "bem": fidelity("bem"),
}


def incident(case: dict[str, np.ndarray]) -> np.ndarray:
    """Return the field without a body, shape `(source, receiver, frequency)`."""
    r = np.linalg.norm(case["sources"][:, None] - case["receivers"][None], axis=2)[..., None]
    k = 2 * np.pi * case["frequencies"] / SPEED_OF_SOUND_M_S
    field: np.ndarray = np.exp(1j * k * r) / (4 * np.pi * r)
    return field


def errors_of(case: dict[str, np.ndarray], model: Model) -> tuple[np.ndarray, np.ndarray, float]:
    """Return relative and squared level errors at each frequency, and CPU seconds of a source."""
    start = time.process_time()
    found = np.stack([model(case, source) for source in case["sources"]])
    seconds = (time.process_time() - start) / len(case["sources"])
    truth, direct = case["scattered"], incident(case)
    size = np.linalg.norm(truth, axis=(0, 1))
    relative = np.linalg.norm(found - truth, axis=(0, 1)) / size
    level = 20 * np.log10(np.abs(direct + found) / np.abs(direct + truth))
    return relative, (level**2).mean(axis=(0, 1)), seconds


def table(cases: dict[str, dict[str, np.ndarray]], model: Model) -> dict[str, Any]:
    """Return the figures of one model over all cases."""
    first = next(iter(cases.values()))
    model(first, first["sources"][0])  # compiles
    relative, squared, seconds = zip(*(errors_of(c, model) for c in cases.values()), strict=True)
    frequencies = first["frequencies"]
    matrix = np.stack(relative)
    level = np.sqrt(np.mean(squared, axis=0))
    worst = np.unravel_index(matrix.argmax(), matrix.shape)
    names = list(cases)
    return {
        "level_error_db_by_hz": {
            f"{f:.0f}": round(float(v), 3) for f, v in zip(frequencies, level, strict=True)
        },
        "relative_error_by_hz": {
            f"{f:.0f}": round(float(v), 4)
            for f, v in zip(frequencies, matrix.mean(axis=0), strict=True)
        },
        "relative_error_by_case": {
            name: [round(float(v), 4) for v in row] for name, row in zip(names, matrix, strict=True)
        },
        "level_error_db_worst": round(float(level.max()), 3),
        "relative_error_mean": round(float(matrix.mean()), 4),
        "relative_error_worst": round(float(matrix.max()), 4),
        "worst_at": f"{names[worst[0]]}, {frequencies[worst[1]]:.0f} Hz",
        "cpu_s_per_source_and_frequency": round(float(np.mean(seconds)) / len(frequencies), 3),
    }


def page_table(result: dict[str, Any]) -> str:
    """Return the two tables of the page."""
    models = result["models"]
    lines = [
        "| | level, worst frequency | field, mean | field, worst | where | CPU time |",
        "|---|---|---|---|---|---|",
    ]
    for name, m in models.items():
        lines.append(
            f"| {name} | {m['level_error_db_worst']:.2f} dB | {m['relative_error_mean']:.3f} | "
            f"{m['relative_error_worst']:.3f} | {m['worst_at']} | "
            f"{m['cpu_s_per_source_and_frequency']:.2f} s |"
        )
    lines += ["", "| Hz | " + " | ".join(models) + " |", "|---|" + "---|" * len(models)]
    for frequency in next(iter(models.values()))["relative_error_by_hz"]:
        cells = (
            f"{m['relative_error_by_hz'][frequency]:.3f}, "
            f"{m['level_error_db_by_hz'][frequency]:.2f} dB"
            for m in models.values()
        )
        lines.append(f"| {frequency} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write_page() -> None:
    """Put the tables of the result between their marks."""
    fill(PAGE, "fidelity", page_table(json.loads(RESULT.read_text(encoding="utf-8"))))


def main() -> None:
    """Compare and print; write the result of the whole held-out set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", choices=sorted(POSES), default="held-out")
    parser.add_argument("--cache", type=Path, help="Folder of the truth.")
    parser.add_argument("--page-only", action="store_true", help="Write the page's tables alone.")
    parser.add_argument("--cases", type=int, help="Only so many cases, as a quick look.")
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    arguments = parser.parse_args()
    if arguments.page_only:
        write_page()
        return
    if arguments.cache is None:
        parser.error("say where the truth is, or may be put, with --cache DIR")
    cases = {}
    for name, case in truths(arguments.set, arguments.cache):
        cases[name] = case
        if len(cases) == arguments.cases:
            break
    models = {name: table(cases, MODELS[name]) for name in arguments.models}
    for name, figures in models.items():
        print(
            f"{name:16} dB at worst frequency {figures['level_error_db_worst']:.3f}  relative mean "
            f"{figures['relative_error_mean']:.3f}, worst {figures['relative_error_worst']:.3f} "
            f"({figures['worst_at']})  {figures['cpu_s_per_source_and_frequency']:.2f} s"
        )
    whole = arguments.cases is None and len(models) == len(MODELS)
    if arguments.set == "held-out" and whole:
        result = {
            "cases": {
                name: {
                    "facets": len(case["faces"]),
                    "height_m": round(float(np.ptp(case["vertices"][:, 1])), 3),
                }
                for name, case in cases.items()
            },
            "sources": len(case["sources"]),
            "receivers": len(case["receivers"]),
            "frequencies_hz": [float(f) for f in case["frequencies"]],
            "models": models,
            "versions": {name: version(name) for name in ("numpy", "scipy", "numba")},
        }
        RESULT.write_text(json.dumps(result, indent=2) + "\n")
        write_page()
        print(f"written: {RESULT} and {PAGE}")


if __name__ == "__main__":
    main()
