"""The sections of README.md that are generated: what was measured, what the shipped model is.

`python docs/readme_sections.py` rewrites them in place; a test holds README.md equal to what this
would write. Numbers come from three places only: the descriptions inside the shipped models' files,
the cells of one comparison, and the tables under the key `readme` of the files in
`benchmarks/results`:

    {"readme": {"title": "...", "columns": ["...", ...], "rows": [["...", ...], ...]}}
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"


def main() -> None:
    """Rewrite the generated sections of README.md."""
    path = ROOT / "README.md"
    path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")


def filled(text: str) -> str:
    """Return a README's text with every generated section as it should be."""
    for name, section in (("comparison", comparison_section()), ("model", model_section())):
        pattern = re.compile(f"(<!-- {name}: begin.*?-->\n).*?(<!-- {name}: end -->)", re.DOTALL)
        if len(pattern.findall(text)) != 1:
            raise ValueError(f"README.md needs one section marked '<!-- {name}: begin ... -->'")
        text = pattern.sub(lambda match, body=section: match[1] + body + match[2], text)
    return text


def comparison_section() -> str:
    """Return the tables of every benchmark that has one for the README."""
    parts = [_methods_table(RESULTS / "ampl-sim-mini-single")]
    for path in sorted(RESULTS.glob("*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        table = data.get("readme") if isinstance(data, dict) else None
        if table:
            parts.append(f"{table['title']} (`benchmarks/results/{path.name}`):\n\n{_table(table)}")
    return "\n\n".join(parts) + "\n" if parts else ""


def _methods_table(folder: Path) -> str:
    """Return the methods of a comparison's first protocol that have results."""
    from acoustic_sense.benchmarking.blocks import read_blocks
    from acoustic_sense.benchmarking.tables import main_rows

    name, blocks = read_blocks(folder)
    head, *rows = main_rows(blocks[0])
    width = head.index("PCKh@0.5") + 1
    done = {row.method for row in blocks[0].rows if row.results}
    table = {"columns": head[:width], "rows": [row[:width] for row in rows if row[0] in done]}
    return f"{name} (`benchmarks/results/{folder.name}`):\n\n{_table(table)}"


def model_section() -> str:
    """Return what the shipped models say of themselves."""
    from acoustic_sense.inference import shipped_models
    from acoustic_sense.inference.model_files import read_description

    rows = [["", "file", "reads", "trained on"], ["---"] * 4]
    for name, path in shipped_models().items():
        description = read_description(path)
        told = description.training
        rows.append(
            [
                f"`{name}`",
                f"{path.stat().st_size / 1e6:.1f} MB",
                f"`{description.feature.name}`",
                f"`{told['dataset']}`, simulated: {len(told['subjects'])} people, "
                f"{len(told['tracks'])} tracks, {60 * told['hours']:.0f} minutes",
            ]
        )
    if len(rows) == 2:
        return "This development version ships without a model.\n"
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def _table(table: Mapping[str, Any]) -> str:
    rows = [table["columns"], ["---"] * len(table["columns"]), *table["rows"]]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)


if __name__ == "__main__":
    main()
