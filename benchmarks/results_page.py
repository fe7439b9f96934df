"""The tables and pictures of docs/explanation/what-was-reached.md, from the comparisons' results.

Run `python benchmarks/results_page.py` after results in `benchmarks/results` have changed. Each
folder there was made by `acoustic-sense benchmark run` and holds its plan and cells.
"""

import shutil
from pathlib import Path

import marked

from acoustic_sense.benchmarking.blocks import read_blocks
from acoustic_sense.benchmarking.plots import plot_path, write_plots
from acoustic_sense.benchmarking.tables import main_rows

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
IMAGES = ROOT / "docs" / "images"
PAGE = ROOT / "docs" / "explanation" / "what-was-reached.md"
FOLDERS = {
    "single": "ampl-sim-mini-single",
    "cross": "ampl-sim-mini-cross",
    "ablation": "ampl-sim-mini-ablation",
    "transfer": "transfer",
    "tuning": "ampl-sim-mini-tuning",
}
"""Folder of each comparison by the name of its marks."""
PICTURED = ("single", "cross", "transfer")


def table(folder: Path) -> str:
    """Return the main tables of a comparison, one for each block that has results."""
    parts = []
    blocks = [block for block in read_blocks(folder)[1] if block.results]
    for block in blocks:
        head, *rows = main_rows(block)
        lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
        title = [f"{block.title}:"] if len(blocks) > 1 else []
        parts += [*title, "\n".join("| " + " | ".join(cells) + " |" for cells in lines)]
    return "\n\n".join(parts)


def filled(page: str) -> str:
    """Return the page with every table between its marks."""
    for name, folder in FOLDERS.items():
        page = marked.filled(page, name, table(RESULTS / folder))
    return page


def main() -> None:
    """Write tables and pictures."""
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    for name in PICTURED:
        folder = RESULTS / FOLDERS[name]
        blocks = [block for block in read_blocks(folder)[1] if block.results]
        if not any(result.learning_curve for block in blocks for result in block.results):
            continue
        write_plots(folder, blocks)
        shutil.copyfile(plot_path(folder, blocks[0], "learning"), IMAGES / f"learning-{name}.png")


if __name__ == "__main__":
    main()
