"""Tables of simulated statistics beside AMPL's, from what `ampl_statistics.py` measured.

Channels are those of the layout that AMPL is published in: four levels of the recording, two of the
playback, three directions of the intensity.
"""

from itertools import permutations
from typing import Any

import numpy as np

MATCHES = {"cirrus": "ambient-1", "arnor": "ambient-2", "jazz": "jazz", "mantron": "ambient-3"}
"""Our track that stands for each of AMPL's."""

TUNED_ON = ("cirrus", "arnor", "jazz")

LEVELS, SENT, DIRECTIONS = slice(0, 4), slice(4, 6), slice(6, 9)
DECIBELS = slice(0, 6)
LABELS = (
    *(f"{axis}, dB" for axis in "WYZX"),
    *(f"playback {number}, dB" for number in (1, 2)),
    *(f"intensity {axis}, thousandths" for axis in "YZX"),
)

DEVIATION_WITHIN = 0.25
"""How far the deviation of a level may be off, as a share of AMPL's."""

DIRECTION_FACTOR = 1.5
"""By what factor the deviation of a direction may be off."""

FULL_DIRECTION = 0.05
"""Largest value of the intensity: mel filters have unit area, frequencies are 20 Hz apart."""


def ratios(result: dict[str, Any], scene: str, track: str) -> np.ndarray:
    """Return our deviations over AMPL's, channel by channel."""
    ours, theirs = result["scenes"][scene][track], result["published"][track]
    return np.asarray(np.divide(ours["deviation"], theirs["deviation"]))


def means_off_db(result: dict[str, Any], scene: str, tracks: tuple[str, ...]) -> float:
    """Return the rms distance of the recording's means from AMPL's."""
    off = [
        np.subtract(result["scenes"][scene][track]["mean"], result["published"][track]["mean"])
        for track in tracks
    ]
    return float(np.sqrt(np.mean(np.square(off)[:, LEVELS])))


def gain_beside_w_db(result: dict[str, Any], scene: str, tracks: tuple[str, ...]) -> float:
    """Return how much louder than AMPL's our X, Y and Z are on the whole, both beside W."""
    off = [
        np.subtract(result["scenes"][scene][track]["mean"], result["published"][track]["mean"])
        for track in tracks
    ]
    return float(np.mean([levels[1:4].mean() - levels[0] for levels in off]))


def kept(result: dict[str, Any], scene: str, track: str) -> bool:
    """Say whether all deviations of a track are as close as was asked."""
    found = ratios(result, scene, track)
    levels = np.abs(found[DECIBELS] - 1) <= DEVIATION_WITHIN
    directions = np.abs(np.log(found[DIRECTIONS])) <= np.log(DIRECTION_FACTOR)
    return bool(levels.all() and directions.all())


def orders(result: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Return how far the benchmark is off for each order that AMPL's channels may have.

    Over the tuned tracks: ratios of the deviations, levels and directions of the recording, rms in
    dB (twice as much is 6 dB); and the rms distance of the mean directions, their signs left open,
    where 1 is all sound from one side.
    """
    found = {}
    for order in permutations("XYZ"):
        take = [0, *(1 + "YZX".index(axis) for axis in order)]
        turn = [6 + "YZX".index(axis) for axis in order]
        spread, aim = [], []
        for track in TUNED_ON:
            ours, theirs = result["scenes"]["benchmark"][track], result["published"][track]
            places = [*range(4), *range(6, 9)]
            mine = np.array(ours["deviation"])[take + turn]
            spread.append(20 * np.log10(mine / np.array(theirs["deviation"])[places]))
            mean = np.abs(np.array(ours["mean"])[turn]) - np.abs(theirs["mean"][6:])
            aim.append(mean / FULL_DIRECTION)
        found[", ".join(("W", *order))] = {
            "deviations_db": round(float(np.sqrt(np.mean(np.square(spread)))), 2),
            "mean_direction": round(float(np.sqrt(np.mean(np.square(aim)))), 3),
        }
    return found


def channel_table(result: dict[str, Any]) -> str:
    """Return every mean and deviation, ours beside AMPL's."""
    lines = [
        "| track | channel | AMPL: mean | deviation | AMPL-Sim-v1: mean | deviation | ratio "
        "| `ampl-like`: mean | deviation | ratio |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for track in MATCHES:
        for place, label in enumerate(LABELS):
            row = [track if place == 0 else "", label, *_cells(result["published"][track], place)]
            for scene in ("benchmark", "ampl-like"):
                row += _cells(result["scenes"][scene][track], place)
                row.append(f"{ratios(result, scene, track)[place]:.2f}")
            lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines) + "\n"


def _cells(row: dict[str, Any], place: int) -> list[str]:
    """Return mean and deviation of one channel; directions times 1,000."""
    scale = 1000 if place >= DIRECTIONS.start else 1
    values = (round(scale * row[key][place], 1) + 0.0 for key in ("mean", "deviation"))
    return [f"{value:.1f}" for value in values]  # without a minus before zero


def scene_table(result: dict[str, Any]) -> str:
    """Return how far the deviations of each scene are off, tuned tracks apart from the check."""
    lines = [
        "| scenes | tracks | recording | playback | intensity | means off | X, Y, Z beside W "
        "| as asked |",
        "|---|---|---|---|---|---|---|---|",
    ]
    groups = {"tuned on": TUNED_ON, "check": tuple(set(MATCHES) - set(TUNED_ON))}
    for scene, name in result["labels"].items():
        for label, tracks in groups.items():
            found = np.array([ratios(result, scene, track) for track in tracks])
            ranges = (
                f"{found[:, part].min():.2f} to {found[:, part].max():.2f}"
                for part in (LEVELS, SENT, DIRECTIONS)
            )
            off = f"{means_off_db(result, scene, tracks):.1f} dB"
            off += f" | {gain_beside_w_db(result, scene, tracks):+.1f} dB"
            good = "kept" if all(kept(result, scene, track) for track in tracks) else "not kept"
            lines.append(f"| {name} | {label} | {' | '.join(ranges)} | {off} | {good} |")
    return "\n".join(lines) + "\n"


def order_table(result: dict[str, Any]) -> str:
    """Return how well each order of AMPL's channels fits."""
    lines = ["| order | deviations off, rms | mean direction off, rms |", "|---|---|---|"]
    rows = sorted(result["orders"].items(), key=lambda item: item[1]["deviations_db"])
    for order, row in rows:
        lines.append(f"| {order} | {row['deviations_db']:.2f} dB | {row['mean_direction']:.3f} |")
    return "\n".join(lines) + "\n"


TABLES = {
    "ampl-scenes": scene_table,
    "ampl-channels": channel_table,
    "ampl-orders": order_table,
}
"""Marks on the page and what stands between them."""
