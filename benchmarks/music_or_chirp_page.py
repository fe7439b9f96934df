"""Tables and pictures of docs/explanation/music-or-chirp.md, for `music_or_chirp.py`."""

from collections.abc import Mapping
from pathlib import Path
from statistics import mean, stdev
from typing import Any, Final

import marked
from music_or_chirp_scenes import Study

from acoustic_sense.benchmarking.blocks import read_blocks
from acoustic_sense.benchmarking.results import CELLS, CellResult

NAMES: Final = {"generated": "music", "tsp": "chirp"}
"""What the playbacks are called on the page."""
METHODS: Final = ("shibata2023", "bgm2pose", "bgm2pose-room-cancelled", "listen")
TRAINED: Final = "as-trained"
MARGIN: Final = 0.03
"""RMSE by which one playback must be better to count as such."""

Cells = Mapping[tuple[str, str, str], tuple[CellResult, ...]]
"""Results of all seeds by playback, condition and method."""
Sound = Mapping[str, Any]


def read_cells(folder: Path) -> dict[tuple[str, str, str], tuple[CellResult, ...]]:
    """Return the results in a folder of `benchmark run`; none where there is no folder."""
    if not (folder / CELLS).is_dir():
        return {}
    return {
        (block.playback.split(" -> ")[0], block.protocol, row.method): row.results
        for block in read_blocks(folder)[1]
        for row in block.rows
        if row.results
    }


def filled(page: str, study: Study, sound: Sound, cells: Cells) -> str:
    """Return the page with every table between its marks."""
    tables = {
        "levels": levels_table(study, sound),
        "octaves": octaves_table(sound),
        "heard": heard_table(study, sound),
        "trained": rmse_table({TRAINED: "as in training"}, cells),
        "verdict": verdict(study, cells),
    }
    tables |= {name: rmse_table(titles, cells) for name, titles in study.tables.items()}
    for name, table in tables.items():
        page = marked.filled(page, name, table)
    return page


def rmse_table(titles: Mapping[str, str], cells: Cells) -> str:
    """Return the RMSE under each condition, a pair of columns for each method.

    Args:
        titles: What to call each condition, by name.
        cells: The results.
    """
    head = ["condition", "mean pose"]
    head += [f"{method}, {name}" for method in METHODS for name in NAMES.values()]
    rows = []
    for condition, title in titles.items():
        row = [title, _mean_pose(cells, condition)]
        for method in METHODS:
            row += _pair(*(cells.get((playback, condition, method), ()) for playback in NAMES))
        rows.append(row)
    return table(head, rows)


def levels_table(study: Study, sound: Sound) -> str:
    """Return how loud either playback is in training, and at the level of the tests."""
    head = ["playback", "in training", "in the tests, where not said otherwise"]
    rows = []
    for playback, found in sound["playbacks"].items():
        tested = sound["conditions"]["nc-25"][playback]
        rows.append(
            [
                NAMES[playback],
                f"{found['trained_db_spl']:g} dB SPL = {found['trained_dba']:.1f} dB(A)",
                f"{tested['level_db_spl']:.1f} dB SPL = {study.level('nc-25'):.1f} dB(A)",
            ]
        )
    return table(head, rows)


def octaves_table(sound: Sound) -> str:
    """Return levels in octaves: the body's sound under either playback, and noises."""
    head = ["dB SPL", *(_hertz(band) for band in sound["bands_hz"])]
    rows = [
        [f"body, {NAMES[playback]}", *(f"{level:.0f}" for level in found["body_db"])]
        for playback, found in sound["playbacks"].items()
    ]
    rows += [
        [f"noise, NC-{criterion}", *(f"{level:.0f}" for level in levels)]
        for criterion, levels in sound["noise_db"].items()
    ]
    return table(head, rows)


def heard_table(study: Study, sound: Sound) -> str:
    """Return in what share of frames and mel bands the body is louder than the noise."""
    parts = {
        "all": "all bands",
        "low": "below 1 kHz",
        "middle": "1 to 4 kHz",
        "high": "above 4 kHz",
    }
    head = ["condition"]
    head += [f"{title}, {name}" for title in parts.values() for name in NAMES.values()]
    titles: dict[str, str] = {}
    for named in study.tables.values():
        titles = {**named, **titles}  # of several titles that of the first table
    rows = []
    for condition, found in sound["conditions"].items():
        row = [titles[condition]]
        row += [f"{found[p]['heard'][part]:.0%}" for part in parts for p in NAMES]
        rows.append([cell.replace("%", " %") for cell in row])
    return table(head, rows)


def verdict(study: Study, cells: Cells) -> str:
    """Return, of each method, under how many conditions which playback is better."""
    head = ["method", "seeds", "music better", "chirp better", f"within {MARGIN:g}"]
    head += ["neither beats the mean pose", "not measured"]
    rows = []
    for method in METHODS:
        pairs = [
            [cells.get((playback, condition, method), ()) for playback in NAMES]
            for condition in study.conditions
        ]
        seeds = min((len(results) for pair in pairs if all(pair) for results in pair), default=0)
        found = [better(*pair) if all(pair) else "unknown" for pair in pairs]
        counts = [found.count(kind) for kind in ("music", "chirp", "alike", "neither", "unknown")]
        rows.append([method, str(seeds), *(str(count) for count in counts)])
    return table(head, rows)


def better(music: tuple[CellResult, ...], chirp: tuple[CellResult, ...]) -> str:
    """Return which playback is better: `music`, `chirp`, `alike`, or `neither` than the mean pose.

    Args:
        music: Results of all seeds, at least one.
        chirp: The same under the chirp.
    """
    if min(_relative(music), _relative(chirp)) >= 1:
        return "neither"
    gap = mean(_rmse(music)) - mean(_rmse(chirp))
    return "alike" if abs(gap) <= MARGIN else ("chirp" if gap > 0 else "music")


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table, its first column to the left."""
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _pair(music: tuple[CellResult, ...], chirp: tuple[CellResult, ...]) -> list[str]:
    """Return two cells of a table, the better one bold."""
    texts = {
        "music": _with_deviation(_rmse(music)),
        "chirp": _with_deviation(_rmse(chirp)),
    }
    best = better(music, chirp) if music and chirp else ""
    if best in texts:
        texts[best] = f"**{texts[best]}**"
    return list(texts.values())


def _mean_pose(cells: Cells, condition: str) -> str:
    """Return the mean pose's RMSE; training takes of both playbacks have the same poses."""
    found = [
        result.scores["mean_pose"]["rmse"]
        for (_, name, _), results in cells.items()
        for result in results
        if name == condition
    ]
    return f"{mean(found):.3f}" if found else "-"


def _rmse(results: tuple[CellResult, ...]) -> list[float]:
    return [result.scores["method"]["rmse"] for result in results]


def _relative(results: tuple[CellResult, ...]) -> float:
    return mean(result.relative_rmse or 0.0 for result in results)


def _with_deviation(values: list[float]) -> str:
    if not values:
        return "-"
    spread = f" ± {stdev(values):.3f}" if len(values) > 1 else ""
    return f"{mean(values):.3f}{spread}"


def _hertz(band: float) -> str:
    return f"{band:g} Hz" if band < 1000 else f"{band / 1000:g} kHz"
