"""Every speed figure anew, one script after the other, and how long that takes.

    python benchmarks/bench.py            # all: `make bench`
    python benchmarks/bench.py --only feature_speed encoder_speed

Each script writes its own result. `benchmarks/results/bench.json` holds the seconds that each one
took, the total, and the commit; it is written when all were run. The exit code is 1 if a script
failed or all together took longer than twenty minutes.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from provenance import provenance

HERE = Path(__file__).parent
RESULT = HERE / "results" / "bench.json"
LIMIT_S = 20 * 60
SCRIPTS: Mapping[str, tuple[str, ...]] = {
    "simulation_speed": ("simulation_speed.py",),
    "generation": ("generation.py",),
    "generation-hour": ("generation.py", "--hour"),
    "streaming": ("streaming.py",),
    "feature_speed": ("feature_speed.py",),
    "encoder_speed": ("encoder_speed.py",),
}
"""Script and options by the name of the result."""


def measure(scripts: Mapping[str, tuple[str, ...]], folder: Path) -> dict[str, Any]:
    """Run scripts of a folder and return how long each took and which failed."""
    load = os.getloadavg()[0]
    seconds, failed = {}, []
    for name, (script, *options) in scripts.items():
        print(f"{name} ...", flush=True)
        started = time.perf_counter()
        done = subprocess.run([sys.executable, str(folder / script), *options], check=False)
        seconds[name] = round(time.perf_counter() - started, 1)
        print(f"{name}: {seconds[name]} s", flush=True)
        if done.returncode != 0:
            failed.append(name)
    total = round(sum(seconds.values()), 1)
    return {
        "benchmark": "bench",
        "seconds": seconds,
        "total_seconds": total,
        "limit_seconds": LIMIT_S,
        "within_limit": total <= LIMIT_S,
        "failed": failed,
        "load_average_before": load,
    }


def main() -> None:
    """Run and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=list(SCRIPTS), help="results to make anew")
    arguments = parser.parse_args()
    before = provenance()
    chosen = {name: SCRIPTS[name] for name in arguments.only or SCRIPTS}
    result = measure(chosen, HERE) | {"provenance": before}
    text = json.dumps(result, indent=1) + "\n"
    if arguments.only is None:
        RESULT.write_text(text, encoding="utf-8")
    print(text, end="")
    if result["failed"]:
        sys.exit(f"error: failed: {', '.join(result['failed'])}; see above")
    if not result["within_limit"]:
        sys.exit(f"error: {result['total_seconds']} s; all is to take {LIMIT_S} s at most")


if __name__ == "__main__":
    main()
