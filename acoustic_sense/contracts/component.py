"""What all components share: a configuration class and one way to be built."""

from typing import Any, ClassVar

from acoustic_sense.config import Config as BaseConfig
from acoustic_sense.config import parse_config


class Component:
    """Base of signal sources, features, encoders, objectives and tasks.

    Attributes:
        Config: The component's configuration, a frozen pydantic model; every field described.
    """

    Config: ClassVar[type[BaseConfig]] = BaseConfig

    @classmethod
    def parse(cls, data: dict[str, Any], where: str = "") -> BaseConfig:
        """Validate `data` as this component's configuration.

        Raises:
            ConfigError: One line naming `where`, the key and the cause.
        """
        return parse_config(cls.Config, data, where or cls.__name__)
