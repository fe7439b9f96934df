"""`acoustic-sense evaluate`: how good a model is, beside the mean pose."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from acoustic_sense.training import Evaluation


def evaluate(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="Run folder, model file or shipped model.")
    ],
    data: Annotated[Path, typer.Option(metavar="DIR", help="Dataset to evaluate on.")],
    protocol: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Whose test takes to use: a protocol's name or TOML file, or 'all'; "
            "the one of the training if left out.",
        ),
    ] = "",
    take: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Evaluate on this take instead; may be repeated."),
    ] = None,
    nearest_neighbour: Annotated[
        bool,
        typer.Option("--nearest-neighbour", help="Also score the nearest training clip."),
    ] = False,
    training_data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the training takes are, if not in --data."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="JSON file to write; in the run folder by default."),
    ] = None,
    skip_bad: Annotated[
        bool,
        typer.Option(
            "--skip-bad",
            help="Read every file, leave bad takes (of AMPL: windows) out, and say how many.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """Measure a model on a dataset's test takes, beside the mean pose of its training set."""
    from acoustic_sense.cli.opening import open_and_tell
    from acoustic_sense.cli.outputs import check_new_file, new_file
    from acoustic_sense.cli.terminal import note, say
    from acoustic_sense.errors import ConfigError
    from acoustic_sense.training import evaluate as measure

    if protocol and take:
        raise ConfigError("--protocol and --take exclude each other; give one")
    if out is not None:
        check_new_file(out)
    result = measure(
        run,
        open_and_tell(data, skip_bad=skip_bad),
        protocol or None,
        takes=take or None,
        nearest_neighbour=nearest_neighbour,
        training_data=(
            open_and_tell(training_data, skip_bad=skip_bad)
            if training_data is not None and nearest_neighbour
            else None
        ),
    )
    if out is None and Path(run).is_dir():
        out = Path(run) / f"evaluation-{_slug(result.dataset)}-{_slug(result.protocol)}.json"
    if out is not None:
        with new_file(out) as temporary:
            result.save(temporary)
    if result.seen_subjects:
        note(f"subjects that the model was trained on: {', '.join(result.seen_subjects)}")
    if as_json:
        say(result.model_dump_json(indent=1))
        return
    _print(result)
    if out is not None:
        say(f"written to {out}")


def _print(result: "Evaluation") -> None:
    from acoustic_sense.cli.scores import (
        UNIT_NOTE,
        print_group_scores,
        print_part_scores,
        print_scores,
    )
    from acoustic_sense.cli.terminal import say
    from acoustic_sense.constants import BODY_PARTS, FRAME_RATE_HZ

    say(
        f"{result.model} on {result.dataset}, protocol '{result.protocol}': "
        f"{len(result.takes)} takes, {result.seconds:.1f} s"
    )
    print_scores(UNIT_NOTE if "rmse" in result.scores["model"] else "", result.scores)
    print_part_scores(result.scores, tuple(BODY_PARTS))
    groups = {
        name: (group.frames / FRAME_RATE_HZ, group.scores)
        for name, group in result.per_activity.items()
    }
    print_group_scores("by activity", groups)
    if result.relative_rmse is not None:
        say(f"RMSE of the model over that of the mean pose: {result.relative_rmse:.3f}")


def _slug(name: str) -> str:
    """Return a name that can be part of a file's name."""
    stem = Path(name).stem if name.endswith(".toml") else name
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in stem)
