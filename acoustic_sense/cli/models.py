"""Which model a command uses when none is named."""

from acoustic_sense.errors import ModelError

PREFERRED = "small"
"""The shipped model to take where several ship."""

MODEL_HELP = "A shipped model, a run's folder or a model file; the small shipped one if left out."


def chosen_model(name: str) -> str:
    """Return `name`, or for an empty one the name of the model that ships.

    Raises:
        ModelError: None was named and none ships.
    """
    if name:
        return name
    from acoustic_sense.inference import shipped_models

    shipped = shipped_models()
    if not shipped:
        raise ModelError("no model ships with this installation; name one with --model")
    return PREFERRED if PREFERRED in shipped else next(iter(shipped))
