"""`acoustic-sense simulate`: a synthetic dataset from a configuration."""

from pathlib import Path
from typing import Annotated

import typer


def simulate(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="TOML file of the dataset.")],
    out: Annotated[Path, typer.Option(help="Folder to make; an interrupted one is resumed.")],
    workers: Annotated[int, typer.Option(min=1, help="Processes on this machine.")] = 1,
    scheduler: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address of a Dask scheduler to use instead.")
    ] = "",
) -> None:
    """Make a synthetic dataset, or resume one that was interrupted.

    The same configuration gives the same bytes whatever the number of workers. How far it has
    come, its rate and the time left are shown on standard error: a bar on a terminal, a line
    about every half minute elsewhere.
    """
    from acoustic_sense.cli.outputs import resumable_folder
    from acoustic_sense.cli.simulation_progress import progress_bar, progress_lines
    from acoustic_sense.cli.terminal import on_terminal, progress_line, say
    from acoustic_sense.config import load_config
    from acoustic_sense.contracts.simulator import load_simulator

    simulator = load_simulator()
    settings = load_config(simulator.GenerationConfig, config)
    with resumable_folder(out, begun="takes/*/take.json"), on_terminal(progress_bar) as show:
        folder = simulator.generate(
            settings,
            out,
            workers=workers,
            scheduler=scheduler or None,
            on_progress=show or progress_lines(progress_line),
        )
    say(f"{folder}: see 'acoustic-sense dataset info {folder}'")
