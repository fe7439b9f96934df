"""The figures of docs/explanation/how-true-is-it.md, all from benchmarks/results.

`python docs/how_true.py` rewrites the page's tables between their marks and the pictures in
docs/images; a test holds the page equal to what this would write, and each picture to what it was
drawn from. Nothing is measured here. `tables` below are functions from the results to Markdown.
"""

import json
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import how_true_bounds
import how_true_pictures
from how_true_bounds import markdown_table

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "explanation" / "how-true-is-it.md"

COMMANDS = {
    "empty_room": "python benchmarks/empty_room.py",
    "generation": "python benchmarks/generation.py",
    "generation-hour": "python benchmarks/generation.py --hour",
    "generation-memory": "python benchmarks/generation.py --memory",
    "motions": "python benchmarks/motions.py",
    "person_against_bem": "python benchmarks/person_against_bem.py --cache out/truth",
    "physics": "python benchmarks/physics.py",
    "simulation_speed": "python benchmarks/simulation_speed.py",
}
"""What writes each result that the page needs."""

Results = Mapping[str, Any]


def main() -> None:
    """Rewrite the tables of the page and the pictures."""
    results = read_results()
    for name in missing(results):
        print(f"{name}.json is missing; run: {COMMANDS[name]}")  # noqa: T201
    PAGE.write_text(
        filled(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8", newline="\n"
    )
    how_true_pictures.write_all(results)


def read_results(folder: Path = RESULTS) -> dict[str, Any]:
    """Return the results that there are, by the name of their file."""
    paths = {name: folder / f"{name}.json" for name in COMMANDS}
    return {
        name: json.loads(path.read_text(encoding="utf-8"))
        for name, path in paths.items()
        if path.exists()
    }


def missing(results: Results) -> list[str]:
    """Return the names of the results that are not there."""
    return [name for name in COMMANDS if name not in results]


def filled(text: str, results: Results) -> str:
    """Return the page's text with every table as it should be.

    Raises:
        ValueError: The marks of a table are missing, or there are marks of no table.
    """
    marked = re.findall(r"<!-- ([\w-]+): begin", text)
    if sorted(marked) != sorted(TABLES):
        odd = sorted(set(marked) ^ set(TABLES)) or "marks twice"
        raise ValueError(f"{PAGE.name}: tables and their marks differ: {odd}")
    for name, (needed, table) in TABLES.items():
        lacking = [each for each in needed if each not in results]
        body = table(results) if not lacking else _not_measured(lacking)
        pattern = re.compile(f"(<!-- {name}: begin.*?-->\n).*?(<!-- {name}: end -->)", re.DOTALL)
        text = pattern.sub(lambda match, body=body: f"{match[1]}{body}\n{match[2]}", text)
    return text


def _not_measured(names: list[str]) -> str:
    return "Not measured yet: " + "; ".join(f"`{COMMANDS[name]}`" for name in names) + "."


# --------------------------------------------------------------------------------------- details


def sphere(results: Results) -> str:
    """Return the errors of the sphere by absorption and fidelity."""
    found = results["physics"]["sphere"]
    rows = [
        (
            _surface(model["absorption"]),
            f"`{model['fidelity']}`",
            "5 %" if not model["absorption"] else "8 %",
            f"{100 * model['relative_error_worst']:.1f} % at {model['worst_at_hz']:g} Hz",
            f"{100 * max(model['directly_behind_by_hz'].values()):.1f} %",
        )
        for model in found["models"]
    ]
    head = ("surface", "fidelity", "asked, at most", "worst frequency", "worst, directly behind")
    near, far = found["receiver_distances_m"]
    return (
        f"{found['facets']:,} facets, radius {found['radius_m']:g} m, source at "
        f"{found['source_distance_m']:.2f} m, {found['receivers']} receivers at {near:g} and "
        f"{far:g} m:\n\n{markdown_table(head, rows)}\n\n{_picture('sphere-error')}"
    )


def _surface(absorption: float) -> str:
    return f"absorption {absorption:g}" if absorption else "rigid"


def person(results: Results) -> str:
    """Return the errors of a person by model."""
    found = results["person_against_bem"]
    rows = [
        (
            f"`{name}`" if name in ("fast", "high", "bem") else name,
            f"{model['level_error_db_worst']:.2f} dB",
            f"{model['relative_error_mean']:.2f}",
            f"{model['relative_error_worst']:.2f}",
            model["worst_at"].removeprefix("held-out-"),
        )
        for name, model in found["models"].items()
    ]
    head = ("", "level, worst frequency", "field, mean", "field, worst", "where")
    return (
        f"{len(found['cases'])} cases of pose and shape, {found['sources']} sources and "
        f"{found['receivers']} receivers each:\n\n{markdown_table(head, rows)}"
        f"\n\n{_picture('person-error')}"
    )


def time_domain(results: Results) -> str:
    """Return the differences between rendered and summed responses, by band."""
    cases = results["physics"]["time_domain"]
    bands = list(cases[0]["relative_difference_by_hz"])
    rows = [
        (
            f"{case['body']}, {_surface(case['absorption'])}",
            *map(_percent, case["relative_difference_by_hz"].values()),
        )
        for case in cases
    ]
    return markdown_table(
        (f"{cases[0]['facets']:,} facets", *(f"{band} Hz" for band in bands)), rows
    )


def reciprocity(results: Results) -> str:
    """Return the differences when source and receiver are exchanged, by frequency."""
    cases = results["physics"]["reciprocity"]
    rows = [
        (
            f"{case['body']}, {case['facets']:,} facets",
            f"`{case['fidelity']}`",
            *map(_percent, case["difference_by_hz"].values()),
        )
        for case in cases
    ]
    hertz = (f"{f} Hz" for f in cases[0]["difference_by_hz"])
    return f"{cases[0]['pairs']} pairs of places:\n\n{markdown_table(('', '', *hertz), rows)}"


def doppler(results: Results) -> str:
    """Return the pitch that a moving sphere throws back."""
    rows = [
        tuple(f"{round(row[key], 2) + 0.0:{form}}" for key, form in _DOPPLER.items())
        for row in results["physics"]["doppler"]
    ]
    return markdown_table(("speed, m/s", "theory, Hz", "heard, Hz", "off, Hz"), rows)


_DOPPLER = {"speed_m_s": "g", "expected_hz": ".2f", "heard_hz": ".2f", "error_hz": ".2f"}


def decay(results: Results) -> str:
    """Return the decay of rooms over their reverberation time."""
    rows = [
        (
            name,
            " x ".join(f"{side:.1f}" for side in row["size_m"]),
            f"{row['ratio_mean']:.2f}",
            f"{min(row['ratio_by_octave']):.2f} to {max(row['ratio_by_octave']):.2f}",
            f"{row['ratio_broadband']:.2f}",
        )
        for name, row in results["empty_room"]["decay"].items()
    ]
    return markdown_table(("room", "size, m", "mean of octaves", "octaves", "broadband"), rows)


def speed(results: Results) -> str:
    """Return the speed, and its growth where it was measured."""
    found = results["simulation_speed"]
    ours = found["acoustic_sense"]
    rows = [
        (
            f"ours, {ours['facets']:,} facets, {ours['pose_rate_hz']:g} poses a second",
            f"{ours['audio_s_per_cpu_s']:.2f}",
        )
    ]
    rows += [
        (
            f"pyroomacoustics, {each['triangles']} triangles, {each['poses_per_audio_s']} poses a "
            f"second, order {each['image_order']}",
            f"{each['audio_s_per_cpu_s']:.3f}",
        )
        for each in found["pyroomacoustics_rebuilt"]
    ]
    moving = found.get("torchrir_moving_source", [])
    rows += [("torchrir", moving)] if isinstance(moving, str) else []
    rows += [
        (
            f"torchrir, no body, a moving source, {each['poses_per_audio_s']} poses a second, "
            f"order {each['image_order']}",
            f"{each['audio_s_per_cpu_s']:.3f}",
        )
        for each in ([] if isinstance(moving, str) else moving)
    ]
    text = markdown_table(("", "seconds of audio per CPU second"), rows)
    if "scaling" not in found:
        return text
    grown = [
        (
            f"{row['facets']:,}",
            *(f"{row[key]:g}" for key in ("source_order", "microphone_order", "rate_hz")),
            f"{row['cpu_s_per_audio_s']:.3f}",
        )
        for row in found["scaling"]
    ]
    head = ("facets", "source order", "microphone order", "poses a second", "CPU s per s of audio")
    return f"{text}\n\n{markdown_table(head, grown)}\n\n{_picture('cost')}"


def generation(results: Results) -> str:
    """Return what an hour of data costs."""
    hour = results["generation-hour"]
    rows = [
        ("takes", f"{hour['takes']}"),
        ("audio", f"{hour['audio_s'] / 60:.0f} min"),
        ("time on {} workers".format(hour["workers"]), f"{hour['wall_s'] / 60:.1f} min"),
        ("size", f"{hour['bytes'] / 1e9:.2f} GB"),
        ("most memory of a worker", f"{hour['peak_bytes_of_a_worker'] / 1e9:.2f} GB"),
        ("what validation found", f"{len(hour['problems'])} problems"),
    ]
    return markdown_table(("an hour of data like AMPL's", ""), rows)


def motions(results: Results) -> str:
    """Return the worst of every measure of movement."""
    found = results["motions"]["motions"]
    worst = {
        key: max(found, key=lambda name, key=key: found[name][key])  # type: ignore[misc]
        for key in ("worst_m", "deep_share", "slide_m_s", "hand_m_s")
    }
    forms = {
        "worst_m": ("deepest limb in the body", 100, "{:.1f} cm"),
        "deep_share": ("poses with a limb deeper than 2 cm", 100, "{:.0f} %"),
        "slide_m_s": ("sliding of planted feet", 1, "{:.2f} m/s"),
        "hand_m_s": ("speed of a hand", 1, "{:.1f} m/s"),
    }
    rows = []
    for key, (what, factor, form) in forms.items():
        value = found[worst[key]][key]
        rows.append((what, form.format(factor * value), worst[key]))
    return markdown_table((f"worst of {len(found)} movements", "", "where"), rows)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share >= 0.0005 else "under 0.1 %"


def _picture(name: str) -> str:
    return f"![{how_true_pictures.PICTURES[name].text}](../images/{name}.png)"


TABLES: dict[str, tuple[tuple[str, ...], Callable[[Results], str]]] = {
    "summary": ((), how_true_bounds.summary),
    "sphere": (("physics",), sphere),
    "person": (("person_against_bem",), person),
    "time-domain": (("physics",), time_domain),
    "reciprocity": (("physics",), reciprocity),
    "doppler": (("physics",), doppler),
    "decay": (("empty_room",), decay),
    "speed": (("simulation_speed",), speed),
    "generation": (("generation-hour",), generation),
    "motions": (("motions",), motions),
}


if __name__ == "__main__":
    main()
