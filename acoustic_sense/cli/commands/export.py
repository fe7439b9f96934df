"""`acoustic-sense export`: a model as a file that other programs run."""

from pathlib import Path
from typing import Annotated

import typer


def export(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="Run folder, model file or shipped model.")
    ],
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="ONNX file to write, ending in .onnx.")
    ] = Path("model.onnx"),
) -> None:
    """Write a model as an ONNX file, which runs without this framework and without torch.

    The file takes features, any number of clips at once, and returns the pose; normalisation is
    inside, and what its inputs are stands in its metadata. It is run once beside torch before it is
    written. Needs the extra `onnx`.
    """
    from acoustic_sense.cli.outputs import check_new_file, new_file
    from acoustic_sense.cli.terminal import say
    from acoustic_sense.errors import AcousticSenseError

    if out.suffix.lower() != ".onnx":
        raise AcousticSenseError(f"{out}: is no ONNX file name; name a file ending in .onnx")
    check_new_file(out)
    from acoustic_sense.inference.loading import load_pipeline
    from acoustic_sense.inference.onnx_files import check_onnx_packages, export_onnx

    check_onnx_packages()
    pipeline = load_pipeline(model)
    with new_file(out) as temporary:
        difference = export_onnx(temporary, pipeline)
        size = temporary.stat().st_size
    say(
        f"{out}: {size / 1e6:.1f} MB from model '{model}', within {difference:.1g} of torch's "
        "predictions"
    )
