"""The model: normalisation, encoder and task, built from a description.

`build_pipeline` is the one place where feature, encoder and task are put together; training,
evaluation and prediction all call it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from acoustic_sense import __version__, features
from acoustic_sense.contracts import Encoder, Feature, FeatureShape, Task
from acoustic_sense.contracts.component import Component
from acoustic_sense.datasets.pose_frame import PoseFrame
from acoustic_sense.errors import ModelError
from acoustic_sense.inference.description import ComponentChoice, ModelDescription, Normalisation
from acoustic_sense.plugin_loading import load_plugins


class SensingModel(nn.Module):
    """Encoder and task with the statistics that normalise their input.

    Attributes:
        encoder: Features to latents.
        task: Latents to predictions.
        feature_mean: Mean of the features in training, shape `(channel, bin)`.
        feature_deviation: Their standard deviation, shape `(channel, bin)`.
        mean_target: Mean target of the training set, shape `(target,)`.
    """

    feature_mean: Tensor
    feature_deviation: Tensor
    mean_target: Tensor

    def __init__(self, encoder: Encoder, task: Task, channel_count: int, bin_count: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.task = task
        self.register_buffer("feature_mean", torch.zeros(channel_count, bin_count))
        self.register_buffer("feature_deviation", torch.ones(channel_count, bin_count))
        self.register_buffer("mean_target", torch.zeros(task.target_dim))

    def forward(
        self, features: Float[Tensor, "batch channel frame bin"]
    ) -> Float[Tensor, "batch frame target"]:
        """Return the predictions of a batch of clips.

        Args:
            features: Normalised, with `encoder.context_frames` frames before the clip.
        """
        prediction: Tensor = self.task(self.encoder(features).latents)
        return prediction


@dataclass(frozen=True, eq=False)
class Pipeline:
    """A feature and a model that belong together.

    Attributes:
        description: What they were built from.
        feature: Audio to features.
        model: Features to predictions.
    """

    description: ModelDescription
    feature: Feature
    model: SensingModel


def describe_model(
    feature: ComponentChoice,
    encoder: ComponentChoice,
    task: ComponentChoice,
    *,
    normalisation: Normalisation = "train",
    pose_frame: PoseFrame = "world",
) -> ModelDescription:
    """Return the description of a model that is to be built from registered components.

    Their settings are spelt out, those too that were not given: a default that changes in a plugin
    does not change what the model reads.

    Raises:
        UnknownPluginError: Nobody registered one of the names.
        ConfigError: A component's settings are not valid.
    """
    plugins = load_plugins()
    built = features.create(feature.name, feature.config)
    chosen = {
        "feature": plugins.features.registration(feature.name),
        "encoder": plugins.encoders.registration(encoder.name),
        "task": plugins.tasks.registration(task.name),
    }
    return ModelDescription(
        feature=spelt_out(plugins.features, feature),
        encoder=spelt_out(plugins.encoders, encoder),
        task=spelt_out(plugins.tasks, task),
        channel_names=built.channel_names,
        bin_count=built.bin_count,
        sample_rate_hz=built.sample_rate_hz,
        normalisation=normalisation,
        pose_frame=pose_frame,
        library_version=__version__,
        plugins={kind: f"{r.distribution} {r.version}" for kind, r in chosen.items()},
    )


def spelt_out(registry: Mapping[str, type[Component]], choice: ComponentChoice) -> ComponentChoice:
    """Return a component with all its settings, those that were not given too.

    Raises:
        ConfigError: The settings are not valid.
    """
    settings = registry[choice.name].parse(choice.config, f"'{choice.name}'")
    return ComponentChoice(name=choice.name, config=settings.model_dump(mode="json"))


def build_pipeline(
    description: ModelDescription, generator: torch.Generator | None = None
) -> Pipeline:
    """Build feature, encoder and task.

    Args:
        description: What to build.
        generator: Where the first weights come from; without one, from a fixed seed. The global
            state of torch's random numbers is left as it was.

    Returns:
        The pipeline with random weights.

    Raises:
        UnknownPluginError: A component is not registered here.
        ConfigError: A component's settings are not valid.
        ModelError: The feature's channels are not those of the description.
    """
    feature = features.create(
        description.feature.name, description.feature.config, description.sample_rate_hz
    )
    shape = FeatureShape(tuple(feature.channel_names), feature.bin_count)
    if (shape.channel_names, shape.bin_count) != (description.channel_names, description.bin_count):
        raise ModelError(
            f"the installed feature '{description.feature.name}' has {len(shape.channel_names)} "
            f"channels of {shape.bin_count} bins, not the {len(description.channel_names)} of "
            f"{description.bin_count} that the model was trained on; install "
            f"{description.plugins.get('feature', 'the plugin it was trained with')}"
        )
    plugins = load_plugins()
    encoder_class = plugins.encoders[description.encoder.name]
    task_class = plugins.tasks[description.task.name]
    encoder_config = encoder_class.parse(
        description.encoder.config, f"encoder '{description.encoder.name}'"
    )
    task_config = task_class.parse(description.task.config, f"task '{description.task.name}'")
    seed = 0 if generator is None else int(torch.randint(2**62, (), generator=generator))
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        encoder = encoder_class(encoder_config, shape)
        task = task_class(task_config, encoder.latent_dim)
    return Pipeline(
        description, feature, SensingModel(encoder, task, len(shape.channel_names), shape.bin_count)
    )
