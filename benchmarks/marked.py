"""Tables of the documentation that benchmarks write between marks."""

import re
from pathlib import Path


def filled(page: str, name: str, table: str) -> str:
    """Return a page with a table between the marks of a name.

    Args:
        page: Text with `<!-- NAME: begin ... -->` and `<!-- NAME: end -->`, each on its line.
        name: Name of the marks.
        table: What stands between them.

    Raises:
        ValueError: The page has no such marks, or has them twice.
    """
    marks = rf"(<!-- {name}: begin[^\n]*-->\n).*?(<!-- {name}: end -->)"
    body = table.rstrip("\n") + "\n"
    changed, count = re.subn(marks, lambda m: m[1] + body + m[2], page, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"the page needs one table marked '<!-- {name}: begin ... -->'")
    return changed


def fill(path: Path, name: str, table: str) -> None:
    """Write a table between the marks of a name in a page.

    Raises:
        SystemExit: The page has no such marks.
    """
    try:
        changed = filled(path.read_text(encoding="utf-8"), name, table)
    except ValueError as error:
        raise SystemExit(f"{path}: {error}") from None
    path.write_text(changed, encoding="utf-8")
