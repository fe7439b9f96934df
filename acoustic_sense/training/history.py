"""The history of a run: one row an epoch."""

import csv
import io
import os
from pathlib import Path

Row = dict[str, float]


def write_history(path: Path, rows: list[Row]) -> None:
    """Write the rows as CSV, under a temporary name first; columns in order of appearance."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    partial = path.with_name(f".partial-{path.name}-{os.getpid()}")
    partial.write_text(buffer.getvalue(), encoding="utf-8", newline="\n")
    partial.replace(path)


def read_history(path: Path) -> list[Row]:
    """Return the rows of a history; cells that are empty are left out."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {name: float(value) for name, value in row.items() if value}
            for row in csv.DictReader(file)
        ]
