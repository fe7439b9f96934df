"""Configuration as data: frozen pydantic models read from TOML, unknown keys refused.

`Config` is the base of every configuration, those of plugins included. `parse_config` turns
pydantic's report into one line with the file, the key and, for a misspelt key, a suggestion.
"""

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from acoustic_sense.errors import ConfigError, suggestion


class Config(BaseModel):
    """Base of all configurations: frozen, validated, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


ConfigT = TypeVar("ConfigT", bound=BaseModel)


def parse_config(model: type[ConfigT], data: Any, where: str) -> ConfigT:
    """Validate `data` against `model`.

    Args:
        model: The pydantic model.
        data: Plain data, usually a table from a TOML file.
        where: What to call the source in an error message, usually a file name.

    Returns:
        The validated configuration.

    Raises:
        ConfigError: One line naming the source, the key, the cause and, where one is close, the
            key that was probably meant.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problem = error.errors()[0]
        location = tuple(str(part) for part in problem["loc"])
        more = len(error.errors()) - 1
        tail = f" (and {more} more)" if more else ""
        if problem["type"] == "extra_forbidden":
            known = _known_keys(model, location[:-1])
            hint = suggestion(location[-1], known) or f" known keys: {', '.join(sorted(known))}"
            raise ConfigError(f"{where}: unknown key '{'.'.join(location)}';{hint}{tail}") from None
        at = f"'{'.'.join(location)}': " if location else ""
        raise ConfigError(f"{where}: {at}{problem['msg']}{tail}") from None


def _known_keys(model: type[BaseModel], path: tuple[str, ...]) -> list[str]:
    """Return the keys that are valid at `path` inside `model`."""
    current: Any = model
    for part in path:
        field = getattr(current, "model_fields", {}).get(part)
        if field is None:
            continue  # an index of a list, or the name of a union's branch
        nested = [field.annotation, *getattr(field.annotation, "__args__", ())]
        current = next(
            (kind for kind in nested if isinstance(kind, type) and issubclass(kind, BaseModel)),
            current,
        )
    return list(getattr(current, "model_fields", {}))


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        ConfigError: The file is missing or is not TOML.
    """
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such configuration file; check the path") from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: is a folder; name the TOML file inside it") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None


def load_config(model: type[ConfigT], path: Path) -> ConfigT:
    """Read and validate a TOML file against `model`.

    Raises:
        ConfigError: See `read_toml` and `parse_config`.
    """
    return parse_config(model, read_toml(path), str(path))


def config_hash(config: BaseModel) -> str:
    """Return the first 16 hex digits of the SHA-256 of the configuration's canonical JSON."""
    text = json.dumps(config.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
