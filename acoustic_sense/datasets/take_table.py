"""`takes.csv`: one row a take, so that a dataset is known without opening its takes."""

import csv
import io
from dataclasses import fields
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from acoustic_sense.errors import DatasetError
from acoustic_sense.types import TakeInfo

TABLE_NAME = "takes.csv"
COLUMNS = tuple(field.name for field in fields(TakeInfo))
_INFO: TypeAdapter[TakeInfo] = TypeAdapter(TakeInfo)


def format_table(takes: list[TakeInfo]) -> str:
    """Return the table as CSV text, sorted by take id; tags are separated by `;`."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for info in sorted(takes, key=lambda take: take.id):
        row: list[Any] = [getattr(info, name) for name in COLUMNS]
        row[COLUMNS.index("tags")] = ";".join(info.tags)
        writer.writerow(row)
    return buffer.getvalue()


def read_table(path: Path) -> list[TakeInfo]:
    """Return the rows of a `takes.csv` in its order, duplicates included.

    Raises:
        DatasetError: The table is missing, lacks a column, or a value cannot be read.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
            header = reader.fieldnames or []
    except FileNotFoundError:
        raise DatasetError(
            f"{path}: missing, so the dataset is not complete; run the command that was making "
            "it again and it will resume"
        ) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path}: not a CSV table: {error}") from None
    absent = [name for name in COLUMNS if name not in header]
    if absent:
        raise DatasetError(f"{path}: lacks the column '{absent[0]}'")
    return [_parse_row(path, number, row) for number, row in enumerate(rows, start=2)]


def _parse_row(path: Path, line: int, row: dict[str, Any]) -> TakeInfo:
    values = {name: row[name] for name in COLUMNS}
    values["tags"] = tuple(tag for tag in (row["tags"] or "").split(";") if tag)
    try:
        return _INFO.validate_python(values)
    except ValidationError as error:
        problem = error.errors()[0]
        raise DatasetError(
            f"{path}: line {line}, column '{problem['loc'][0]}': {problem['msg']}"
        ) from None
