"""How plausible the movements are: penetration, footing and speeds of every activity.

Run `python benchmarks/motions.py` (about a minute); it writes `benchmarks/results/motions.json`
and the table in `docs/explanation/simulation.md` (`--page-only`: the table alone). People and
styles are not those of the tests. What each figure means is in
`acoustic_sense_simulator.motion.plausibility`; of several people the worst counts.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from acoustic_sense_simulator.body import load_body
from acoustic_sense_simulator.motion import ACTIVITY_NAMES, make_motion
from acoustic_sense_simulator.motion.plausibility import DEEP_M, footing, penetration, speeds
from marked import fill

from acoustic_sense.types import Motion, Scene, Subject

RESULT = Path(__file__).parent / "results" / "motions.json"
PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "simulation.md"
PEOPLE, SECONDS, CMU_SECONDS = 6, 12.0, 30.0
SEED = 2026
EVERY = 3  # n-th frame is looked at for penetration


def people() -> list[Subject]:
    """Return people of many shapes, each with a style of movement."""
    rng = np.random.default_rng(SEED)
    return [
        Subject(
            position_m=(0.0, 0.0, 0.0),
            style_seed=SEED + number,
            betas=tuple(np.clip(rng.standard_normal(10), -2, 2)),
        )
        for number in range(PEOPLE)
    ]


def measured(motion: Motion, seconds: float) -> dict[str, Any]:
    """Return the worst of each measure over all people."""
    found = []
    for number, subject in enumerate(people()):
        body = load_body(subject)
        scene = Scene(seconds=seconds, subject=subject, motion=motion)
        track = make_motion(scene, body, np.random.default_rng(SEED + number))
        inside = penetration(body, track, every=EVERY)
        found.append(asdict(inside) | asdict(footing(body, track)) | asdict(speeds(body, track)))
    worst = {name: max(row[name] for row in found) for name in found[0] if name != "where"}
    worst["lowest_m"] = min(row["lowest_m"] for row in found)
    deepest = max(found, key=lambda row: row["worst_m"])
    return {name: round(value, 4) for name, value in worst.items()} | {"where": deepest["where"]}


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Return the table of the page."""
    lines = [
        "| | deepest limb | deeper than 2 cm | planted feet slide | hand | foot | joint turns |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        lines.append(
            f"| {name} | {row['worst_m'] * 100:.1f} cm | {row['deep_share']:.0%} "
            f"| {row['slide_m_s'] * 100:.1f} cm/s | {row['hand_m_s']:.1f} m/s "
            f"| {row['foot_m_s']:.1f} m/s | {row['turn_rad_s']:.1f} rad/s |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, and write result and page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--page-only", action="store_true", help="write the table alone")
    if not parser.parse_args().page_only:
        rows = {name: measured(Motion(activities=(name,)), SECONDS) for name in ACTIVITY_NAMES}
        rows["captures"] = measured(Motion(source="cmu"), CMU_SECONDS)
        settings = {"people": PEOPLE, "seconds": SECONDS, "seed": SEED, "deep_m": DEEP_M}
        RESULT.write_text(json.dumps({"settings": settings, "motions": rows}, indent=1) + "\n")
    fill(PAGE, "motions", table(json.loads(RESULT.read_text(encoding="utf-8"))["motions"]))


if __name__ == "__main__":
    main()
