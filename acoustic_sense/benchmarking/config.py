"""Configuration of a comparison: data, methods, protocols, seeds; cells are all their products."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import Field, field_validator, model_validator

from acoustic_sense.config import Config, load_config, parse_config
from acoustic_sense.datasets.protocols import ProtocolChoice
from acoustic_sense.errors import ConfigError, suggestion
from acoustic_sense.training.config import TrainConfig, check_components

MEAN_POSE: Final = "mean-pose"
NEAREST_NEIGHBOUR: Final = "nearest-neighbour"
REFERENCES: Final = (MEAN_POSE, NEAREST_NEIGHBOUR)
"""Names of the methods that need no training."""
BOUND_TO_ONE_DATASET: Final = ("cross-room", "noise", "plain-clothes", "off-axis")
"""Protocols whose test takes differ from the training takes of the same dataset by room or tag."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
_COMPONENTS = ("encoder", "task", "objectives")


class MethodSettings(Config):
    """Keys of `train.toml` that methods share.

    A method's `data` and `training` are merged over these key by key; its `encoder`, `task` and
    `objectives` replace them whole.
    """

    data: dict[str, Any] = Field(
        default_factory=dict,
        description="Keys of `[data]` in `train.toml`, except `path` and `protocol`.",
    )
    encoder: dict[str, Any] = Field(
        default_factory=dict, description="Encoder as in `train.toml`: `name` and `config`."
    )
    task: dict[str, Any] = Field(
        default_factory=dict, description="Task as in `train.toml`: `name` and `config`."
    )
    objectives: tuple[dict[str, Any], ...] | None = Field(
        default=None, description="Objectives as in `train.toml`; an empty list for none."
    )
    training: dict[str, Any] = Field(
        default_factory=dict, description="Keys of `[training]` in `train.toml`, except `seed`."
    )

    @model_validator(mode="after")
    def _leave_cells_free(self) -> "MethodSettings":
        for table, keys in (("data", ("path", "protocol")), ("training", ("seed",))):
            for key in keys:
                if key in getattr(self, table):
                    raise ValueError(
                        f"{table}.{key} is not a method's; [data], [[protocols]] and seeds set it"
                    )
        return self


class MethodConfig(MethodSettings):
    """A method: a name, and what differs from `[defaults]`; or a model that is there already."""

    name: Name = Field(
        description="What to call it in tables and files. `mean-pose` and `nearest-neighbour` "
        "need no training; the latter compares clips by `data.feature`."
    )
    model: str = Field(
        default="",
        description="Run folder, model file or shipped model that is scored as it is, without "
        "training: none of the data of `[data]` is used for it. Relative to this file.",
    )

    @property
    def is_trained(self) -> bool:
        """Whether cells of it begin with a training."""
        return self.name not in REFERENCES and not self.model

    @model_validator(mode="after")
    def _references_have_no_network(self) -> "MethodConfig":
        if self.name in REFERENCES and (self.encoder or self.objectives):
            raise ValueError(f"'{self.name}' is not trained; leave encoder and objectives out")
        return self

    @model_validator(mode="after")
    def _models_are_as_they_are(self) -> "MethodConfig":
        if self.model and self.name in REFERENCES:
            raise ValueError(f"'{self.name}' has no model; leave model out, or choose another name")
        given = self.model_fields_set - {"name", "model"}
        if self.model and given:
            raise ValueError(
                f"'{self.name}' is scored as its model is; leave {', '.join(sorted(given))} out, "
                "or train from it with training.fine_tuning.init_from"
            )
        return self


class ProtocolConfig(Config):
    """Which data train and test, and what to call that in tables."""

    name: Name = Field(description="What to call it in tables and files.")
    playback: Name = Field(description="Whose folder to use: a name in `[data]`.")
    test_playback: Name | None = Field(
        default=None,
        description="Whose folder to test on, where it is another: a name in `[data]`. The "
        "protocol is resolved for `playback`; subjects, tracks and genres that it tests are looked "
        "for in this one.",
    )
    protocol: ProtocolChoice = Field(
        default_factory=ProtocolChoice,
        description="As `data.protocol` in `train.toml`: a name, a TOML file, or a table.",
    )

    @field_validator("protocol", mode="before")
    @classmethod
    def _protocol_by_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _tests_elsewhere(self) -> "ProtocolConfig":
        if self.test_playback and self.protocol.name in BOUND_TO_ONE_DATASET:
            raise ValueError(
                f"'{self.protocol.name}' divides one dataset by room or tag; with test_playback, "
                "set protocol to leave-one-subject-out or single-music"
            )
        return self


class BenchmarkConfig(Config):
    """A comparison of methods: every method under every protocol with every seed."""

    name: str = Field(default="Benchmark", description="Heading of the tables.")
    data: dict[Name, Path] = Field(
        min_length=1,
        description="Folders of datasets by the name of what is played; relative to this file. "
        "`--data NAME=DIR` comes before them.",
    )
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        default=(0, 1, 2), min_length=1, description="Seeds that every method is trained with."
    )
    defaults: MethodSettings = Field(
        default_factory=MethodSettings, description="What all methods share."
    )
    methods: tuple[MethodConfig, ...] = Field(min_length=1, description="The methods.")
    protocols: tuple[ProtocolConfig, ...] = Field(min_length=1, description="The protocols.")

    @model_validator(mode="after")
    def _check_names(self) -> "BenchmarkConfig":
        _check_unique("seed", self.seeds)
        _check_unique("method", [method.name for method in self.methods])
        _check_unique("protocol", [f"{each.playback}/{each.name}" for each in self.protocols])
        for each in self.protocols:
            for playback in (each.playback, each.test_playback or each.playback):
                if playback not in self.data:
                    hint = suggestion(playback, self.data) or f" it has {', '.join(self.data)}"
                    raise ValueError(
                        f"protocol '{each.name}': [data] has no playback '{playback}';{hint}"
                    )
        return self


SettingsT = TypeVar("SettingsT", bound=MethodSettings)


def load_benchmark_config(path: Path, data: Mapping[str, Path] | None = None) -> BenchmarkConfig:
    """Read a comparison from TOML and check every method's settings.

    Args:
        path: The file; folders and protocol files in it are relative to its own folder.
        data: Folders that come before those of the file, by the same names.

    Returns:
        The comparison, its paths made absolute.

    Raises:
        ConfigError: The file is missing, or a key, name or value is not valid.
        UnknownPluginError: A component is not registered.
    """
    config = load_config(BenchmarkConfig, path)
    folders = {name: (path.parent / folder).resolve() for name, folder in config.data.items()}
    for name, folder in (data or {}).items():
        if name not in folders:
            hint = suggestion(name, folders) or f" it has {', '.join(folders)}"
            raise ConfigError(f"--data {name}={folder}: {path} has no playback '{name}';{hint}")
        folders[name] = folder.resolve()
    config = config.model_copy(
        update={
            "data": folders,
            "defaults": _with_absolute_start(config.defaults, path.parent),
            "methods": tuple(_with_absolute_paths(each, path.parent) for each in config.methods),
            "protocols": tuple(_with_absolute_file(each, path.parent) for each in config.protocols),
        }
    )
    for method in config.methods:
        where = f"{path}: method '{method.name}'"
        check_components(
            train_config(config, method, config.protocols[0], config.seeds[0], where), where
        )
    return config


def train_config(
    config: BenchmarkConfig,
    method: MethodConfig,
    protocol: ProtocolConfig,
    seed: int,
    where: str = "",
) -> TrainConfig:
    """Return the training of one cell.

    Args:
        config: The comparison.
        method: One of its methods.
        protocol: One of its protocols.
        seed: One of its seeds.
        where: What to call the method in errors.

    Raises:
        ConfigError: The method's settings are not those of a training.
    """
    merged: dict[str, Any] = {
        "data": _merged(config.defaults.data, method.data),
        "training": _merged(config.defaults.training, method.training),
    }
    for key in _COMPONENTS:
        own, shared = getattr(method, key), getattr(config.defaults, key)
        chosen = own if key in method.model_fields_set else shared
        if chosen:
            merged[key] = chosen
    merged["data"] |= {
        "path": config.data[protocol.playback],
        "protocol": protocol.protocol.model_dump(),
    }
    merged["training"]["seed"] = seed
    return parse_config(TrainConfig, merged, where or f"method '{method.name}'")


def _merged(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return one table laid over another, tables within it key by key."""
    result = dict(shared)
    for key, value in own.items():
        below = result.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping) and key != "feature_config":
            value = _merged(below, value)
        result[key] = value
    return result


def _with_absolute_start(settings: SettingsT, folder: Path) -> SettingsT:
    """Return settings whose `init_from`, where it is a path, is absolute."""
    fine_tuning = settings.training.get("fine_tuning", {})
    first = fine_tuning.get("init_from", "") if isinstance(fine_tuning, Mapping) else ""
    if not first or not (folder / str(first)).exists():
        return settings  # none, or the name of a shipped model
    found = {**fine_tuning, "init_from": str((folder / first).resolve())}
    return settings.model_copy(update={"training": {**settings.training, "fine_tuning": found}})


def _with_absolute_paths(method: MethodConfig, folder: Path) -> MethodConfig:
    """Return a method whose models, where they are paths, are absolute."""
    if method.model and (folder / method.model).exists():  # else the name of a shipped model
        method = method.model_copy(update={"model": str((folder / method.model).resolve())})
    return _with_absolute_start(method, folder)


def _with_absolute_file(protocol: ProtocolConfig, folder: Path) -> ProtocolConfig:
    name = protocol.protocol.name
    if not name.endswith(".toml"):
        return protocol
    choice = protocol.protocol.model_copy(update={"name": str((folder / name).resolve())})
    return protocol.model_copy(update={"protocol": choice})


def _check_unique(what: str, names: Sequence[object]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{what} '{name}' is there twice; give each a name of its own")
