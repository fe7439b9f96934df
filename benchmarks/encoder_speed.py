"""Speed of the encoders: a training step, and the prediction of one clip, before and after tuning.

Run `python benchmarks/encoder_speed.py`; it writes `benchmarks/results/encoder_speed.json` and the
tables of `docs/explanation/bgm2pose.md`, which `--page-only` rewrites alone. "Plain" is the same
function written plainly (`tests/references/plain_bgm2pose.py`), with the same weights. One thread;
times are those of the processor, in turns.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import speed_page
import torch
from provenance import provenance
from torch import nn

from acoustic_sense import features
from acoustic_sense.constants import CLIP_FRAMES, FRAME_RATE_HZ, MEL_BINS, SAMPLE_RATE_HZ
from acoustic_sense.contracts import FeatureShape
from acoustic_sense.plugin_loading import load_plugins

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "references"))

from plain_bgm2pose import PlainEncoder

RESULT = speed_page.RESULTS / "encoder_speed.json"
CHIRP = "shibata2023"
BATCH = 64
TRAINING_TURNS = 5
CLIP_TURNS = 40
WIDTHS = {"small, width 0.25": 0.25, "width 1": 1.0}

Way = Callable[[], Any]


def latents_of(encoder: nn.Module) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return a function from clips to latents, whatever the encoder returns beside them."""
    if isinstance(encoder, PlainEncoder):
        return encoder
    return lambda clips: encoder(clips).latents


def encoders(width: float) -> dict[str, nn.Module]:
    """Return the plain encoder and the tuned one, with the same weights."""
    torch.manual_seed(0)
    kind = load_plugins().encoders["bgm2pose-fa"]
    tuned = kind(kind.parse({"width": width}), stack_shape())
    plain = PlainEncoder(width)
    plain.load_state_dict(tuned.state_dict())
    return {"plain": plain, "tuned": tuned}


def stack_shape() -> FeatureShape:
    """Return the shape of the mel stack."""
    return FeatureShape(load_plugins().features["mel-stack"].channel_names, MEL_BINS)


def training_step(encoder: nn.Module, half: bool) -> Way:
    """Return a call of one step: forwards, backwards, Adam."""
    latents = latents_of(encoder.train())
    optimiser = torch.optim.Adam(encoder.parameters())
    clips = torch.randn(BATCH, 15, CLIP_FRAMES, MEL_BINS)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = latents(clips).float().square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def prediction(encoder: nn.Module, with_feature: bool) -> Way:
    """Return a call that predicts one clip, from audio or from its feature."""
    latents = latents_of(encoder.eval())
    feature = features.create("mel-stack")
    audio = 0.1 * torch.randn(1, 6, CLIP_FRAMES * SAMPLE_RATE_HZ // FRAME_RATE_HZ)
    clip = torch.randn(1, 15, CLIP_FRAMES, MEL_BINS)

    def predict() -> None:
        with torch.inference_mode():
            latents(feature(audio[:, :4], audio[:, 4:]) if with_feature else clip)

    return predict


def measure() -> dict[str, Any]:
    """Return milliseconds a clip, by what was measured and way."""
    ways: dict[str, dict[str, dict[str, float]]] = {}
    for size, width in WIDTHS.items():
        made = encoders(width)
        for what, with_feature in (("network alone", False), ("with its feature", True)):
            calls = {name: prediction(each, with_feature) for name, each in made.items()}
            ways[f"prediction, {what}, {size}"] = speed_page.in_turns(calls, CLIP_TURNS, 1)
    made = encoders(0.25)
    steps = {
        "plain, float32": training_step(made["plain"], half=False),
        "tuned, float32": training_step(made["tuned"], half=False),
        "tuned, bfloat16": training_step(made["tuned"], half=True),
    }
    ways[f"training step, width 0.25, batch {BATCH}"] = speed_page.in_turns(
        steps, TRAINING_TURNS, BATCH
    )
    return ways | _chirp()


def _chirp() -> dict[str, dict[str, dict[str, float]]]:
    """Return the same of the encoder for chirps, where it is registered."""
    known = load_plugins().encoders
    if CHIRP not in known:
        return {}
    kind = known[CHIRP]
    encoder = kind(kind.parse({"width": 0.25}), stack_shape())
    name = f"{CHIRP}, width 0.25"
    predictions = {name: prediction(encoder, with_feature=False)}
    found = {"prediction, network alone": speed_page.in_turns(predictions, CLIP_TURNS, 1)}
    step = {f"{name}, float32": training_step(encoder, half=False)}
    found[f"training step, batch {BATCH}"] = speed_page.in_turns(step, TRAINING_TURNS, BATCH)
    return found


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--page-only", action="store_true", help="only rewrite the tables")
    if not parser.parse_args().page_only:
        torch.set_num_threads(1)
        result = {"ways": measure(), "threads": 1, "batch": BATCH}
        result["provenance"] = provenance("torch", "numba", "numpy")
        RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    speed_page.write_page()


if __name__ == "__main__":
    main()
