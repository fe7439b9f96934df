"""What the shipped models score, on everything that they were not trained on.

    acoustic-sense simulate docs/examples/configs/rooms.toml --out data/rooms --workers 2
    acoustic-sense simulate docs/examples/configs/rooms-test.toml --out data/rooms-test --workers 2
    acoustic-sense simulate docs/examples/configs/transfer-target.toml --out data/transfer-target
    acoustic-sense benchmark data mini --out data/ampl-sim-mini
    python benchmarks/shipped_models.py

It writes `benchmarks/results/shipped-models.json` and the tables in
`docs/explanation/shipped-models.md` (`--page-only`: the tables alone). `--data DIR` is the folder
that holds the four datasets.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import marked
import torch
from provenance import provenance

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "benchmarks" / "results" / "shipped-models.json"
PAGE = ROOT / "docs" / "explanation" / "shipped-models.md"
PROTOCOLS = {
    "people never met, in new rooms, music of the training": ("rooms", None),
    "people, rooms and music never met": ("rooms-test", "all"),
    "AMPL-Sim mini, all people and tracks": ("ampl-sim-mini", "all"),
    "bodies by the boundary integral equation, another room, more noise": (
        "transfer-target",
        "all",
    ),
}
"""Dataset and protocol by what is asked of a model; None is the protocol that it trained under."""
TRAINED_AT = {"small": "87c8d9f", "small-mel-stack": "b2a3edd"}
"""Commit of the code that trained each model."""
ROWS = {"mean_pose": "mean pose", "nearest_neighbour": "nearest neighbour"}
METRICS = {"rmse": "RMSE", "mae": "MAE", "pckh@0.5": "PCKh@0.5", "pckh@2": "PCKh@2"}


def measure(name: str, data: Path) -> dict[str, Any]:
    """Return what a shipped model is and what it scores under every protocol."""
    from acoustic_sense.datasets import open_dataset
    from acoustic_sense.inference import load_pipeline, shipped_models
    from acoustic_sense.training import evaluate

    pipeline = load_pipeline(name)
    description = pipeline.description
    training = open_dataset(data / "rooms")
    scores = {}
    for title, (folder, protocol) in PROTOCOLS.items():
        result = evaluate(
            pipeline,
            data / folder,
            protocol=protocol,
            nearest_neighbour=description.feature.name == "mel-stack",
            training_data=training,
        )
        scores[title] = {
            "takes": len(result.takes),
            "frames": result.frames,
            "scores": result.scores,
            "activities": {
                activity: {"frames": group.frames, "rmse": group.scores["model"]["rmse"]}
                for activity, group in result.per_activity.items()
            },
        }
        print(name, title, {k: round(v["rmse"], 3) for k, v in result.scores.items()}, flush=True)
    told = description.training
    return {
        "file_bytes": shipped_models()[name].stat().st_size,
        "parameters": sum(p.numel() for p in pipeline.model.parameters()),
        "encoder": description.encoder.model_dump(mode="json"),
        "feature": description.feature.model_dump(mode="json"),
        "normalisation": description.normalisation,
        "pose_frame": description.pose_frame,
        "epochs": told["epochs"],
        "initialised_from": told.get("initialised_from", ""),
        "dataset": told["dataset"],
        "dataset_hash": told["dataset_hash"],
        "config_hash": told["config_hash"],
        "people": len(told["subjects"]),
        "tracks": told["tracks"],
        "hours": told["hours"],
        "protocols": scores,
    }


def card_table(result: dict[str, Any]) -> str:
    """Return what the models are, as Markdown."""
    models = result["models"]
    facts = {
        "file": lambda m: f"{m['file_bytes'] / 1e6:.1f} MB, {m['parameters']:,} parameters",
        "encoder": lambda m: _choice(m["encoder"]),
        "feature": lambda m: _choice(m["feature"]),
        "normalised by": lambda m: f"`{m['normalisation']}`",
        "poses in the frame of": lambda m: m["pose_frame"],
        "data": lambda m: (
            f"`{m['dataset']}`, {m['dataset_hash']}: {m['people']} people, {len(m['tracks'])} "
            f"tracks, {60 * m['hours']:.0f} minutes"
        ),
        "trained for": lambda m: (
            f"{m['epochs']} epochs"
            + (f" from `{m['initialised_from']}`" if m["initialised_from"] else "")
        ),
        "configuration": lambda m: m["config_hash"],
    }
    rows = [[term, *(of(m) for m in models.values())] for term, of in facts.items()]
    rows.append(["commit", *(TRAINED_AT[name] for name in models)])
    return _table(["", *(f"`{name}`" for name in models)], rows)


def score_table(result: dict[str, Any]) -> str:
    """Return the scores under every protocol, as Markdown."""
    rows = []
    models = result["models"]
    for title in next(iter(models.values()))["protocols"]:
        shared = {k: v for m in models.values() for k, v in m["protocols"][title]["scores"].items()}
        rows.append([f"**{title}**", *("" for _ in METRICS)])
        rows += [[label, *_figures(shared[key])] for key, label in ROWS.items()]
        rows += [
            [f"`{name}`", *_figures(model["protocols"][title]["scores"]["model"])]
            for name, model in models.items()
        ]
    return _table(["", *METRICS.values()], rows)


def readme(result: dict[str, Any]) -> dict[str, Any]:
    """Return the table for README.md: the small model under every protocol."""
    rows = []
    for title, each in result["models"]["small"]["protocols"].items():
        own, mean = each["scores"]["model"], each["scores"]["mean_pose"]
        rows.append(
            [
                title,
                f"{mean['rmse']:.3f}",
                f"{own['rmse']:.3f}",
                f"{own['rmse'] / mean['rmse']:.2f}",
            ]
        )
    return {
        "title": "The shipped model, trained on simulated rooms, RMSE in hip-spine distances",
        "columns": ["tested on", "mean pose", "model", "ratio"],
        "rows": rows,
    }


def filled(page: str, result: dict[str, Any]) -> str:
    """Return the page with both tables between their marks."""
    page = marked.filled(page, "cards", card_table(result))
    return marked.filled(page, "scores", score_table(result))


def _figures(scores: dict[str, float]) -> list[str]:
    return [f"{scores[metric]:.3f}" for metric in METRICS]


def _choice(component: dict[str, Any]) -> str:
    settings = ", ".join(f"{key} = {value}" for key, value in component["config"].items())
    return f"`{component['name']}`" + (f" ({settings})" if settings else "")


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT / "data", help="folder of the datasets")
    parser.add_argument("--page-only", action="store_true", help="only rewrite the tables")
    arguments = parser.parse_args()
    if not arguments.page_only:
        from acoustic_sense.inference import shipped_models

        torch.set_num_threads(1)
        result: dict[str, Any] = {
            "models": {name: measure(name, arguments.data) for name in shipped_models()},
            "provenance": provenance("torch", "numpy"),
        }
        result["readme"] = readme(result)
        RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), result), encoding="utf-8")


if __name__ == "__main__":
    main()
