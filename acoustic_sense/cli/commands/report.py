"""`acoustic-sense report`: the page of a training run."""

from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a training run.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="HTML file; report.html in the run folder by default."),
    ] = None,
) -> None:
    """Write the page of a training run: one HTML file with its curves, scores and settings."""
    from acoustic_sense.cli.outputs import new_file
    from acoustic_sense.cli.terminal import say
    from acoustic_sense.errors import DatasetError
    from acoustic_sense.reporting import report_from_run

    if not run.is_dir():
        what = "is a file" if run.exists() else "no such folder"
        raise DatasetError(f"{run}: {what}; give the folder that 'acoustic-sense train' wrote")
    target = out if out is not None else run / "report.html"
    with new_file(target) as temporary:
        report_from_run(run, temporary, title=run.resolve().name)
    say(f"report: {target}")
