"""What a model is made of, as data: stored in the model file, enough to build it again."""

from typing import Any, Literal

from pydantic import Field

from acoustic_sense.config import Config
from acoustic_sense.constants import CLIP_FRAMES, JOINT_NAMES, SAMPLE_RATE_HZ
from acoustic_sense.datasets.pose_frame import PoseFrame

FORMAT_VERSION = 1
Normalisation = Literal["train", "track", "take", "train-bins", "track-bins", "take-bins", "ampl"]


def is_by_track(normalisation: Normalisation) -> bool:
    """Return whether each track, or each take, is normalised by statistics of its own."""
    return normalisation.startswith(("track", "take")) or normalisation == "ampl"


class ComponentChoice(Config):
    """A registered component and its settings."""

    name: str = Field(description="Name that a plugin registered it as.")
    config: dict[str, Any] = Field(
        default_factory=dict, description="The component's own settings; see `plugins show`."
    )


class ModelDescription(Config):
    """Everything but the weights."""

    format_version: int = Field(default=FORMAT_VERSION, description="Version of this layout.")
    feature: ComponentChoice = Field(description="Feature that the encoder reads.")
    encoder: ComponentChoice = Field(description="Encoder.")
    task: ComponentChoice = Field(description="Task.")
    channel_names: tuple[str, ...] = Field(description="The feature's channels in training.")
    bin_count: int = Field(gt=0, description="The feature's frequency bins in training.")
    sample_rate_hz: int = Field(default=SAMPLE_RATE_HZ, description="Samples per second.")
    clip_frames: int = Field(default=CLIP_FRAMES, gt=0, description="Frames in a clip.")
    normalisation: Normalisation = Field(
        default="train",
        description="train: channels are normalised by the training set's mean and deviation, "
        "stored in the file; track: by those of the recordings that are read, track by track; "
        "take: each recording by its own; "
        "ampl: as track, but the channels 0-8 of AMPL's tracks by the publisher's constants; "
        "with -bins, each bin by its own mean and all level channels by one deviation.",
    )
    pose_frame: PoseFrame = Field(
        default="world",
        description="Frame of the poses: the world's, or turned about the vertical until the "
        "microphone's front is -Z.",
    )
    joint_names: tuple[str, ...] = Field(default=JOINT_NAMES, description="Joints of a pose.")
    library_version: str = Field(default="", description="Release that wrote the file.")
    plugins: dict[str, str] = Field(
        default_factory=dict, description="Distribution and version of each component."
    )
    training: dict[str, Any] = Field(
        default_factory=dict, description="What the model was trained on and how."
    )
