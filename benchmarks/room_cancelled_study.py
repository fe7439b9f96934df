"""What is left of the room, and of the body, when a take is not as it should be.

Run `python benchmarks/room_cancelled_study.py`; it writes a JSON file into `benchmarks/results` and
a table into `docs/explanation/cancel-the-room.md` (`--page-only`: the table alone).

The simulator gives a take's static sound, the body's and the noise apart. The body's sound less its
static part, which cancelling takes too, is what the residual should be: found here by cancelling
the body's sound alone, without noise. Body over rest is its energy over that of the residual less
it, from 50 Hz to 12 kHz and from 10 s on.
"""

import argparse
import json
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import marked
import numpy as np
import torch
from acoustic_sense_simulator.clock import read_at
from provenance import provenance
from scipy.signal import butter, sosfilt

from acoustic_sense import features
from acoustic_sense.constants import SAMPLE_RATE_HZ
from acoustic_sense.contracts.simulator import load_simulator
from acoustic_sense.types import Scene

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "benchmarks" / "results" / "room_cancelled_study.json"
PAGE = ROOT / "docs" / "explanation" / "cancel-the-room.md"
SECONDS = 20.0
LATE = slice(10 * SAMPLE_RATE_HZ, -SAMPLE_RATE_HZ)
BAND = butter(4, (50.0, 12_000.0), "bandpass", fs=SAMPLE_RATE_HZ, output="sos")
BABBLE_DB = -10.0

Sound = np.ndarray


def scene(style: str = "jazz", criterion: float | None = None, **changes: Any) -> Scene:
    """Return the demo's scene with generated music from amid a track, without noise if None."""
    made = load_simulator().demo_scene(SECONDS, 0)
    playback = replace(made.playback, config={"style": style}, start_s=10.0)
    noise = replace(made.noise, noise_criterion=criterion)
    if criterion is None:
        noise = replace(noise, self_noise_db_spl=None)
    return replace(made, playback=playback, noise=noise, **changes)


def parts(with_person: Scene) -> dict[str, Sound]:
    """Return playback, static sound and the body's sound of a scene without noise."""
    simulator = load_simulator()
    take = simulator.simulate(with_person)
    static = simulator.simulate(replace(with_person, subject=None)).recording.samples
    body = take.recording.samples - static
    return {"playback": take.playback.samples, "static": static, "body": body}


@lru_cache
def room_noise(criterion: float) -> Sound:
    """Return the noise of the demo's room at a noise criterion, and the microphone's."""
    simulator = load_simulator()
    loud, none = (
        simulator.simulate(scene("ambient", c, subject=None)).recording.samples
        for c in (criterion, None)
    )
    return loud - none


def babble(samples: int, rms: float, generator: np.random.Generator) -> Sound:
    """Return four voices' worth of coloured noise, each in syllables of its own, from four sides.

    Real speech cannot be shipped: noise with speech's long-term slope above 500 Hz, its level
    moving at 3 to 6 syllables a second, with pauses.
    """
    time = np.arange(samples) / SAMPLE_RATE_HZ
    colour = butter(1, (150.0, 700.0), "bandpass", fs=SAMPLE_RATE_HZ, output="sos")
    total = np.zeros((4, samples))
    for yaw in (0.4, 1.9, 3.5, 5.2):
        rate_hz, phase = generator.uniform(3, 6), generator.uniform(0, 2 * np.pi)
        syllables = np.clip(np.sin(2 * np.pi * rate_hz * time + phase), 0, None)
        pauses = np.sin(2 * np.pi * 0.35 * time + phase) > -0.5
        voice = sosfilt(colour, generator.standard_normal(samples)) * syllables * pauses
        total += np.array([1.0, np.cos(yaw), np.sin(yaw), 0.0])[:, None] * voice
    return (total * rms / np.sqrt(np.square(total).mean())).astype(np.float32)


def clocked(recording: Sound, drift_ppm: float) -> Sound:
    """Return a recording on a clock that is fast, as the simulator's recorder does it."""
    ratio = 1 + drift_ppm * 1e-6
    return read_at(recording, 0.0, 1 / ratio, recording.shape[1])


def residual(recording: Sound, playback: Sound, **settings: Any) -> Sound:
    """Return what the feature leaves of a recording."""
    feature = features.create("room-cancelled-stack", settings)
    with torch.inference_mode():
        left = feature.cancel(torch.from_numpy(recording), torch.from_numpy(playback)).numpy()
    return np.pad(left, ((0, 0), (0, recording.shape[1] - left.shape[1])))


def level_db(part: Sound, whole: Sound) -> float:
    """Return the energy of `part` beside that of `whole`, both in the band, from 10 s on."""
    energies = [np.square(sosfilt(BAND, sound)[:, LATE]).sum() for sound in (part, whole)]
    return round(float(10 * np.log10(energies[0] / energies[1])), 1)


def measure(
    recording: Sound, playback: Sound, wanted: Sound, modes: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """Return the fall and body over rest of each way of cancelling, and of the recording."""
    result: dict[str, Any] = {"recording_body_db": level_db(wanted, recording - wanted)}
    for name, settings in modes.items():
        left = residual(recording, playback, **settings)
        fall, body = level_db(left, recording), level_db(wanted, left - wanted)
        result |= {f"{name}_fall_db": fall, f"{name}_body_db": body}
    return result


BOTH: dict[str, dict[str, Any]] = {"take": {}, "running": {"mode": "running"}}
UNALIGNED: dict[str, dict[str, Any]] = {"take": {"align": False}}


def conditions() -> dict[str, dict[str, Any]]:
    """Return the measurements, condition by condition."""
    simulator, found = load_simulator(), {}
    plain = parts(scene())
    sent, static, body = plain["playback"], plain["static"], plain["body"]
    wanted = residual(body, sent)
    take = static + body
    quiet = room_noise(15.0)

    def note(name: str, *arguments: Any) -> None:
        found[name] = measure(*arguments)
        print(name, found[name], flush=True)

    note("no noise", take, sent, wanted, BOTH)
    note("NC-15", take + quiet, sent, wanted, BOTH)
    for criterion in (25.0, 35.0):
        noisy = take + room_noise(criterion)
        note(f"NC-{criterion:.0f}", noisy, sent, wanted, BOTH)
    loud = room_noise(35.0)
    loud = loud * np.sqrt(np.square(static).mean() / np.square(loud).mean() / 10)
    note("room noise 10 dB below the music", take + loud, sent, wanted, BOTH)
    rms = np.sqrt(np.square(static).mean()) * 10 ** (BABBLE_DB / 20)
    voices = babble(take.shape[1], rms, np.random.default_rng(0))
    note("babble 10 dB below the music", take + quiet + voices, sent, wanted, BOTH)
    for ppm in (20.0, 50.0):
        moved, clean = clocked(take + quiet, ppm), clocked(wanted.astype(np.float32), ppm)
        note(f"drift of {ppm:.0f} ppm", moved, sent, clean, BOTH)
        note(f"drift of {ppm:.0f} ppm, align = false", moved, sent, clean, UNALIGNED)
    other = scene(subject=None, microphone=replace(scene().microphone, position_m=(2.9, 1.3, 4.1)))
    changed = simulator.simulate(other).recording.samples
    half = take.shape[1] // 4
    mixed = np.concatenate([static[:, :half], changed[:, half:]], axis=1) + body + quiet
    note("static response changed after 5 s", mixed, sent, wanted, BOTH)
    for name, config in others().items():
        data = parts(config)
        heard = data["static"] + data["body"] + quiet
        note(name, heard, data["playback"], residual(data["body"], data["playback"]), BOTH)
    return found


def others() -> dict[str, Scene]:
    """Return scenes in which more than what is added differs."""
    base = scene()
    x, y, z = base.subject.position_m if base.subject else (0.0, 0.0, 0.0)
    aside = replace(base.subject, position_m=(x + 0.9, y, z)) if base.subject else None
    hard = replace(base.room, absorption=tuple(a / 2 for a in base.room.absorption))  # type: ignore
    mono = replace(base, loudspeakers=base.loudspeakers[:1])
    return {
        "ambient": scene("ambient"),
        "0.9 m off the axis": replace(base, subject=aside),
        "half the absorption": replace(base, room=hard),
        "one loudspeaker": mono,
    }


def table(result: dict[str, Any]) -> str:
    """Return the measurements as a Markdown table."""
    head = (
        "| | body over rest in the recording | whole take: fall | body over rest "
        "| running: fall | body over rest |"
    )
    keys = ("recording_body", "take_fall", "take_body", "running_fall", "running_body")
    rows = []
    for name, row in result["conditions"].items():
        values = [f"{row[f'{key}_db']:.1f} dB" if f"{key}_db" in row else "" for key in keys]
        rows.append(f"| {name} | " + " | ".join(values) + " |")
    return "\n".join([head, "|---|---:|---:|---:|---:|---:|", *rows]) + "\n"


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--page-only", action="store_true", help="only rewrite the table")
    if not parser.parse_args().page_only:
        torch.set_num_threads(1)
        result = {
            "seconds": SECONDS,
            "measured_from_s": LATE.start / SAMPLE_RATE_HZ,
            "conditions": conditions(),
            "provenance": provenance("torch", "numpy", "scipy"),
        }
        RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    marked.fill(PAGE, "room-cancelled-study", table(result))
    print(table(result))


if __name__ == "__main__":
    main()
