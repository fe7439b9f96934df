"""Going on from another model: which weights are taken, which stand still, which learn slower."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from torch import nn

from acoustic_sense.contracts import Encoder
from acoustic_sense.errors import ConfigError, ModelError, suggestion
from acoustic_sense.inference.loading import find_model
from acoustic_sense.inference.model import Pipeline, SensingModel
from acoustic_sense.inference.model_files import MODEL_NAME, initialise_from
from acoustic_sense.training.config import FineTuningConfig

_ENCODER = "encoder."
_WHERE = "training.fine_tuning"


@dataclass(frozen=True, eq=False)
class FineTuning:
    """How the parts of a model are trained.

    Attributes:
        held: Modules that stay in evaluation mode, so that their batch-norm statistics stand still.
        rate_factors: Factor on the learning rate by parameter name; 1 where there is none.
    """

    held: frozenset[nn.Module] = frozenset()
    rate_factors: Mapping[str, float] = field(default_factory=dict)

    def hold(self) -> None:
        """Put the modules that stand still into evaluation mode."""
        for module in self.held:
            module.training = False


def check_start(settings: FineTuningConfig) -> Path | None:
    """Return the file of the first model; None where training starts from nothing.

    Raises:
        ConfigError: There are settings for fine-tuning and no model to start from.
        ModelError: There is no such model.
    """
    if settings.init_from:
        return find_model(settings.init_from)
    if settings != FineTuningConfig():
        changed = ", ".join(settings.model_dump(exclude_defaults=True))
        raise ConfigError(
            f"{_WHERE}: {changed} without a model to start from; give --init-from MODEL or set "
            "init_from"
        )
    return None


def model_name(path: Path) -> str:
    """Return what to call a model file: its run folder's name, or its own."""
    return path.resolve().parent.name if path.name == MODEL_NAME else path.stem


def start_from(path: Path, pipeline: Pipeline, settings: FineTuningConfig) -> FineTuning:
    """Fill a pipeline with the weights of a model, and freeze what is to stand still.

    Args:
        path: Model file to take matching weights from.
        pipeline: Built for the target; its weights and `requires_grad` are changed.
        settings: What stands still, and how the learning rate falls with depth.

    Returns:
        How the parts are trained.

    Raises:
        ModelError: The file is not a model file, or hardly anything of the encoder fits.
        ConfigError: A frozen part is not one of the model's, or everything is frozen.
    """
    copied = initialise_from(path, pipeline)
    held = freeze(pipeline.model, settings.frozen)
    return FineTuning(held, rate_factors(pipeline.model, copied, settings.learning_rate_decay))


def freeze(model: SensingModel, parts: Collection[str]) -> frozenset[nn.Module]:
    """Freeze parts of a model.

    Args:
        model: Whose parameters no longer ask for gradients.
        parts: Beginnings of parameter names, whole words between dots.

    Returns:
        The modules that have to stay in evaluation mode: those in the parts, and every module all
        of whose own parameters are frozen.

    Raises:
        ConfigError: A part is not one of the model's, or everything is frozen.
    """
    names = [name for name, _ in model.named_parameters()]
    for part in parts:
        if not any(_is_in(name, part) for name in names):
            hint = suggestion(part, sorted(_parts_of(names))) or (
                f" its parts: {', '.join(sorted(p for p in _parts_of(names) if p.count('.') == 1))}"
            )
            raise ConfigError(f"{_WHERE}.frozen: the model has no part '{part}';{hint}")
    for name, parameter in model.named_parameters():
        if any(_is_in(name, part) for part in parts):
            parameter.requires_grad_(False)
    if parts and not any(parameter.requires_grad for parameter in model.parameters()):
        raise ConfigError(f"{_WHERE}.frozen: leaves nothing to train; name fewer parts")
    return frozenset(
        module
        for name, module in model.named_modules()
        if any(_is_in(name, part) for part in parts) or _is_frozen(module)
    )


def rate_factors(model: SensingModel, copied: Collection[str], decay: float) -> dict[str, float]:
    """Return the factor on the learning rate of each parameter, by name.

    A parameter of the encoder at depth d gets `decay ** d`, see `depths`; those of the head, and
    those that were not copied from the first model, get 1.

    Args:
        model: The model.
        copied: Names of the parameters that come from the first model.
        decay: Factor for each stage.
    """
    depth = depths(model.encoder)
    return {
        name: decay ** depth[name.split(".")[1]]
        if name.startswith(_ENCODER) and name in copied
        else 1.0
        for name, _ in model.named_parameters()
    }


def depths(encoder: Encoder) -> dict[str, int]:
    """Return how far each direct part of an encoder is from the head; its last stage is at 1.

    Raises:
        ModelError: The encoder's `stages` leave a part out.
    """
    parts = list(dict.fromkeys(name.split(".")[0] for name, _ in encoder.named_parameters()))
    declared = encoder.stages or tuple((part,) for part in parts)
    stages = [[part for part in stage if part in parts] for stage in declared]
    stages = [stage for stage in stages if stage]  # settings may leave a stage out
    known = {part: depth for depth, stage in enumerate(reversed(stages), 1) for part in stage}
    missing = [part for part in parts if part not in known]
    if missing:
        raise ModelError(
            f"encoder {type(encoder).__name__}: its stages leave out {', '.join(missing)}; add it "
            "to the class's 'stages'"
        )
    return known


def _is_in(name: str, part: str) -> bool:
    return name == part or name.startswith(f"{part}.")


def _parts_of(names: list[str]) -> set[str]:
    """Return everything that names a parameter or a part that holds some."""
    words = [name.split(".") for name in names]
    return {".".join(each[:count]) for each in words for count in range(1, len(each) + 1)}


def _is_frozen(module: nn.Module) -> bool:
    own = list(module.parameters(recurse=False))
    return bool(own) and not any(parameter.requires_grad for parameter in own)
