"""What a stream costs: processor time of each buffer, by model and hop.

Run `python benchmarks/streaming.py`; it writes `benchmarks/results/streaming.json` and the table in
`docs/how-to/predict-from-a-recording.md` (`--page-only`: the table alone). Buffers of 20 ms of
noise are pushed on one thread; times are those of the processor, so that other programs do not
count.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import marked
import numpy as np
import torch
from provenance import provenance

from acoustic_sense.constants import SAMPLE_RATE_HZ
from acoustic_sense.inference import Predictor, build_pipeline
from acoustic_sense.inference.description import ComponentChoice
from acoustic_sense.inference.model import describe_model

RESULT = Path(__file__).parent / "results" / "streaming.json"
PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "predict-from-a-recording.md"
BUFFER_SAMPLES = 960
SECONDS = 30
HOPS = (12, 4, 2, 1)


def models() -> dict[str, Predictor]:
    """Return networks of two widths with random weights, which cost as much as trained ones."""
    feature, task = ComponentChoice(name="mel-stack"), ComponentChoice(name="pose")
    found = {}
    for width in (0.25, 1.0):
        encoder = ComponentChoice(name="bgm2pose-fa", config={"width": width})
        description = describe_model(feature, encoder, task)
        found[f"width {width:g}"] = Predictor(build_pipeline(description))
    return found


def measure(predictor: Predictor, hop_frames: int) -> dict[str, Any]:
    """Return latency, and processor time of buffers with and without a clip to predict."""
    generator = np.random.default_rng(0)
    samples = SECONDS * SAMPLE_RATE_HZ
    heard, sent = (
        0.1 * generator.standard_normal((channels, samples), np.float32) for channels in (4, 2)
    )
    stream = predictor.stream(hop_frames=hop_frames)
    with_clip, without = [], []
    for start in range(0, samples, BUFFER_SAMPLES):
        buffers = (signal[:, start : start + BUFFER_SAMPLES] for signal in (heard, sent))
        started = time.process_time()
        poses = stream.push(*buffers)
        (with_clip if len(poses) else without).append(time.process_time() - started)
    return {
        "hop_frames": hop_frames,
        "latency_s": round(stream.latency_s, 3),
        "buffer_with_clip_ms": round(1000 * float(np.median(with_clip)), 2),
        "buffer_with_clip_99_percent_ms": round(1000 * float(np.quantile(with_clip, 0.99)), 2),
        "buffer_without_clip_ms": round(1000 * float(np.median(without)), 3),
        "share_of_real_time": round((sum(with_clip) + sum(without)) / SECONDS, 4),
    }


def table(result: dict[str, Any]) -> str:
    """Return the measurements as a Markdown table."""
    head = "| model | `hop_frames` | latency | buffer that completes a clip | share of one core |"
    rows = [
        f"| {name} | {row['hop_frames']} | {row['latency_s']:.2f} s | "
        f"{row['buffer_with_clip_ms']:.0f} ms | {100 * row['share_of_real_time']:.1f} % |"
        for name, measured in result["models"].items()
        for row in measured
    ]
    return "\n".join([head, "|---|---|---|---|---|", *rows]) + "\n"


def filled(page: str, result: dict[str, Any]) -> str:
    """Return the page with the table between its marks."""
    return marked.filled(page, "streaming", table(result))


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--page-only", action="store_true", help="only rewrite the table")
    if not parser.parse_args().page_only:
        torch.set_num_threads(1)
        measured = {
            name: [measure(predictor, hop) for hop in HOPS] for name, predictor in models().items()
        }
        result = {
            "buffer_ms": 1000 * BUFFER_SAMPLES / SAMPLE_RATE_HZ,
            "seconds": SECONDS,
            "threads": 1,
            "models": measured,
            "provenance": provenance("torch", "numpy"),
        }
        RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), result), encoding="utf-8")
    print(table(result))


if __name__ == "__main__":
    main()
