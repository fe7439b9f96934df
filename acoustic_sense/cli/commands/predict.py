"""`acoustic-sense predict`: a pose file from a recording and its playback."""

from pathlib import Path
from typing import Annotated

import typer

from acoustic_sense.cli.models import MODEL_HELP


def predict(
    recording: Annotated[
        Path,
        typer.Argument(
            metavar="RECORDING", help="WAV, FLAC or OGG of the ambisonics microphone, 4 channels."
        ),
    ],
    playback: Annotated[
        Path,
        typer.Option(metavar="TRACK", help="WAV, FLAC or OGG that the loudspeakers were sent."),
    ],
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Pose file: .npz, .csv or .bvh.")
    ] = Path("pose.npz"),
    model: Annotated[str, typer.Option(metavar="NAME", help=MODEL_HELP)] = "",
    channels: Annotated[
        str,
        typer.Option(
            metavar="ORDER",
            help="Channel order and gains of the recording: ambix (W Y Z X, SN3D), wxyz (SN3D), "
            "n3d, fuma or acn-n3d.",
        ),
    ] = "ambix",
) -> None:
    """Estimate the pose at each 50 ms of a recording.

    Playback and recording start together. Another sample rate is converted, and the longer of the
    two is cut, each with a note. The pose is relative to the body: hips at the origin, one unit
    the distance from hips to spine, Y up.
    """
    from acoustic_sense.cli.models import chosen_model
    from acoustic_sense.cli.outputs import check_new_file, new_file
    from acoustic_sense.cli.terminal import note, say
    from acoustic_sense.inference.audio_files import read_pair
    from acoustic_sense.inference.pose_files import check_pose_path, write_pose_file

    check_pose_path(out)
    check_new_file(out)
    pair = read_pair(recording, playback, channels)
    from acoustic_sense.inference import load_model

    model = chosen_model(model)
    predictor = load_model(model)
    for text in pair.notes:
        note(text)
    joints = predictor.predict(
        pair.recording.samples, pair.playback.samples, pair.recording.sample_rate_hz
    )
    with new_file(out) as temporary:
        notes = write_pose_file(temporary, joints)
    for text in notes:
        note(text)
    say(
        f"{out}: {len(joints)} frames from {pair.recording.duration_s:.2f} s of sound, "
        f"model '{model}'"
    )
