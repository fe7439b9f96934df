"""What a cell leaves: one JSON file with its settings, scores, costs and where they come from."""

import json
import os
from pathlib import Path
from typing import Any, Final

from pydantic import Field, SerializerFunctionWrapHandler, ValidationError, model_serializer

from acoustic_sense.config import Config, config_hash
from acoustic_sense.datasets.protocols import Protocol
from acoustic_sense.errors import DatasetError
from acoustic_sense.training.evaluation import Group, Scores

CELLS: Final = "cells"
RUNS: Final = "runs"
PLAN_NAME: Final = "plan.json"
_LEFT_OUT_IF_EMPTY: Final = ("model", "test_playback", "test_dataset")
_OF_THE_TEST: Final = ("protocol", "test_playback", "test_dataset")


class CellInputs(Config):
    """Everything that decides a cell's figures, but for the program's version and the machine."""

    playback: str = Field(description="Name of what is played.")
    test_playback: str = Field(
        default="", description="Name of what is played in testing, where it is another dataset."
    )
    protocol: str = Field(description="Name of the protocol in this comparison.")
    method: str = Field(description="Name of the method.")
    seed: int = Field(description="Seed of the training.")
    dataset: str = Field(description="Digest of the dataset: of its manifest, if there is one.")
    test_dataset: str = Field(default="", description="Digest of the dataset of `test_playback`.")
    split: Protocol = Field(description="Takes that train, validate and test.")
    model: str = Field(
        default="", description="Name of a model that is scored as it is and not trained here."
    )
    first_model: str = Field(
        default="", description="Digest of that model, or of the one that training starts at."
    )
    train: dict[str, Any] = Field(
        description="Settings as in `train.toml`, without places; of a model that is not trained "
        "here, its components and normalisation."
    )

    @model_serializer(mode="wrap")
    def _without_empty_additions(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what is empty and once was not there, so that digests of older cells hold."""
        data: dict[str, Any] = dump(self)
        return {key: data[key] for key in data if data[key] or key not in _LEFT_OUT_IF_EMPTY}

    @property
    def training_hash(self) -> str:
        """Digest of what decides the training; cells that are only tested otherwise share it."""
        return config_hash(self.model_copy(update=dict.fromkeys(_OF_THE_TEST, "")))


class CellResult(Config):
    """Figures of one method under one protocol with one seed."""

    format_version: int = Field(default=1, description="Version of this layout.")
    config: CellInputs = Field(description="What was asked for.")
    config_hash: str = Field(description="Digest of `config`.")
    scores: Scores = Field(description="Metrics of `method` and `mean_pose` over all test frames.")
    activities: dict[str, Group] = Field(description="The same for each labelled activity.")
    takes: dict[str, Group] = Field(description="The same for each test take.")
    frames: int = Field(description="Test frames of 50 ms.")
    train_takes: tuple[str, ...] = Field(description="Takes that were trained on.")
    parameters: int = Field(description="Parameters of the model, objectives not counted.")
    epochs: int = Field(description="Epochs that were trained.")
    cut_short: bool = Field(description="Whether a time budget ended training early.")
    train_seconds: float = Field(description="Time of training, without opening the data.")
    evaluation_seconds: float = Field(description="Time of evaluation.")
    inference_ms: dict[str, float] | None = Field(
        description="Median time of one clip on one CPU thread: `feature`, `network`, `total`."
    )
    learning_curve: tuple[dict[str, float], ...] = Field(description="One row for each epoch.")
    provenance: dict[str, Any] = Field(
        description="Commit, uncommitted changes, libraries and machine when the cell began."
    )
    finished: dict[str, Any] = Field(
        default_factory=dict, description="The same when it was finished, where that differs."
    )

    @property
    def relative_rmse(self) -> float | None:
        """RMSE over that of the mean pose; None for tasks without RMSE."""
        own, mean = (self.scores[name].get("rmse") for name in ("method", "mean_pose"))
        return own / mean if own is not None and mean else None

    @property
    def seconds(self) -> float:
        """How long such a cell takes, once features are cached."""
        return self.train_seconds + self.evaluation_seconds


def read_result(path: Path) -> CellResult | None:
    """Return the result in a file, or None if there is no such file.

    Raises:
        DatasetError: The file is not a result.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        return CellResult.model_validate_json(text)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise DatasetError(
            f"{path}: not the result of a cell ({where + ': ' if where else ''}{problem['msg']}); "
            "delete the file to run the cell again"
        ) from None


def write_json(path: Path, data: Any) -> None:
    """Write plain data as JSON, under a temporary name first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial-{path.name}-{os.getpid()}")
    try:
        text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
        partial.write_text(text, encoding="utf-8", newline="\n")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
