"""What commands print: results on standard output, notes and progress on standard error."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, TypeVar

import typer

if TYPE_CHECKING:
    from rich.console import Console

ShowT = TypeVar("ShowT", bound=Callable[..., None])

PIPE_WIDTH = 200
"""Columns of a table that goes to a file or a pipe, where nothing needs to be wrapped."""


def console(*, stderr: bool = False) -> "Console":
    """Return a console that colours and wraps for a terminal only."""
    from rich.console import Console

    made = Console(stderr=stderr, highlight=False)
    if not made.is_terminal:
        made = Console(stderr=stderr, highlight=False, width=PIPE_WIDTH)
    return made


def say(text: str) -> None:
    """Print one line of a result."""
    typer.echo(text)


def note(text: str) -> None:
    """Print one line about what was done on the way, on standard error."""
    typer.echo(f"note: {text}", err=True)


def progress_line(text: str) -> None:
    """Print one line about how far something has come, on standard error."""
    typer.echo(text, err=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Tell on standard error what is being done, and how long it took."""
    started = time.monotonic()
    typer.echo(f"{text} ...", err=True, nl=False)
    try:
        yield
    except BaseException:
        typer.echo("", err=True)
        raise
    typer.echo(f" {time.monotonic() - started:.1f} s", err=True)


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, numbers_from: int = 99
) -> None:
    """Print a table.

    Args:
        title: Line above it; none if empty.
        columns: Headings.
        rows: Cells, already formatted.
        numbers_from: Index of the first column that is set flush right.
    """
    from rich.table import Table
    from rich.text import Text

    if title:
        say(f"\n{title}")
    table = Table(pad_edge=False, box=None)
    for index, column in enumerate(columns):
        justify = "right" if index >= numbers_from else "left"
        table.add_column(column, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console().print(table)


@contextmanager
def on_terminal(
    make: Callable[["Console"], AbstractContextManager[ShowT]],
) -> Iterator[ShowT | None]:
    """Yield a function that shows progress, or None where standard error is no terminal.

    Args:
        make: Makes the bar on a console: a context manager that gives the function to call. It
            takes the bar away at the end, so that an error stands alone.
    """
    out = console(stderr=True)
    if not out.is_terminal:
        yield None
        return
    with make(out) as show:
        yield show


def counter_bar(
    text: str,
) -> Callable[["Console"], AbstractContextManager[Callable[[int, int], None]]]:
    """Return a maker of a bar for `on_terminal` that shows how many things of how many are done.

    Args:
        text: What is being done.
    """

    @contextmanager
    def make(out: "Console") -> Iterator[Callable[[int, int], None]]:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        columns = (TextColumn(text), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=out, transient=True) as bar:
            task = bar.add_task("", total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)

    return make


def length_text(seconds: float) -> str:
    """Return a length as people say it.

    Examples:
        >>> length_text(12.34), length_text(75), length_text(7230)
        ('12.3 s', '1 min 15 s', '2 h 00 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"
