"""The reference is complete: held against the program itself, not against its generator."""

import contextlib
import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import typer
from pydantic import BaseModel

import acoustic_sense
from acoustic_sense import contracts, errors, hookspecs, testing
from acoustic_sense.benchmarking import BenchmarkConfig
from acoustic_sense.cli.main import app, run
from acoustic_sense.contracts.simulator import load_simulator
from acoustic_sense.datasets import DatasetWriter, Protocol
from acoustic_sense.training.config import TrainConfig
from acoustic_sense.types import Playback, PoseTrack, Recording, Take, TakeInfo

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def sections(page: str, level: int) -> dict[str, str]:
    """Return the text under each heading of a level, by the heading's words."""
    pieces = re.split(rf"^{'#' * level} (.+)$", page, flags=re.MULTILINE)
    return {
        title.replace("`", ""): text for title, text in zip(pieces[1::2], pieces[2::2], strict=True)
    }


def command_names() -> list[str]:
    def walk(words: list[str], command: object) -> Iterator[str]:
        yield " ".join(words)
        for name, child in getattr(command, "commands", {}).items():
            yield from walk([*words, name], child)

    return list(walk(["acoustic-sense"], typer.main.get_command(app)))


@pytest.mark.parametrize("name", command_names())
def test_every_command_and_option_is_documented(name: str, reference: dict[str, str]) -> None:
    section = sections(reference["reference/cli.md"], 2)[name]
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        assert run([*name.split()[1:], "--help"]) == 0
    shown = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", output.getvalue())) - {"--help"}
    where = reference["reference/cli.md"] if "COMMAND" in section else section
    documented = set(re.findall(r"`(--[a-z-]+)`", where))
    assert shown - mentioned(section) <= documented
    assert all(row.split(" | ")[1].strip() for row in section.splitlines() if row.startswith("| `"))


def mentioned(section: str) -> set[str]:
    """Options that the command's own prose names."""
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", section.split("```")[0]))


def test_every_hook_and_argument_is_documented(reference: dict[str, str]) -> None:
    hooks = {
        name: function
        for name, function in vars(hookspecs).items()
        if hasattr(function, f"{hookspecs.PROJECT_NAME}_spec")
    }
    page = sections(reference["reference/hooks.md"], 2)
    assert list(page) == list(hooks)
    for name, function in hooks.items():
        for argument in function.__code__.co_varnames[: function.__code__.co_argcount]:
            assert re.search(rf"^\| `{argument}` \| \w", page[name], re.MULTILINE)


def test_every_setting_of_every_component_is_documented(reference: dict[str, str]) -> None:
    page = sections(reference["reference/plugins.md"], 3)
    registrations = [
        each
        for each in acoustic_sense.load_plugins().registrations
        if each.distribution == "acoustic-sense"
    ]
    assert len(registrations) >= 10
    for registration in registrations:
        section = page[registration.name]
        for name, field in registration.component.Config.model_fields.items():
            assert f"| `{name}` |" in section, f"{registration.name}.{name}"
            assert " ".join(field.description.split()).replace("|", "\\|") in section


@pytest.mark.parametrize(
    ("file", "model"),
    [
        ("dataset.toml", load_simulator().GenerationConfig),
        ("train.toml", TrainConfig),
        ("protocol.toml", Protocol),
        ("benchmark.toml", BenchmarkConfig),
    ],
)
def test_every_key_of_every_file_is_documented(
    file: str, model: type[BaseModel], reference: dict[str, str]
) -> None:
    section = sections(reference["reference/config.md"], 2)[file]
    schema = model.model_json_schema()
    for table in (schema, *schema.get("$defs", {}).values()):
        for key, value in table.get("properties", {}).items():
            assert f"| `{key}` |" in section, f"{table.get('title')}.{key}"
            described = "$ref" in value or value.get("description")
            assert described, f"{table.get('title')}.{key} has no description"


def test_every_error_is_documented(reference: dict[str, str]) -> None:
    def family(kind: type[Exception]) -> Iterator[str]:
        yield kind.__name__
        for child in kind.__subclasses__():
            if child.__module__ == errors.__name__:
                yield from family(child)

    for name in family(errors.AcousticSenseError):
        assert f"| `{name}` |" in reference["reference/errors.md"]


def test_every_stable_name_is_documented() -> None:
    page = (REFERENCE / "python.md").read_text(encoding="utf-8")
    for name in acoustic_sense.__all__:
        assert name == "__version__" or re.search(rf"acoustic_sense\.(\w+\.)*{name}\b", page), name
    for name in acoustic_sense.types.__all__:
        assert f"::: acoustic_sense.types.{name}\n" in page
    for name in acoustic_sense.metrics.__all__:
        assert name.isupper() or f"acoustic_sense.metrics.{name}" in page


def test_every_contract_and_check_is_documented() -> None:
    page = (REFERENCE / "contracts.md").read_text(encoding="utf-8")
    for name in contracts.__all__:
        assert f".{name}\n" in page
    for name in testing.__all__:
        assert not name.startswith("check_") or name == "check_registered" or name in page


def test_dataset_format_names_all_that_is_written(tmp_path: Path) -> None:
    take = Take(
        TakeInfo(id="a", subject="s", track="t"),
        Recording(np.zeros((4, 4800), np.float32), 48_000),
        Playback(np.zeros((1, 4800), np.float32), 48_000),
        PoseTrack(
            np.zeros((6, 21, 3), np.float32),
            60.0,
            activity=np.full(6, "walk"),
            smpl_pose=np.zeros((6, 72), np.float32),
            smpl_trans=np.zeros((6, 3), np.float32),
            smpl_betas=np.zeros(10, np.float32),
        ),
    )
    with DatasetWriter(tmp_path / "data", {}) as writer:
        writer.write_take(take)
    folder = tmp_path / "data"
    names = {path.name for path in folder.rglob("*") if path.is_file()}
    description = json.loads((folder / "dataset.json").read_text())
    names |= description.keys() | description["conventions"].keys()
    names |= json.loads((folder / "takes" / "a" / "take.json").read_text()).keys()
    with (folder / "takes.csv").open(newline="") as file:
        names |= set(next(csv.reader(file)))
    with np.load(folder / "takes" / "a" / "pose.npz", allow_pickle=False) as pose:
        names |= set(pose.files)
    page = (REFERENCE / "dataset-format.md").read_text(encoding="utf-8")
    assert not {name for name in names if name not in re.findall(r"[\w.]+", page)}
