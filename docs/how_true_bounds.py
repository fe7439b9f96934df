"""What was asked of the simulator beside what was measured: the summary of how-true-is-it.md."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Bound:
    """A figure and its bound.

    Attributes:
        what: What is measured.
        asked: The bound.
        found: The figure.
        unit: What follows both, `%` for shares.
        digits: Digits of the figure behind the point; None for as many as it takes.
        least: Whether the figure must not be lower, rather than not higher.
    """

    what: str
    asked: float
    found: float
    unit: str = ""
    digits: int | None = None
    least: bool = False

    @property
    def kept(self) -> bool:
        """Whether the figure keeps its bound."""
        return self.found >= self.asked if self.least else self.found <= self.asked

    def row(self) -> tuple[str, ...]:
        """Return the row of the table."""
        factor, unit = (100, " %") if self.unit == "%" else (1, f" {self.unit}".rstrip())
        form = "g" if self.digits is None else f".{self.digits}f"
        return (
            self.what,
            f"at {'least' if self.least else 'most'} {factor * self.asked:g}{unit}",
            f"{factor * self.found:{form}}{unit}",
            "kept" if self.kept else "**not kept**",
        )


def summary(results: Mapping[str, Any]) -> str:
    """Return the table of every bound whose figure was measured."""
    rows = [bound.row() for bound in bounds(results)]
    return markdown_table(("", "asked", "measured", ""), rows)


def bounds(results: Mapping[str, Any]) -> list[Bound]:
    """Return every bound whose result is there."""
    return [
        bound
        for name, measured in MEASURED.items()
        if name in results
        for bound in measured(results[name])
    ]


def markdown_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table in Markdown, without a line's end."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _room(room: Any) -> list[Bound]:
    off = {name: abs(row["ratio_mean"] - 1) for name, row in room["decay"].items()}
    worst = max(off, key=lambda name: off[name])
    broad = max(abs(row["ratio_broadband"] - 1) for row in room["decay"].values())
    return [
        Bound("empty room off pyroomacoustics, over the peak", 1e-4, room["largest_difference"]),
        Bound(
            f"decay off the reverberation time, mean of octaves, worst room ({worst})",
            *(0.1, off[worst], "%", 1),
        ),
        Bound("decay off the reverberation time, broadband, worst room", 0.1, broad, "%", 1),
    ]


def _physics(physics: Any) -> list[Bound]:
    found = []
    for fidelity in ("fast", "high"):
        models = [m for m in physics["sphere"]["models"] if m["fidelity"] == fidelity]
        rigid = max(m["relative_error_worst"] for m in models if not m["absorption"])
        soft = max(m["relative_error_worst"] for m in models if m["absorption"])
        found += [
            Bound(f"rigid sphere, `{fidelity}`, worst frequency", 0.05, rigid, "%", 1),
            Bound(f"absorbing spheres, `{fidelity}`, worst frequency", 0.08, soft, "%", 1),
        ]
    rows = physics["reciprocity"]
    for name in dict.fromkeys((row["body"].split(",")[0], row["fidelity"]) for row in rows):
        worst = max(
            row["difference_worst"]
            for row in rows
            if (row["body"].split(",")[0], row["fidelity"]) == name
        )
        what = f"source and receiver exchanged, {name[0]}, `{name[1]}`, worst frequency"
        found.append(Bound(what, 0.05, worst, "%", 1))
    overall = [
        list(row["relative_difference_by_hz"].values())[-1] for row in physics["time_domain"]
    ]
    what = "time domain off the frequency-domain sum, 100 Hz to 6 kHz, worst person"
    found.append(Bound(what, 0.02, max(overall), "%", 1))
    linear = physics["linearity"]
    departure = max(linear["sum_over_peak"], linear["factor_over_peak"])
    found.append(Bound("linearity in playback (float precision), over the peak", 1e-6, departure))
    return found


def _person(person: Any) -> list[Bound]:
    asked = {"fast": (1.0, 0.6, 0.45), "high": (0.5, 0.3, 0.2)}
    found = []
    for name, (level, worst, mean) in asked.items():
        model = person["models"][name]
        found += [
            Bound(
                f"person, `{name}`, rms level error, worst frequency",
                *(level, model["level_error_db_worst"], "dB", 2),
            ),
            Bound(
                f"person, `{name}`, error of the field, worst frequency and pose",
                *(worst, model["relative_error_worst"], "", 2),
            ),
            Bound(
                f"person, `{name}`, error of the field, mean",
                *(mean, model["relative_error_mean"], "", 2),
            ),
        ]
    return found


def _speed(speed: Any) -> list[Bound]:
    ours = speed["acoustic_sense"]
    what = f"seconds of audio per CPU second, {ours['facets']:,} facets"
    return [Bound(what, 10, ours["audio_s_per_cpu_s"], "", 1, least=True)]


def _generation(made: Any) -> list[Bound]:
    same, killed = made["same_bytes"], made["killed"]
    digests = [run["digest"] for run in same["runs"].values()]
    differ = len({*digests, killed["final_digest"]}) - 1
    lost = killed["whole_takes_lost"] + killed["files_with_other_bytes"]
    lost += len(killed["stray_files"]) + killed["orphans"]
    ways = f"{', '.join(same['runs'])}, resumed after kills"
    return [
        Bound(f"datasets of other bytes: {ways}", 0, differ),
        Bound(f"lost, wrong or left behind after {len(killed['kills'])} kills", 0, lost),
    ]


def _memory(memory: Any) -> list[Bound]:
    peak = max(take["peak_bytes_of_a_worker"] for take in memory["takes"]) / 1e9
    longest = max(take["audio_s"] for take in memory["takes"])
    return [Bound(f"memory of a worker, takes of up to {longest:g} s", 1, peak, "GB", 2)]


MEASURED: dict[str, Callable[[Any], list[Bound]]] = {
    "empty_room": _room,
    "physics": _physics,
    "person_against_bem": _person,
    "simulation_speed": _speed,
    "generation": _generation,
    "generation-memory": _memory,
}
"""The bounds that each result holds figures for."""
