"""What a model learns, from nothing to a score, with the commands that users type.

    python benchmarks/learning.py sunflower   # a real track: three people to train on, one to test

Datasets and runs are kept in `--work` and used again. The result, beside the mean pose and the
nearest neighbour, goes to `benchmarks/results/learning-<name>.json`.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
CONFIGS = ROOT / "docs" / "examples" / "configs"
STUDIES = {
    "sunflower": (
        CONFIGS / "sunflower.toml",
        CONFIGS / "sunflower-train.toml",
        "Ragtime, a real track, 4 people x 60 s in the studio: trained on 3, tested on the fourth",
    ),
}
METHODS = {
    "mean_pose": "mean pose",
    "nearest_neighbour": "nearest neighbour",
    "model": "BGM2Pose, width 0.25",
}
METRICS = ("rmse", "mae", "pckh@0.5")


def run(*arguments: str) -> float:
    """Run an `acoustic-sense` command and return the seconds it took."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "acoustic_sense.cli", *arguments], check=True)
    return time.perf_counter() - started


def study(name: str, work: Path) -> dict[str, object]:
    """Simulate, train and evaluate what is not there yet, and return the result."""
    simulate, train, title = STUDIES[name]
    data, folder = work / "data" / name, work / "runs" / name
    run("simulate", str(simulate), "--out", str(data), "--workers", "2")
    text = train.read_text(encoding="utf-8")
    config = folder.with_name(f"{name}.toml")
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(text.replace(f'"data/{name}"', json.dumps(str(data.resolve()))))
    seconds = None
    if not (folder / "model.safetensors").exists():
        seconds = run("train", str(config), "--out", str(folder), "--resume")
    scores = evaluated(folder, data)
    commit = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    rows = [
        [label, *(f"{scores[method][metric]:.3f}" for metric in METRICS)]
        for method, label in METHODS.items()
    ]
    return {
        "study": name,
        "command": f"python benchmarks/learning.py {name}",
        "commit": commit,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "training_seconds": None if seconds is None else round(seconds),
        "simulation_config": simulate.read_text(encoding="utf-8"),
        "training_config": text,
        "scores": scores,
        "rmse_over_mean_pose": scores["model"]["rmse"] / scores["mean_pose"]["rmse"],
        "readme": {"title": title, "columns": ["", "RMSE", "MAE", "PCKh@0.5"], "rows": rows},
    }


def evaluated(folder: Path, data: Path) -> dict[str, dict[str, float]]:
    """Return the scores of model and baselines on the run's test takes."""
    from acoustic_sense.training import evaluate

    result = evaluate(folder, data, nearest_neighbour=True)
    result.save(folder / "evaluation.json")
    return {
        method: {metric: float(values[metric]) for metric in METRICS}
        for method, values in result.scores.items()
    }


def main() -> None:
    """Run one study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", choices=sorted(STUDIES))
    parser.add_argument("--work", type=Path, default=ROOT / "out" / "learning")
    arguments = parser.parse_args()
    result = study(arguments.study, arguments.work)
    path = RESULTS / f"learning-{arguments.study}.json"
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"{path}: RMSE over mean pose {result['rmse_over_mean_pose']:.3f}")


if __name__ == "__main__":
    main()
