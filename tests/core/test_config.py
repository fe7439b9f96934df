"""Configuration: one-line errors that name file, key and mend."""

from pathlib import Path

import pytest
from pydantic import Field

from acoustic_sense.config import Config, config_hash, load_config, parse_config, read_toml
from acoustic_sense.errors import ConfigError, suggestion


class Inner(Config):
    learning_rate: float = Field(0.1, description="Step size.")


class Outer(Config):
    epochs: int = Field(3, ge=1, description="Passes over the data.")
    training: Inner = Field(default_factory=Inner, description="Nested.")
    stages: tuple[Inner, ...] = Field((), description="A list of tables.")


def test_misspelt_key_is_refused_with_the_closest_key() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(Outer, {"epoch": 3}, "train.toml")
    assert str(caught.value) == "train.toml: unknown key 'epoch'; did you mean 'epochs'?"


@pytest.mark.parametrize(
    "data", [{"training": {"learning_rat": 1}}, {"stages": [{"learning_rat": 1}]}]
)
def test_misspelt_nested_key_is_suggested_from_its_own_table(data: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="did you mean 'learning_rate'"):
        parse_config(Outer, data, "train.toml")


def test_unlike_key_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="known keys: epochs, stages, training"):
        parse_config(Outer, {"zzz": 1}, "train.toml")


def test_wrong_value_names_file_key_and_cause_in_one_line() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(Outer, {"epochs": 0, "training": {"learning_rate": "x"}}, "train.toml")
    message = str(caught.value)
    assert message.startswith("train.toml: 'epochs': ")
    assert message.endswith("(and 1 more)")
    assert "\n" not in message


def test_nan_is_refused() -> None:
    with pytest.raises(ConfigError, match="finite"):
        parse_config(Inner, {"learning_rate": float("nan")}, "train.toml")


def test_configs_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Outer().epochs = 4  # type: ignore[misc]


def test_missing_file_folder_and_broken_toml_are_one_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("a = = 1\n")
    for path, cause in [
        (tmp_path / "none.toml", "no such configuration file"),
        (tmp_path, "is a folder"),
        (broken, "not valid TOML"),
    ]:
        with pytest.raises(ConfigError, match=cause) as caught:
            read_toml(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_load_config_reads_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "train.toml"
    path.write_text("epochs = 7\n[training]\nlearning_rate = 0.5\n")
    assert load_config(Outer, path) == Outer(epochs=7, training=Inner(learning_rate=0.5))


def test_hash_depends_on_values_and_not_on_spelling() -> None:
    assert config_hash(Outer(epochs=3)) == config_hash(Outer())
    assert config_hash(Outer(epochs=4)) != config_hash(Outer())
    assert len(config_hash(Outer())) == 16


def test_suggestion_stays_silent_when_nothing_is_close() -> None:
    assert suggestion("zzz", ["epochs"]) == ""
