"""The tables and pictures of docs/explanation/what-was-reached.md, from the comparisons' results.

Run `python benchmarks/results_page.py` after results in `benchmarks/results` have changed. Each
folder there was made by `acoustic-sense benchmark run` and holds its plan and cells.
"""

import shutil
from pathlib import Path
from statistics import mean

import marked

from acoustic_sense.benchmarking.blocks import Block, read_blocks
from acoustic_sense.benchmarking.plots import plot_path, write_plots
from acoustic_sense.benchmarking.tables import NOTHING, main_rows, spread

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
IMAGES = ROOT / "docs" / "images"
PAGE = ROOT / "docs" / "explanation" / "what-was-reached.md"
FOLDERS = {
    "single": "ampl-sim-mini-single",
    "cross": "ampl-sim-mini-cross",
    "tsp": "ampl-sim-mini-tsp",
    "study": "ampl-sim-mini-listen-study",
    "third-party": "ampl-sim-mini-third-party",
    "rates": "ampl-sim-mini-tsp-rates",
    "ablation": "ampl-sim-mini-ablation",
    "transfer": "transfer",
    "tuning": "ampl-sim-mini-tuning",
}
"""Folder of each comparison by the name of its marks."""
PICTURED = ("single", "cross", "tsp", "transfer")
ELSEWHERE = "->"
"""In a block's playback where it is tested on another dataset."""
REFERENCE = "mean-pose"
SETTINGS = (
    ("single-music", "single", ("generated", "single-music-jazz"), 0.847),
    ("cross-music", "cross", ("generated", "cross-music-ambient-3"), 0.933),
    ("cross-genre", "cross", ("generated", "cross-genre-jazz"), 0.958),
    ("noise 10 dB", "single", ("generated -> noise", "noise-10-db"), 0.905),
    ("cross-room", "single", ("generated -> cross-room", "cross-room"), None),
    ("chirp, single-music", "tsp", ("tsp", "single-music-jazz"), None),
)
"""Setting, comparison, playback and protocol, and RMSE of BGM2Pose over Shibata as published."""
RATIOS = (
    ("bgm2pose", "shibata2023"),
    ("bgm2pose", REFERENCE),
    ("bgm2pose-room-cancelled", "bgm2pose"),
    ("listen", "bgm2pose"),
    ("listen", REFERENCE),
)


def blocks_of(name: str) -> list[Block]:
    """Return the blocks of a comparison that have results."""
    folder = RESULTS / FOLDERS[name]
    return [block for block in read_blocks(folder)[1] if block.results] if folder.exists() else []


def table(blocks: list[Block]) -> str:
    """Return the main table of each block, with titles if there are several."""
    parts = []
    for block in blocks:
        head, *rows = main_rows(block)
        title = [f"{block.title}:"] if len(blocks) > 1 else []
        parts += [*title, _lines(head, rows)]
    return "\n\n".join(parts)


def conditions(blocks: list[Block]) -> str:
    """Return one table of RMSE: a row for each method, a column for each block."""
    head = ["method", *(block.protocol for block in blocks)]
    names = list(dict.fromkeys(row.method for block in blocks for row in block.rows))
    rows = [[name, *(spread(rmse(block, name)) for block in blocks)] for name in names]
    rows = [row for row in rows if set(row[1:]) != {NOTHING}]
    return _lines(head, rows)


def standing() -> str:
    """Return RMSE over RMSE, means over seeds, for each setting, and music over chirp."""
    found = {
        (name, (block.playback, block.protocol)): block
        for name in ("single", "cross", "tsp")
        for block in blocks_of(name)
    }
    heads = [f"{one} / {other}" for one, other in RATIOS]
    head = ["setting", "published, bgm2pose / shibata2023", *heads]
    rows = []
    for setting, name, where, published in SETTINGS:
        block = found.get((name, where))
        cells = [over(block, one, block, other) for one, other in RATIOS]
        rows.append([setting, f"{published:.3f}" if published else NOTHING, *cells])
    music, chirp = (found.get((name, where)) for _, name, where, _ in (SETTINGS[0], SETTINGS[-1]))
    methods = ("shibata2023", "bgm2pose", "bgm2pose-room-cancelled", "listen")
    against = ("shibata2023", "bgm2pose-room-cancelled", "listen")
    second = [
        [f"{one}, music", *(over(music, one, chirp, other) for other in against)] for one in methods
    ]
    return "\n\n".join(
        [_lines(head, rows), _lines(["", *(f"/ {each}, chirp" for each in against)], second)]
    )


def over(block: Block | None, one: str, other_block: Block | None, other: str) -> str:
    """Return a method's RMSE over another's, with seeds if there are fewer than three."""
    first, second = rmse(block, one), rmse(other_block, other)
    if not first or not second:
        return NOTHING
    seeds = len(first)
    return f"{mean(first) / mean(second):.3f}" + (f" ({seeds} of 3 seeds)" if seeds < 3 else "")


def rmse(block: Block | None, method: str) -> list[float]:
    """Return a method's RMSE, one for each seed that is done."""
    rows = [row for row in block.rows if row.method == method] if block else []
    return rows[0].values(lambda r: r.scores["method"]["rmse"]) if rows else []


def _lines(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def filled(page: str) -> str:
    """Return the page with every table between its marks."""
    for name in FOLDERS:
        blocks = blocks_of(name)
        here = [block for block in blocks if ELSEWHERE not in block.playback]
        page = marked.filled(page, name, table(here))
        if name == "single":
            page = marked.filled(page, "conditions", conditions(blocks))
    return marked.filled(page, "standing", standing())


def main() -> None:
    """Write tables and pictures."""
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    for name in PICTURED:
        folder, blocks = RESULTS / FOLDERS[name], blocks_of(name)
        if not any(result.learning_curve for block in blocks for result in block.results):
            continue
        write_plots(folder, blocks)
        shutil.copyfile(plot_path(folder, blocks[0], "learning"), IMAGES / f"learning-{name}.png")


if __name__ == "__main__":
    main()
