"""`acoustic-sense demo`: the whole way from a simulated person to a report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from acoustic_sense.cli.models import MODEL_HELP

if TYPE_CHECKING:
    import numpy as np

    from acoustic_sense.datasets.pose_frame import PoseFrame
    from acoustic_sense.types import Take


def demo(
    out: Annotated[Path, typer.Option(help="Folder to write to; made if missing.")] = Path(
        "acoustic-sense-demo"
    ),
    seconds: Annotated[float, typer.Option(min=0.6, max=600, help="Length of the take.")] = 30.0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything in the scene.")] = 0,
    model: Annotated[str, typer.Option(metavar="NAME", help=MODEL_HELP)] = "",
) -> None:
    """Simulate a person in a room full of music, estimate the pose, write a report.

    Writes report.html, recording.wav (AmbiX), playback.wav and pose.npz, and prints the error of
    the model beside that of the mean pose.
    """
    from acoustic_sense.cli.models import chosen_model
    from acoustic_sense.cli.outputs import new_folder
    from acoustic_sense.cli.scores import UNIT_NOTE, print_scores
    from acoustic_sense.cli.terminal import say, step

    with new_folder(out) as folder:
        with step("loading the model"):
            from acoustic_sense.inference import load_model

            model = chosen_model(model)
            predictor = load_model(model)
        with step(f"simulating {seconds:g} s of a person in a room"):
            from acoustic_sense.contracts.simulator import load_simulator

            simulator = load_simulator()
            take = simulator.simulate(simulator.demo_scene(seconds, seed))
        with step("estimating the pose from the sound"):
            prediction = predictor.predict(take.recording, take.playback)
        with step("writing the report"):
            from acoustic_sense.reporting import Report, write_report

            target = true_poses(take, len(prediction), predictor.description.pose_frame)
            write_files(folder, take, prediction)
            report = Report(
                take,
                prediction,
                target,
                predictor.mean_pose,
                model_card={"model": model, **predictor.card},
            )
            write_report(folder / "report.html", report)
    print_scores(UNIT_NOTE, scores(prediction, target, predictor.mean_pose))
    say(f"report: {out / 'report.html'}")


def true_poses(take: "Take", frame_count: int, pose_frame: "PoseFrame") -> "np.ndarray":
    """Return the truth as the model estimates it: relative to the body, at feature frames."""
    from acoustic_sense.datasets.pose_frame import seen_from_microphone
    from acoustic_sense.metrics import normalise_pose

    joints = take.pose.at_feature_frames(frame_count)
    if pose_frame == "microphone" and take.scene is not None:
        joints = seen_from_microphone(joints, take.scene.microphone.yaw_deg)
    return normalise_pose(joints)


def write_files(folder: Path, take: "Take", prediction: "np.ndarray") -> None:
    """Write what `acoustic-sense predict` reads and writes: the pair of sounds and the pose."""
    import soundfile

    from acoustic_sense.dsp.ambisonics import to_ambix
    from acoustic_sense.inference.pose_files import write_pose_file

    rate_hz = take.recording.sample_rate_hz
    ambix = to_ambix(take.recording.samples)
    soundfile.write(folder / "recording.wav", ambix.T, rate_hz, subtype="PCM_24")
    soundfile.write(folder / "playback.wav", take.playback.samples.T, rate_hz, subtype="PCM_24")
    write_pose_file(folder / "pose.npz", prediction)


def scores(
    prediction: "np.ndarray", target: "np.ndarray", mean_pose: "np.ndarray"
) -> dict[str, dict[str, float]]:
    """Return the errors of the mean pose and of the model, shapes `(frame, 21, 3)`."""
    import numpy as np

    from acoustic_sense.metrics import pose_metrics

    mean_poses = np.broadcast_to(mean_pose, target.shape)
    return {
        "mean_pose": pose_metrics(mean_poses, target),
        "model": pose_metrics(prediction, target),
    }
