"""Train a cell of a comparison anew, in an empty folder, and compare it with what is on record.

Run `python benchmarks/rerun_cell.py CONFIG RESULTS --only NAME [--data NAME=DIR]`, such as

    python benchmarks/rerun_cell.py benchmarks/ampl_sim/mini-single.toml \
        benchmarks/results/ampl-sim-mini-single --only single-music-jazz/shibata2023/seed-0

It writes `benchmarks/results/rerun_cell.json`. Exit code 1: a figure differs by more than 1e-3.
"""

import argparse
import json
import tempfile
from pathlib import Path

from provenance import provenance

from acoustic_sense.benchmarking.config import load_benchmark_config
from acoustic_sense.benchmarking.plan import make_plan
from acoustic_sense.benchmarking.results import read_result
from acoustic_sense.benchmarking.runner import run_plan

RESULT = Path(__file__).parent / "results" / "rerun_cell.json"
METRICS = ("rmse", "mae", "pckh@0.5")
TOLERANCE = 1e-3


def main() -> int:
    """Run the cells, compare and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path, help="file of the comparison")
    parser.add_argument("results", type=Path, help="folder of the results on record")
    parser.add_argument("--only", required=True, help="part of the cells' names")
    parser.add_argument("--data", action="append", default=[], metavar="NAME=DIR")
    given = parser.parse_args()
    folders = {name: Path(folder) for name, folder in (each.split("=") for each in given.data)}
    config = load_benchmark_config(given.config, folders)
    cells = {}
    with tempfile.TemporaryDirectory() as folder:
        plan = make_plan(config, Path(folder), only=given.only)
        run_plan(plan)
        for cell in plan.chosen:
            before = read_result(cell.result_path(given.results))
            after = read_result(cell.result_path(Path(folder)))
            if before is None or after is None:
                raise SystemExit(f"{cell.name}: no result {'on record' if after else 'now'}")
            cells[cell.name] = {
                metric: [each.scores["method"][metric] for each in (before, after)]
                for metric in METRICS
            }
    largest = max(abs(one - two) for scores in cells.values() for one, two in scores.values())
    result = {
        "before_and_after": cells,
        "largest_difference": largest,
        "provenance": provenance("torch", "numpy"),
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))
    return int(largest > TOLERANCE)


if __name__ == "__main__":
    raise SystemExit(main())
