"""Building components for a check: from a class, an instance or plain settings."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from acoustic_sense.config import Config
from acoustic_sense.contracts.component import Component
from acoustic_sense.errors import ConfigError
from acoustic_sense.testing.contract_error import ContractError, require

T = TypeVar("T")


def class_and_config(
    component: type[Component] | Component, settings: Mapping[str, Any] | None, base: type[Any]
) -> tuple[type[Any], Config]:
    """Return the class to check and the configuration to check it with.

    Args:
        component: A component class, or an instance whose configuration is used.
        settings: Settings for a class; None for its defaults.
        base: The contract's abstract class.

    Raises:
        ContractError: Not a component of this kind, or its configuration breaks the rules.
    """
    cls = component if isinstance(component, type) else type(component)
    where = cls.__name__
    require(issubclass(cls, base), where, f"is not a subclass of {base.__name__}")
    missing = sorted(
        name for name in dir(cls) if getattr(getattr(cls, name), "__isabstractmethod__", False)
    )
    require(not missing, where, f"does not implement {', '.join(missing)}")
    require(
        isinstance(cls.Config, type) and issubclass(cls.Config, Config),
        where,
        "its Config is not a subclass of acoustic_sense.config.Config",
    )
    if isinstance(component, type):
        config = guarded(where, "parse", lambda: component.parse(dict(settings or {})))
    else:
        config = getattr(component, "config", None) or cls.Config()
    _check_config(cls, config, where)
    return cls, config


def _check_config(cls: type[Any], config: Config, where: str) -> None:
    """Check that a configuration survives being written down, and refuses what it must."""
    require(type(config) is cls.Config, where, f"its config is a {type(config).__name__}")
    rules = cls.Config.model_config
    require(bool(rules.get("frozen")), where, "its Config is not frozen")
    bare = [name for name, info in cls.Config.model_fields.items() if not info.description]
    require(not bare, where, f"Config fields without a description: {', '.join(bare)}")
    written = guarded(where, "Config.model_dump", lambda: config.model_dump(mode="json"))
    read = guarded(where, "parse of its own model_dump", lambda: cls.parse(written))
    require(read == config, where, "its config changes when it is written down and read back")
    guarded(where, "Config.model_json_schema", cls.Config.model_json_schema)
    try:
        cls.parse({**written, "no_such_setting": 1})
    except ConfigError:
        return
    raise ContractError(f"{where}: its Config accepts unknown keys; it must refuse them")


def guarded(where: str, what: str, action: Callable[[], T]) -> T:
    """Return `action()`; turn whatever it raises into a ContractError naming the call."""
    try:
        return action()
    except ContractError:
        raise
    except ConfigError as error:
        raise ContractError(str(error)) from error
    except Exception as error:
        text = str(error).splitlines()[0] if str(error) else "no message"
        raise ContractError(f"{where}: {what} raised {type(error).__name__}: {text}") from error


@contextmanager
def torch_seed(seed: int) -> Iterator[None]:
    """Seed torch inside the block and restore its generator afterwards."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
