"""Finding a model: a run folder, a model file, or the name of a model that ships."""

from importlib.resources import files
from pathlib import Path

from acoustic_sense.errors import ModelError, UnknownPluginError, suggestion
from acoustic_sense.inference.model import Pipeline, build_pipeline
from acoustic_sense.inference.model_files import MODEL_NAME, load_weights, read_description
from acoustic_sense.inference.predictor import Predictor

SUFFIX = ".safetensors"


def load_model(path_or_name: str | Path) -> Predictor:
    """Load a trained model.

    Args:
        path_or_name: A run folder, a `.safetensors` model file, or the name of a model that ships
            with the package (see `shipped_models`).

    Returns:
        The predictor, on the CPU.

    Raises:
        ModelError: There is no such model, it is not a model file, or a plugin it needs is not
            installed.
    """
    return Predictor(load_pipeline(path_or_name))


def load_pipeline(path_or_name: str | Path) -> Pipeline:
    """Load feature and model; see `load_model`."""
    path = find_model(path_or_name)
    description = read_description(path)
    try:
        pipeline = build_pipeline(description)
    except UnknownPluginError as error:
        needed = ", ".join(sorted(set(description.plugins.values()))) or "its plugin"
        raise ModelError(f"{path}: {error} (the model was trained with {needed})") from None
    load_weights(path, pipeline)
    pipeline.model.eval()
    return pipeline


def shipped_models() -> dict[str, Path]:
    """Return the models that ship with the package, by name."""
    folder = Path(str(files("acoustic_sense.inference"))) / "models"
    return {path.stem: path for path in sorted(folder.glob(f"*{SUFFIX}"))}


def find_model(path_or_name: str | Path) -> Path:
    """Return the model file that a path or a name refers to.

    Raises:
        ModelError: There is none.
    """
    path = Path(path_or_name)
    if path.is_dir():
        if (path / MODEL_NAME).is_file():
            return path / MODEL_NAME
        raise ModelError(
            f"{path}: holds no {MODEL_NAME}; if the run was interrupted, resume its training"
        )
    if path.is_file():
        return path
    shipped = shipped_models()
    name = str(path_or_name)
    if name in shipped:
        return shipped[name]
    hint = suggestion(name, shipped) or f" models that ship: {', '.join(shipped) or 'none'}"
    raise ModelError(f"{name}: no such run folder, model file or model;{hint}")
