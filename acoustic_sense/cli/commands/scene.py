"""`acoustic-sense scene`: pictures of one take of a dataset, before it is made."""

from pathlib import Path
from typing import Annotated

import typer


def scene(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="TOML file of the dataset.")],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the pictures; other files in it stay.")
    ],
    take: Annotated[
        int, typer.Option(metavar="N", help="Which take of the dataset; the first is 0.")
    ] = 0,
    pose: Annotated[int, typer.Option(metavar="N", help="Which pose to draw; the first is 0.")] = 0,
    form: Annotated[str, typer.Option("--format", metavar="FORMAT", help="png or svg.")] = "png",
) -> None:
    """Draw a scene: what stands where, how the room decays, how loud it is behind the body.

    Writes `scene`, `decay` and `level-behind-body`. No sound is made; it takes about
    half a minute. Needs the extra `pictures`.
    """
    from acoustic_sense.cli.outputs import new_folder
    from acoustic_sense.cli.terminal import say
    from acoustic_sense.config import load_config
    from acoustic_sense.contracts.simulator import load_simulator
    from acoustic_sense.errors import AcousticSenseError, suggestion

    if form not in _FORMATS:
        hint = suggestion(form, _FORMATS) or f" known are: {', '.join(_FORMATS)}"
        raise AcousticSenseError(f"unknown picture format '{form}';{hint}")
    simulator = load_simulator()
    scenes = simulator.scenes(load_config(simulator.GenerationConfig, config))
    if not 0 <= take < len(scenes):
        raise AcousticSenseError(
            f"{config}: there is no take {take}; the dataset has takes 0 to {len(scenes) - 1}"
        )
    with new_folder(out) as temporary:
        simulator.draw_scene(scenes[take], temporary, pose=pose, form=form)
        names = ", ".join(sorted(path.name for path in temporary.iterdir()))
    say(f"{out}: {names} of take '{scenes[take].id}'")


_FORMATS = ("png", "svg")
