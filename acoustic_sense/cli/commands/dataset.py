"""`acoustic-sense dataset`: what is in a dataset, what is wrong with it, and export."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from acoustic_sense.datasets import Dataset, DatasetSummary

    Show = Callable[[int, int], None] | None
    Finish = Callable[[Path], None]

dataset_app = typer.Typer(help="Look into a dataset, check it, export it.", no_args_is_help=False)

DatasetPath = Annotated[
    Path, typer.Argument(metavar="DATASET", help="Folder of a dataset, or of AMPL.")
]
SkipBad = Annotated[
    bool,
    typer.Option(
        "--skip-bad",
        help="Read every file, leave bad takes (of AMPL: windows) out, and say how many there are.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@dataset_app.callback(invoke_without_command=True)
def dataset(context: typer.Context) -> None:
    """Look into a dataset, check it, export it."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), nl=False)


@dataset_app.command("info")
def info(path: DatasetPath, skip_bad: SkipBad = False, as_json: AsJson = False) -> None:
    """Print what is in a dataset: takes, hours, subjects, tracks, rooms, activities."""
    from acoustic_sense.cli.opening import open_and_tell
    from acoustic_sense.cli.terminal import length_text, print_table, say
    from acoustic_sense.datasets import summarise

    summary = summarise(open_and_tell(path, skip_bad=skip_bad))
    if as_json:
        say(summary.model_dump_json(indent=2))
        return
    say(
        f"{summary.path}: {summary.take_count} takes, {length_text(summary.seconds)}, "
        f"{summary.sample_rate_hz} Hz, layout '{summary.layout}'"
    )
    if summary.stored_feature:
        windows = f", {summary.windows} windows of 0.6 s" if summary.windows is not None else ""
        say(f"holds the feature '{summary.stored_feature}' instead of audio{windows}")
    rows = [
        (kind, _subject_text(summary, name) if kind == "subject" else name, length_text(seconds))
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


def _subject_text(summary: "DatasetSummary", name: str) -> str:
    """Return a subject's name with the paper's number, where it is one of AMPL."""
    if name not in summary.paper_subjects:
        return name
    number = summary.paper_subjects[name]
    return f"{name} (unused in the paper)" if number is None else f"{name} ({number} in the paper)"


@dataset_app.command("validate")
def validate(path: DatasetPath, as_json: AsJson = False) -> None:
    """Open every file of a dataset and list what is wrong; exit code 1 if anything is."""
    import json
    from dataclasses import asdict

    from acoustic_sense.cli.terminal import say
    from acoustic_sense.datasets import open_dataset
    from acoustic_sense.datasets import validate as find_problems

    found = open_dataset(path, bad="list")
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


@dataset_app.command("export")
def export(
    path: DatasetPath,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to make.")],
    form: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="ampl (features and poses in AMPL's layout) or sofa (responses of the empty "
            "rooms).",
        ),
    ],
) -> None:
    """Write a dataset in a format that other programs read.

    `ampl`: windows of 0.6 s of the feature `mel-stack` with normalised poses, as AMPL is published.
    `sofa`: one SingleRoomMIMOSRIR file (AES69) for each room and its equipment; needs the extra
    `sofa`. The folder must not exist; it appears when it is complete.
    """
    from acoustic_sense.cli.outputs import new_folder
    from acoustic_sense.cli.terminal import counter_bar, on_terminal
    from acoustic_sense.datasets import open_dataset
    from acoustic_sense.errors import AcousticSenseError, suggestion

    if form not in _FORMATS:
        hint = suggestion(form, _FORMATS) or f" known are: {', '.join(_FORMATS)}"
        raise AcousticSenseError(f"unknown export format '{form}';{hint}")
    dataset = open_dataset(path)
    if out.exists():
        raise AcousticSenseError(f"{out}: exists already; name a new folder")
    with new_folder(out) as temporary, on_terminal(counter_bar("Exporting")) as show:
        finish = _FORMATS[form](dataset, temporary, show)
    finish(out)


def _export_ampl(dataset: "Dataset", folder: Path, show: "Show") -> "Finish":
    from acoustic_sense.cli.terminal import note, say
    from acoustic_sense.exporting.ampl import export_ampl

    made = export_ampl(dataset, folder, show)

    def finish(out: Path) -> None:
        for take_id, reason in made.left_out.items():
            note(f"take '{take_id}' is left out: it {reason}")
        say(f"{out}: {made.windows} windows of 0.6 s; takes.csv says which take became what")

    return finish


def _export_sofa(dataset: "Dataset", folder: Path, show: "Show") -> "Finish":
    from acoustic_sense.cli.terminal import say
    from acoustic_sense.contracts.simulator import load_simulator
    from acoustic_sense.exporting.sofa import export_sofa

    made = export_sofa(dataset, folder, load_simulator(), show)

    def finish(out: Path) -> None:
        say(f"{out}: {len(set(made.files.values()))} files; takes.csv says whose rooms they are")

    return finish


_FORMATS: dict[str, Callable[["Dataset", Path, "Show"], "Finish"]] = {
    "ampl": _export_ampl,
    "sofa": _export_sofa,
}
