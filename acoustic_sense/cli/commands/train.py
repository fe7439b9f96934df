"""`acoustic-sense train`: a model from a configuration."""

from pathlib import Path
from typing import Annotated, Any

import typer


def train(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="TOML file of the training.")],
    out: Annotated[Path, typer.Option(metavar="RUN", help="Folder of the run.")],
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run that was interrupted.")
    ] = False,
    init_from: Annotated[
        str,
        typer.Option(metavar="MODEL", help="Run, model file or shipped model to fine-tune from."),
    ] = "",
    skip_bad: Annotated[
        bool,
        typer.Option(
            "--skip-bad",
            help="Leave bad takes (of AMPL: windows) out and say how many; sets data.skip_bad.",
        ),
    ] = False,
) -> None:
    """Train a model, or fine-tune one with --init-from.

    An interrupted run is resumed with --resume and the same configuration.
    """
    from acoustic_sense.cli.opening import tell_skipped
    from acoustic_sense.cli.outputs import resumable_folder
    from acoustic_sense.cli.terminal import on_terminal, say
    from acoustic_sense.training import TrainProgressBar, load_train_config
    from acoustic_sense.training import train as run_training

    settings = load_train_config(config)
    if skip_bad:
        data = settings.data.model_copy(update={"skip_bad": True})
        settings = settings.model_copy(update={"data": data})
    with (
        resumable_folder(out, begun="checkpoints/*"),
        on_terminal(TrainProgressBar) as show,
    ):
        run = run_training(
            settings,
            out,
            resume=resume,
            init_from=init_from or None,
            on_progress=show,
            on_open=tell_skipped,
        )
    say(_summary(run.metrics))
    say(f"{run.model}: see 'acoustic-sense evaluate {out} --data DIR'")


def _summary(metrics: dict[str, Any]) -> str:
    return (
        f"{metrics['epochs']} epochs of {metrics['train_clips']} clips in "
        f"{metrics['train_seconds']:.0f} s, {metrics['parameters']} parameters"
    )
