"""Configuration of a training run, as read from TOML."""

from pathlib import Path
from typing import Any, Literal

import tomli_w
from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from acoustic_sense.config import Config, load_config
from acoustic_sense.constants import CLIP_FRAMES
from acoustic_sense.datasets.pose_frame import PoseFrame
from acoustic_sense.datasets.protocols import ProtocolChoice
from acoustic_sense.inference.description import ComponentChoice, Normalisation
from acoustic_sense.plugin_loading import load_plugins


class DataConfig(Config):
    """What to train on."""

    path: Path = Field(description="Folder of the dataset; relative to the configuration file.")
    protocol: ProtocolChoice = Field(
        default_factory=ProtocolChoice,
        description="A protocol's name or TOML file, or a table with its name and what it holds "
        "out.",
    )
    feature: str = Field(
        default="", description="Feature to train on; the encoder's own default if empty."
    )
    feature_config: dict[str, Any] = Field(
        default_factory=dict, description="The feature's own settings."
    )
    skip_bad: bool = Field(
        default=False,
        description="Read every file first and leave takes, or windows of AMPL, out whose files "
        "cannot be used, instead of stopping at the first.",
    )
    pose_frame: PoseFrame = Field(
        default="world",
        description="Frame of the poses: `world`, or `microphone`, turned about the vertical until "
        "the microphone's front is -Z, for data whose microphones point different ways. Takes "
        "whose microphone's direction is unknown stay as they are.",
    )
    clip_hop_frames: int = Field(
        default=CLIP_FRAMES, ge=1, description="Frames from one training clip to the next."
    )
    train_share: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="Share of each training take's labels that is used, from the take's beginning, "
        "at least one clip. Channels are normalised by the whole recordings: they cost nothing, "
        "poses do.",
    )

    @field_validator("protocol", mode="before")
    @classmethod
    def _protocol_by_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @model_serializer(mode="wrap")
    def _without_a_whole_share(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave a `train_share` of 1 out, so that digests from before there was one still hold."""
        data: dict[str, Any] = dump(self)
        if self.train_share == 1:
            data.pop("train_share", None)
        return data


class AugmentationConfig(Config):
    """How training clips are varied; validation and test clips never are."""

    random_start: bool = Field(
        default=True,
        description="Shift the grid that clips are cut on by a random number of frames each "
        "epoch, the same for all takes of a track.",
    )
    level_jitter_db: float = Field(
        default=0.0,
        ge=0,
        description="Standard deviation of a random gain in dB per clip, added to the channels "
        "named 'recording/...' (level in dB).",
    )
    channel_jitter: float = Field(
        default=0.0,
        ge=0,
        description="Standard deviation of a random offset per clip and channel, in units of the "
        "channel's deviation.",
    )
    noise: float = Field(
        default=0.0,
        ge=0,
        description="Standard deviation of white noise on every value, in units of the channel's "
        "deviation.",
    )
    random_delay: bool = Field(
        default=False,
        description="Delay the playback against the recording, each clip by one of the take's own "
        "random delays; for simulated training data where the target's is not known.",
    )
    delay_ms: float = Field(
        default=25.0, gt=0, le=1000, description="Largest random delay, either way."
    )
    delays_per_take: int = Field(
        default=8,
        ge=1,
        description="Random delays of each take, spread over the range. The feature is computed "
        "and cached for each, as far as it differs.",
    )
    random_axis_order: bool = Field(
        default=False,
        description="Exchange the microphone's X, Y and Z at random, clip by clip; for simulated "
        "training data where the target's order is not known.",
    )
    random_axis_sign: bool = Field(
        default=False, description="Turn each of the microphone's X, Y and Z round at random."
    )
    omni_gain_db: float = Field(
        default=0.0,
        ge=0,
        description="Standard deviation of a random gain of W against X, Y and Z in dB per clip, "
        "for targets whose convention of gains is not known.",
    )

    @property
    def varies_microphone(self) -> bool:
        """Whether axes or the gain of W are varied."""
        return self.random_axis_order or self.random_axis_sign or self.omni_gain_db > 0

    @property
    def varies_clips(self) -> bool:
        """Whether clips are varied before they are normalised: delay or microphone."""
        return self.random_delay or self.varies_microphone


class FineTuningConfig(Config):
    """How training goes on from a model that is trained already."""

    init_from: str = Field(
        default="",
        description="Run folder, model file or shipped model to take matching weights from; "
        "relative to the configuration file. `--init-from` comes before it.",
    )
    frozen: tuple[str, ...] = Field(
        default=(),
        description="Parts that are not trained: beginnings of parameter names, whole words "
        'between dots, such as "encoder.recording_branch". Their batch-norm statistics and '
        "dropout stand still too.",
    )
    learning_rate_decay: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="Factor on the learning rate for each stage of the encoder, counted from the "
        "head: the last stage gets it once, the one before it twice. Head, objectives and whatever "
        "is not in the first model learn at the full rate.",
    )
    normalisation: Literal["target", "keep", "calibration"] = Field(
        default="target",
        description="Where mean and deviation of the channels come from. target: the training "
        "takes. keep: the first model. calibration: playback channels from the training takes, "
        "all others from one take.",
    )
    calibration_take: str = Field(
        default="", description="Take of the dataset that calibration reads; its pose is not read."
    )

    @model_validator(mode="after")
    def _check_calibration(self) -> "FineTuningConfig":
        if (self.normalisation == "calibration") != bool(self.calibration_take):
            raise ValueError(
                "normalisation = 'calibration' and calibration_take go together; give both or "
                "neither"
            )
        return self


class TrainingSettings(Config):
    """How to train."""

    epochs: int = Field(default=30, ge=1, description="Passes over the training clips.")
    batch_size: int = Field(default=64, ge=2, description="Clips in a batch.")
    learning_rate: float = Field(default=0.003, gt=0, description="Learning rate at the start.")
    final_learning_rate: float = Field(
        default=0.001, gt=0, description="Learning rate at the end; a half cosine joins the two."
    )
    optimiser: Literal["adam", "adamw"] = Field(default="adam", description="Optimiser.")
    weight_decay: float = Field(default=0.0, ge=0, description="Weight decay of the optimiser.")
    gradient_clip: float = Field(
        default=1.0, ge=0, description="Largest norm of the gradient; 0 leaves it as it is."
    )
    seed: int = Field(default=0, ge=0, description="Seed of all that is random in training.")
    average_last_epochs: int = Field(
        default=3, ge=1, description="The model is the mean of the weights after this many epochs."
    )
    precision: Literal["32", "bf16"] = Field(
        default="32", description="32, or bf16 for mixed bfloat16."
    )
    normalisation: Normalisation = Field(
        default="train",
        description="train: channels are normalised by the training takes' mean and deviation; "
        "track: each track by its own; take: each take by its own, where every take has its own "
        "room and equipment; ampl: as track, but AMPL's channels 0-8 by the publisher's "
        "constants; with -bins, each bin by its own mean, which takes the "
        "colouring of room and equipment away, and all level channels by one deviation, so that "
        "recording minus playback stays a difference in dB.",
    )
    accelerator: Literal["auto", "cpu", "gpu"] = Field(
        default="auto", description="auto takes a GPU where there is one."
    )
    devices: int = Field(default=1, ge=1, description="Number of GPUs or CPU processes.")
    threads: int = Field(
        default=0, ge=0, description="CPU threads of torch; 0 leaves them as they are."
    )
    time_budget_minutes: float | None = Field(
        default=None,
        gt=0,
        description="Stop after this time, the learning rate having fallen in time; such a run "
        "depends on the machine's speed.",
    )
    augmentation: AugmentationConfig = Field(
        default_factory=AugmentationConfig, description="How training clips are varied."
    )
    fine_tuning: FineTuningConfig = Field(
        default_factory=FineTuningConfig, description="How training goes on from another model."
    )


class TrainConfig(Config):
    """A training run: data, components, settings."""

    data: DataConfig = Field(description="What to train on.")
    encoder: ComponentChoice = Field(
        default_factory=lambda: ComponentChoice(name="bgm2pose-fa"),
        description="Encoder and its settings.",
    )
    task: ComponentChoice = Field(
        default_factory=lambda: ComponentChoice(name="pose"),
        description="Task and its settings.",
    )
    objectives: tuple[ComponentChoice, ...] = Field(
        default=(), description="Auxiliary losses and their settings."
    )
    training: TrainingSettings = Field(
        default_factory=TrainingSettings, description="How to train."
    )

    @property
    def feature(self) -> ComponentChoice:
        """The feature to train on, the encoder's default where none is named.

        Raises:
            UnknownPluginError: Nobody registered the encoder.
        """
        name = self.data.feature or load_plugins().encoders[self.encoder.name].default_feature
        return ComponentChoice(name=name, config=self.data.feature_config)


def load_train_config(path: Path) -> TrainConfig:
    """Read a training configuration and check every component's own settings.

    Args:
        path: TOML file; a relative `data.path` in it is relative to the file's folder.

    Raises:
        ConfigError: The file is missing, or a key or value in it is not valid.
        UnknownPluginError: It names a component that nobody registered.
    """
    config = load_config(TrainConfig, path)
    config = resolve_paths(config, path.parent)
    check_components(config, str(path))
    return config


def resolve_paths(config: TrainConfig, folder: Path) -> TrainConfig:
    """Return the configuration with the paths of data, protocol and first model made absolute.

    Args:
        config: The configuration.
        folder: What relative paths are relative to.
    """
    protocol = config.data.protocol
    if protocol.name.endswith(".toml"):
        name = str((folder / protocol.name).resolve())
        protocol = protocol.model_copy(update={"name": name})
    path = (folder / config.data.path).resolve()
    data = config.data.model_copy(update={"path": path, "protocol": protocol})
    config = config.model_copy(update={"data": data})
    first = config.training.fine_tuning.init_from
    if first and (folder / first).exists():  # else the name of a shipped model
        return started_from(config, str((folder / first).resolve()))
    return config


def started_from(config: TrainConfig, model: str) -> TrainConfig:
    """Return the configuration with another `training.fine_tuning.init_from`."""
    fine_tuning = config.training.fine_tuning.model_copy(update={"init_from": model})
    training = config.training.model_copy(update={"fine_tuning": fine_tuning})
    return config.model_copy(update={"training": training})


def check_components(config: TrainConfig, where: str) -> None:
    """Validate the settings of feature, encoder, task and objectives against their classes.

    Raises:
        ConfigError: A setting is not the component's; a close one is suggested.
        UnknownPluginError: A component is not registered.
    """
    plugins = load_plugins()
    feature, encoder, task = config.feature, config.encoder, config.task
    plugins.features[feature.name].parse(feature.config, f"{where}: feature '{feature.name}'")
    plugins.encoders[encoder.name].parse(encoder.config, f"{where}: encoder '{encoder.name}'")
    plugins.tasks[task.name].parse(task.config, f"{where}: task '{task.name}'")
    for objective in config.objectives:
        plugins.objectives[objective.name].parse(
            objective.config, f"{where}: objective '{objective.name}'"
        )


def format_config(config: TrainConfig) -> str:
    """Return the configuration as TOML that `load_train_config` reads back."""
    return tomli_w.dumps(config.model_dump(mode="json", exclude_none=True))
