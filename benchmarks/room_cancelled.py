"""How far the room goes, how fast it is learnt, and what that costs.

Run `python benchmarks/room_cancelled.py`; it writes `benchmarks/results/room_cancelled.json` and
the table in `docs/explanation/cancel-the-room.md` (`--page-only`: the table alone). Room, music and
moving body are the simulator's; times are those of one processor thread.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import marked
import numpy as np
import torch
from provenance import provenance
from scipy.signal import oaconvolve

from acoustic_sense import features
from acoustic_sense.constants import FRAME_RATE_HZ, SAMPLE_RATE_HZ
from acoustic_sense.contracts.simulator import load_simulator
from acoustic_sense.types import Take

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "benchmarks" / "results" / "room_cancelled.json"
PAGE = ROOT / "docs" / "explanation" / "cancel-the-room.md"
SECONDS = 40
PLAYBACKS = {
    "white noise": ("white-noise", {}),
    "chirp": ("tsp", {}),
    "jazz": ("generated-music", {"style": "jazz"}),
    "ambient": ("generated-music", {"style": "ambient"}),
}
WHO = ("empty", "person")
LATE = slice(20 * SAMPLE_RATE_HZ, None)


def level_db(part: np.ndarray, whole: np.ndarray) -> float:
    """Return the energy of `part` beside that of `whole` in dB."""
    return round(float(10 * np.log10(np.square(part).sum() / np.square(whole).sum())), 1)


def left(recording: np.ndarray, playback: np.ndarray, mode: str) -> tuple[np.ndarray, float]:
    """Return what a mode leaves of a recording, and processor milliseconds for 50 ms of it."""
    feature = features.create("room-cancelled-stack", {"mode": mode})
    started = time.process_time()
    with torch.inference_mode():
        result = feature.cancel(torch.from_numpy(recording), torch.from_numpy(playback))
    spent = time.process_time() - started
    return result.numpy(), 1000 * spent / (FRAME_RATE_HZ * recording.shape[1] / SAMPLE_RATE_HZ)


def measure(kind: str, config: dict[str, Any]) -> dict[str, float]:
    """Return how far the recording falls with one playback: nobody in the room, and somebody."""
    simulator = load_simulator()
    scene = simulator.demo_scene(SECONDS, 0)
    scene = replace(scene, playback=replace(scene.playback, source=kind, config=config))
    take = simulator.simulate(scene)
    heard, sent = take.recording.samples, take.playback.samples
    responses = simulator.room_responses(scene)
    empty = sum(oaconvolve(s[None], r, axes=1) for s, r in zip(sent, responses, strict=True))
    empty = empty[:, : sent.shape[1]].astype(np.float32)
    result = {}
    for name, recording in (("empty", empty), ("person", heard)):
        whole, ms = left(recording, sent, "take")
        running, running_ms = left(recording, sent, "running")
        end = running.shape[1]
        result |= {
            f"{name}_take_db": level_db(whole[:, LATE], recording[:, LATE]),
            f"{name}_running_db": level_db(running[:, LATE], recording[:, :end][:, LATE]),
            f"{name}_take_ms": round(ms, 2),
            f"{name}_running_ms": round(running_ms, 2),
        }
    return result


def stack_ms(take: Take) -> float:
    """Return processor milliseconds for 50 ms of the whole feature, running, phases kept."""
    feature = features.create("room-cancelled-stack", {"mode": "running", "cross_spectrum": True})
    sounds = (take.recording.samples, take.playback.samples)
    started = time.process_time()
    with torch.inference_mode():
        frames = feature(*(torch.from_numpy(sound)[None] for sound in sounds)).shape[2]
    return round(1000 * (time.process_time() - started) / frames, 2)


def table(result: dict[str, Any]) -> str:
    """Return the measurements as a Markdown table."""
    head = (
        "| playback | nobody, whole take | nobody, running | person, whole take | person, running |"
    )
    keys = ("empty_take_db", "empty_running_db", "person_take_db", "person_running_db")
    rows = [
        f"| {name} | " + " | ".join(f"{row[key]:.1f} dB" for key in keys) + " |"
        for name, row in result["playbacks"].items()
    ]
    spent = [
        max(row[f"{who}_{mode}_ms"] for row in result["playbacks"].values() for who in WHO)
        for mode in ("take", "running")
    ]
    note = (
        f"\nProcessor time for 50 ms of sound, the slowest: {spent[0]:.1f} ms over a whole take, "
        f"{spent[1]:.1f} ms running; the whole feature, running and with the cross-spectrum, "
        f"{result['stack_ms']:.1f} ms.\n"
    )
    return "\n".join([head, "|---|---:|---:|---:|---:|", *rows]) + "\n" + note


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--page-only", action="store_true", help="only rewrite the table")
    if not parser.parse_args().page_only:
        torch.set_num_threads(1)
        result = {
            "seconds": SECONDS,
            "measured_from_s": LATE.start / SAMPLE_RATE_HZ,
            "playbacks": {name: measure(*chosen) for name, chosen in PLAYBACKS.items()},
            "stack_ms": stack_ms(
                load_simulator().simulate(load_simulator().demo_scene(SECONDS, 0))
            ),
            "provenance": provenance("torch", "numpy", "scipy"),
        }
        RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    PAGE.write_text(
        marked.filled(PAGE.read_text(encoding="utf-8"), "room-cancelled", table(result)),
        encoding="utf-8",
    )
    print(table(result))


if __name__ == "__main__":
    main()
