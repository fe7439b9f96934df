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

    The same configuration gives the same bytes whatever the number of workers.
    """
    from acoustic_sense.cli.outputs import resumable_folder
    from acoustic_sense.cli.terminal import progress_bar, say
    from acoustic_sense.config import load_config
    from acoustic_sense.contracts.simulator import GenerationProgress, load_simulator

    simulator = load_simulator()
    settings = load_config(simulator.GenerationConfig, config)
    with resumable_folder(out, begun="takes/*/take.json"), progress_bar("takes") as bar:
        task = bar.add_task("simulating", total=None, detail="")

        def show(progress: GenerationProgress) -> None:
            bar.update(
                task,
                completed=progress.takes_done,
                total=progress.takes_total,
                detail=f"{progress.seconds_done:.0f} of {progress.seconds_total:.0f} s of audio",
            )

        folder = simulator.generate(
            settings, out, workers=workers, scheduler=scheduler or None, on_progress=show
        )
    say(f"{folder}: see 'acoustic-sense dataset info {folder}'")
