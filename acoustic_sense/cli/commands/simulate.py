"""`acoustic-sense simulate`: a synthetic dataset from a configuration."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from acoustic_sense.contracts.simulator import GenerationProgress


def simulate(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="TOML file of the dataset.")],
    out: Annotated[Path, typer.Option(help="Folder to make; an interrupted one is resumed.")],
    workers: Annotated[int, typer.Option(min=1, help="Processes on this machine.")] = 1,
    scheduler: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address of a Dask scheduler to use instead.")
    ] = "",
) -> None:
    """Make a synthetic dataset, or resume one that was interrupted.

    The same configuration gives the same bytes whatever the number of workers.
    """
    from acoustic_sense.cli.outputs import resumable_folder
    from acoustic_sense.cli.terminal import on_terminal, say
    from acoustic_sense.config import load_config
    from acoustic_sense.contracts.simulator import load_simulator

    simulator = load_simulator()
    settings = load_config(simulator.GenerationConfig, config)
    with resumable_folder(out, begun="takes/*/take.json"), on_terminal(progress_bar) as show:
        folder = simulator.generate(
            settings, out, workers=workers, scheduler=scheduler or None, on_progress=show
        )
    say(f"{folder}: see 'acoustic-sense dataset info {folder}'")


@contextmanager
def progress_bar(console: "Console") -> Iterator[Callable[["GenerationProgress"], None]]:
    """Yield a function that shows how far a dataset has come, with the time left."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("Simulating"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("takes {task.fields[seconds]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None, seconds="")

        def show(progress: "GenerationProgress") -> None:
            bar.update(
                task,
                completed=progress.takes_done,
                total=progress.takes_total,
                seconds=f"({progress.seconds_done:.0f}/{progress.seconds_total:.0f} s)",
            )

        yield show
