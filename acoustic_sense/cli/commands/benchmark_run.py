"""`acoustic-sense benchmark run` and `benchmark report`: methods compared, and the tables of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from acoustic_sense.benchmarking.plan import Cell, Plan
    from acoustic_sense.benchmarking.results import CellResult
    from acoustic_sense.errors import AcousticSenseError


def benchmark_run(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="TOML file of the comparison.")],
    out: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Folder of the results; cells that it holds are skipped."),
    ],
    data: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=DIR", help="Folder of a playback's dataset; may be repeated."),
    ] = None,
    only: Annotated[
        str,
        typer.Option(
            metavar="TEXT",
            help="Run only cells with this in their names, such as 'tsp/' or '/seed-0'.",
        ),
    ] = "",
    budget_minutes: Annotated[
        float | None,
        typer.Option(min=0, help="Stop after this time; the same command goes on later."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes on this machine.")] = 1,
    scheduler: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address of a Dask scheduler to use instead.")
    ] = "",
    plan: Annotated[bool, typer.Option("--plan", help="Print the plan alone.")] = False,
) -> None:
    """Train and evaluate every method under every protocol with every seed.

    Each of these cells leaves a JSON file under DIR/cells as soon as it is done. Cells whose file
    is there with the same settings and data are skipped; a training that was interrupted goes on
    after its last epoch. A cell that fails does not stop the others; the exit code is then 1.

    With several workers each has a cell at a time. Those of a cluster have to see DIR and the
    folders of the data under the same names.
    """
    from acoustic_sense.benchmarking import load_benchmark_config, make_plan, run_plan
    from acoustic_sense.cli.outputs import check_new_folder
    from acoustic_sense.cli.terminal import on_terminal, say
    from acoustic_sense.training import TrainProgressBar

    check_new_folder(out)
    made = make_plan(load_benchmark_config(config, _folders(data or [])), out, only=only)
    _print_plan(made, alone=workers == 1 and not scheduler)
    if plan:
        return
    with on_terminal(TrainProgressBar) as show:
        outcome = run_plan(
            made,
            workers=workers,
            scheduler=scheduler or None,
            budget_minutes=budget_minutes,
            on_cell=_tell,
            on_progress=show,
        )
    if outcome.left:
        say(
            f"time spent; cells done: {outcome.done}, left: {outcome.left}; run this again to go on"
        )
    else:
        say(f"cells done: {outcome.done}; see 'acoustic-sense benchmark report {out}'")
    if outcome.failed:
        say(f"failed: {', '.join(outcome.failed)}")
        raise typer.Exit(1)


def benchmark_report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of 'benchmark run'.")],
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=DIR",
            help="Folder of a playback's dataset, for the clips; may be repeated. By default "
            "the one that the run was trained on.",
        ),
    ] = None,
) -> None:
    """Write tables, plots and a page of a comparison from the cells that are done.

    DIR/results.md holds the tables, DIR/plots the plots, and DIR/report.html all of it in one
    self-contained page. The page plays the best, median and worst clip of cells whose training
    run and dataset are at hand; all else is made from the cells alone.
    """
    from acoustic_sense.benchmarking import write_benchmark_report
    from acoustic_sense.cli.terminal import note, progress_line, say

    def tell(number: int, count: int) -> None:
        progress_line(f"[{number}/{count}] clips ...")

    written = write_benchmark_report(folder, _folders(data or []), tell)
    if written.plots is None:
        note("no plots without matplotlib; pip install 'acoustic-sense[pictures]'")
    say(f"tables: {written.tables}")
    if written.plots:
        say(f"plots: {len(written.plots)} in {written.plots[0].parent}")
    say(f"page: {written.page}")


def _folders(pairs: list[str]) -> dict[str, Path]:
    """Return the folders of `--data` by name."""
    from acoustic_sense.errors import ConfigError

    found = {}
    for pair in pairs:
        name, sign, folder = pair.partition("=")
        if not (name and sign and folder):
            raise ConfigError(f"--data {pair}: write NAME=DIR, such as generated=data/mini")
        found[name] = Path(folder)
    return found


def _print_plan(plan: "Plan", *, alone: bool) -> None:
    """Print which cells there are and how long the rest may take one worker."""
    from acoustic_sense.cli.terminal import length_text, print_table, say

    left = plan.left
    guesses = plan.guesses()
    known = [guess for guess in guesses.values() if guess is not None]
    unknown = len(left) - len(known)
    length = length_text(sum(known)) if known else "unknown"
    if known and unknown:
        length += f", and {unknown} of unknown length"
    if known and not alone:
        length += ", if one worker did it all"
    rows = []
    groups: dict[tuple[str, str, str], list[Cell]] = {}
    for cell in plan.chosen:
        each = cell.inputs
        elsewhere = f" -> {each.test_playback}" if each.test_playback else ""
        names = (f"{each.playback}{elsewhere}", each.protocol, each.method)
        groups.setdefault(names, []).append(cell)
    for names, cells in groups.items():
        guess = plan.guess_s(cells[0])
        done = sum(cell.result is not None for cell in cells)
        rows.append((*names, f"{done}/{len(cells)}", length_text(guess) if guess else "unknown"))
    print_table("", ("playback", "protocol", "method", "done", "a cell"), rows, numbers_from=3)
    say(
        f"cells: {len(plan.chosen)}; done: {len(plan.chosen) - len(left)}; to run: {len(left)}; "
        f"{'nothing is left' if not left else 'time: ' + length}"
    )


def _tell(
    number: int,
    count: int,
    cell: "Cell",
    result: "CellResult | None",
    error: "AcousticSenseError | None",
) -> None:
    """Print a line at the beginning and at the end of a cell, on standard error."""
    from acoustic_sense.cli.terminal import length_text, progress_line

    head = f"[{number}/{count}] {cell.name}"
    if error is not None:
        progress_line(f"{head}: failed: {error}")
    elif result is None:
        progress_line(f"{head} ...")
    else:
        own, mean = (result.scores[name].get("rmse") for name in ("method", "mean_pose"))
        scores = f"RMSE {own:.3f}, mean pose {mean:.3f}, " if own is not None else ""
        progress_line(f"{head}: {scores}{length_text(result.seconds)}")
