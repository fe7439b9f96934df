"""`acoustic-sense dataset`: what is in a dataset, and what is wrong with it."""

from pathlib import Path
from typing import Annotated

import typer

dataset_app = typer.Typer(help="Look into a dataset and check it.", no_args_is_help=False)

DatasetPath = Annotated[
    Path, typer.Argument(metavar="DATASET", help="Folder of a dataset, or of AMPL.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@dataset_app.callback(invoke_without_command=True)
def dataset(context: typer.Context) -> None:
    """Look into a dataset and check it."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), nl=False)


@dataset_app.command("info")
def info(path: DatasetPath, as_json: AsJson = False) -> None:
    """Print what is in a dataset: takes, hours, subjects, tracks, rooms, activities."""
    from acoustic_sense.cli.terminal import length_text, print_table, say
    from acoustic_sense.datasets import open_dataset, summarise

    summary = summarise(open_dataset(path))
    if as_json:
        say(summary.model_dump_json(indent=2))
        return
    say(
        f"{summary.path}: {summary.take_count} takes, {length_text(summary.seconds)}, "
        f"{summary.sample_rate_hz} Hz, layout '{summary.layout}'"
    )
    if summary.stored_feature:
        say(f"holds the feature '{summary.stored_feature}' instead of audio")
    rows = [
        (kind, name, length_text(seconds))
        for kind, table in (
            ("subject", summary.subjects),
            ("track", summary.tracks),
            ("genre", summary.genres),
            ("room", summary.rooms),
            ("tag", summary.tags),
            ("activity", summary.activities),
        )
        for name, seconds in table.items()
    ]
    print_table("", ("what", "name", "length"), rows, numbers_from=2)
    if summary.unreadable:
        say(f"unreadable: {', '.join(summary.unreadable)}; 'dataset validate' says why")


@dataset_app.command("validate")
def validate(path: DatasetPath, as_json: AsJson = False) -> None:
    """Open every file of a dataset and list what is wrong; exit code 1 if anything is."""
    import json
    from dataclasses import asdict

    from acoustic_sense.cli.terminal import say
    from acoustic_sense.datasets import open_dataset
    from acoustic_sense.datasets import validate as find_problems

    found = open_dataset(path)
    problems = find_problems(found)
    if as_json:
        say(json.dumps([asdict(problem) for problem in problems], indent=2))
    else:
        for problem in problems:
            say(f"{problem.take or 'dataset'}: {problem.message}")
        bad = len({problem.take for problem in problems})
        verdict = f"{len(problems)} problems in {bad} places" if problems else "sound"
        say(f"{path}: {len(found.takes)} takes, {verdict}")
    if problems:
        raise typer.Exit(1)
