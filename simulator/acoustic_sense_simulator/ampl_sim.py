"""AMPL-Sim: the benchmark's datasets by size, variant and condition.

`configs/ampl-sim-v1.toml` holds one scene and what sizes, variants and conditions change of it; a
dataset's configuration is put together from these tables, so that two datasets differ in nothing
but what their names say.
"""

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from pydantic import Field

from acoustic_sense.config import Config, parse_config
from acoustic_sense.errors import ConfigError, suggestion
from acoustic_sense_simulator.sampling import GenerationConfig

NAME: Final = "ampl-sim-v1"
"""Name of the benchmark; its version is raised when the sound of a dataset changes."""

Table = dict[str, Any]


class SizeConfig(Config):
    """How much of the benchmark."""

    people: int = Field(ge=1, description="Number of subjects, the first by name.")
    seconds: float = Field(gt=0, description="Length of each take.")
    repeats: int = Field(default=1, ge=1, description="Takes of each subject and track.")
    tracks: tuple[str, ...] = Field(default=(), description="Tracks to play; empty for all.")


class BenchmarkConfig(Config):
    """The benchmark: a scene, and what sizes, variants and conditions change of it."""

    scene: Table = Field(description="What all datasets share, as in a `GenerationConfig`.")
    sizes: dict[str, SizeConfig] = Field(description="How much.")
    variants: dict[str, tuple[Table, ...]] = Field(description="What is played: tracks.")
    conditions: dict[str, Table] = Field(description="What is otherwise than in the scene.")


def dataset_config(size: str, variant: str = "generated", condition: str = "") -> GenerationConfig:
    """Return the configuration of one of the benchmark's datasets.

    Args:
        size: `tiny`, `mini` or `full`.
        variant: `generated`, `real` or `tsp`.
        condition: `noise`, `plain-clothes`, `off-axis` or `cross-room`; empty for the benchmark
            itself.

    Returns:
        The configuration; takes of the same name have the same scenes in every variant.

    Raises:
        ConfigError: There is no such size, variant or condition.

    Examples:
        >>> config = dataset_config("mini", "tsp")
        >>> config.subjects.count, len(config.tracks), config.seconds
        (9, 4, 60.0)
    """
    benchmark = _benchmark()
    name = dataset_name(size, variant, condition)
    amount = benchmark.sizes[size]
    tracks = [
        {**track, "repeats_continue": True}
        for track in benchmark.variants[variant]
        if not amount.tracks or track["name"] in amount.tracks
    ]
    table: Table = {"name": name, "seconds": amount.seconds, "repeats": amount.repeats}
    table |= {"tracks": tracks, "subjects": {"count": amount.people}}
    data = overlaid(benchmark.scene, table)
    if condition:
        data = overlaid(data, {**benchmark.conditions[condition], "tags": [condition]})
    return parse_config(GenerationConfig, data, name)


def dataset_name(size: str, variant: str = "generated", condition: str = "") -> str:
    """Return what a dataset is called, e.g. `ampl-sim-v1-mini-tsp`.

    Raises:
        ConfigError: There is no such size, variant or condition.
    """
    benchmark = _benchmark()
    _check_known("size", size, benchmark.sizes)
    _check_known("variant", variant, benchmark.variants)
    if condition:
        _check_known("condition", condition, benchmark.conditions)
    return "-".join(part for part in (NAME, size, variant, condition) if part)


def check_music(config: GenerationConfig) -> None:
    """Raise ConfigError if a track that is read from a file is not there."""
    for track in config.tracks:
        path = Path(track.config.get("path", ".")).expanduser()
        if not path.exists():
            raise ConfigError(
                f"{config.name}: track '{track.name}' is missing: {path}; fetch the real tracks "
                "with scripts/fetch_benchmark_music of the source, or use the variant generated"
            )


def published_manifest(name: str) -> str | None:
    """Return the SHA-256 sums that are published of a dataset, or None if none are.

    Args:
        name: Name of the dataset, see `dataset_name`.

    Returns:
        Text in the format of `sha256sum`.
    """
    file = resources.files(__package__) / "configs" / f"{name}.sha256"
    return file.read_text(encoding="utf-8") if file.is_file() else None


def overlaid(below: Table, above: Table) -> Table:
    """Return a table with another laid over it: tables key by key, everything else whole.

    Examples:
        >>> overlaid({"a": {"b": 1, "c": 2}, "d": [3]}, {"a": {"c": 4}, "d": [5]})
        {'a': {'b': 1, 'c': 4}, 'd': [5]}
    """
    result = dict(below)
    for key, value in above.items():
        found = result.get(key)
        if isinstance(found, dict) and isinstance(value, dict):
            value = overlaid(found, value)
        result[key] = value
    return result


@cache
def _benchmark() -> BenchmarkConfig:
    file = resources.files(__package__) / "configs" / f"{NAME}.toml"
    return parse_config(BenchmarkConfig, tomllib.loads(file.read_text(encoding="utf-8")), NAME)


def _check_known(what: str, name: str, known: Iterable[str]) -> None:
    names = sorted(known)
    if name not in names:
        hint = suggestion(name, names) or f" known: {', '.join(names)}"
        raise ConfigError(f"{NAME} has no {what} '{name}';{hint}")
