"""Which cells there are, which are done, and how long the rest may take."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

from acoustic_sense.benchmarking.config import (
    REFERENCES,
    BenchmarkConfig,
    MethodConfig,
    ProtocolConfig,
    train_config,
)
from acoustic_sense.benchmarking.results import CELLS, CellInputs, CellResult, read_result
from acoustic_sense.benchmarking.runs import is_finished, run_folder
from acoustic_sense.config import config_hash
from acoustic_sense.constants import CLIP_FRAMES
from acoustic_sense.datasets import Dataset, find_protocol, open_dataset
from acoustic_sense.datasets.manifest import MANIFEST_NAME
from acoustic_sense.errors import ConfigError
from acoustic_sense.inference.description import ComponentChoice, ModelDescription
from acoustic_sense.inference.loading import find_model
from acoustic_sense.inference.model import spelt_out
from acoustic_sense.inference.model_files import read_description
from acoustic_sense.plugin_loading import load_plugins
from acoustic_sense.training.config import TrainConfig, TrainingSettings, started_from
from acoustic_sense.training.fine_tuning import model_name


@dataclass(frozen=True, eq=False)
class Cell:
    """One method under one protocol with one seed.

    Attributes:
        inputs: What decides its figures.
        train: Its training, with places.
        dataset: The dataset that it trains on, open.
        test_dataset: The dataset that it is tested on, open.
        model: File of the model that it scores as it is; None where there is a training.
        result: Its result, if it is done.
    """

    inputs: CellInputs
    train: TrainConfig
    dataset: Dataset
    test_dataset: Dataset
    model: Path | None = None
    result: CellResult | None = None

    @property
    def name(self) -> str:
        """What to call it: playback, protocol, method and seed."""
        each = self.inputs
        return f"{each.playback}/{each.protocol}/{each.method}/seed-{each.seed}"

    @property
    def is_trained(self) -> bool:
        """Whether it begins with a training."""
        return self.model is None and self.inputs.method not in REFERENCES

    @property
    def hash(self) -> str:
        """Digest of what decides its figures."""
        return config_hash(self.inputs)

    def result_path(self, out: Path) -> Path:
        """Return where its result is kept."""
        return out / CELLS / f"{self.name}.json"

    def run_folder(self, out: Path) -> Path:
        """Return the folder of its training run, which cells with the same training share."""
        return run_folder(out, self.inputs)


@dataclass(frozen=True)
class Plan:
    """The cells of a comparison in the order in which they are run.

    Attributes:
        name: Heading of the tables.
        out: Folder of the results.
        cells: All cells.
        chosen: Those that are asked for.
    """

    name: str
    out: Path
    cells: tuple[Cell, ...]
    chosen: tuple[Cell, ...]

    @property
    def left(self) -> tuple[Cell, ...]:
        """Cells that are asked for and not done."""
        return tuple(cell for cell in self.chosen if cell.result is None)

    def guesses(self) -> dict[str, float | None]:
        """Return how long each cell that is left may take, by name; None if unknown.

        Of cells that share a training, those after the first are only evaluated, and all are where
        the training is done.
        """
        found, runs = {}, set[Path]()
        for cell in self.left:
            run = cell.run_folder(self.out)
            found[cell.name] = self.guess_s(cell, is_trained=run in runs or is_finished(run))
            runs.add(run)
        return found

    def guess_s(self, cell: Cell, *, is_trained: bool = False) -> float | None:
        """Return how long a cell may take: as its method's finished ones did; None if unknown.

        Cells of the same protocol count alone where there are any.

        Args:
            cell: The cell.
            is_trained: Whether its training will have been done.
        """
        same = [
            (each.inputs, each.result.evaluation_seconds if is_trained else each.result.seconds)
            for each in self.cells
            if each.result is not None and each.inputs.method == cell.inputs.method
        ]
        own = [
            seconds
            for inputs, seconds in same
            if (inputs.playback, inputs.protocol) == (cell.inputs.playback, cell.inputs.protocol)
        ]
        times = own or [seconds for _, seconds in same]
        return mean(times) if times else None


def make_plan(config: BenchmarkConfig, out: Path, *, only: str = "") -> Plan:
    """Return the cells of a comparison, those that are done with their results.

    Whole rows come early: all methods and protocols with the first seed, then with the second.
    Methods that need no training have a cell with the first seed alone.

    Args:
        config: The comparison.
        out: Folder of the results.
        only: Part of the names of the cells to choose; all if empty.

    Raises:
        ConfigError: Settings are not valid, or no cell has such a name.
        DatasetError: A dataset is not sound, a protocol selects nothing, or the file of a result
            is not one.
        ModelError: A model to start from or to score cannot be found or read.
    """
    datasets: dict[tuple[str, bool], Dataset] = {}
    cells = []
    for seed in config.seeds:
        for protocol in config.protocols:
            for method in config.methods:
                if not method.is_trained and seed != config.seeds[0]:
                    continue
                cell = _make_cell(config, method, protocol, seed, datasets)
                result = read_result(cell.result_path(out))
                if result is not None and result.config_hash == cell.hash:
                    cell = replace(cell, result=result)
                cells.append(cell)
    chosen = tuple(cell for cell in cells if only in cell.name)
    if not chosen:
        raise ConfigError(
            f"--only {only}: none of {len(cells)} cells has that in its name; the first is "
            f"'{cells[0].name}'"
        )
    return Plan(config.name, out, tuple(cells), chosen)


def _make_cell(
    config: BenchmarkConfig,
    method: MethodConfig,
    protocol: ProtocolConfig,
    seed: int,
    datasets: dict[tuple[str, bool], Dataset],
) -> Cell:
    train = train_config(config, method, protocol, seed)
    first = method.model or train.training.fine_tuning.init_from
    model = find_model(first) if first else None
    if method.name in REFERENCES:
        train, model = _untrained(train), None
    elif method.model and model is not None:
        train = _as_trained(train, read_description(model))

    def opened(playback: str) -> Dataset:
        key = (playback, train.data.skip_bad)
        if key not in datasets:
            datasets[key] = open_dataset(config.data[playback], bad="skip" if key[1] else "refuse")
        return datasets[key]

    dataset, elsewhere = opened(protocol.playback), protocol.test_playback or ""
    tested = opened(elsewhere) if elsewhere else dataset
    split = find_protocol(train.data.protocol, dataset.takes)
    trained_on = split.split(dataset.takes).train
    if elsewhere:
        split.select_test(tested.takes, trained_on)
    inputs = CellInputs(
        playback=protocol.playback,
        test_playback=elsewhere,
        protocol=protocol.name,
        method=method.name,
        seed=seed,
        dataset=dataset_digest(dataset),
        test_dataset=dataset_digest(tested) if elsewhere else "",
        split=split,
        model=model_name(model) if method.model and model else "",
        first_model=model_digest(model) if model else "",
        train=_placeless(train, protocol.playback, None if method.model else model).model_dump(
            mode="json"
        ),
    )
    return Cell(inputs, train, dataset, tested, model if method.model else None)


def _untrained(train: TrainConfig) -> TrainConfig:
    """Return the settings that matter to a method without training."""
    feature: ComponentChoice = train.feature
    data = train.data.model_copy(update={"feature": feature.name})
    settings = TrainingSettings(
        normalisation=train.training.normalisation, seed=train.training.seed
    )
    return TrainConfig(data=data, task=train.task, training=settings)


def _as_trained(train: TrainConfig, description: ModelDescription) -> TrainConfig:
    """Return the data of a training with the components of a model, which is not trained."""
    data = train.data.model_copy(
        update={
            "feature": description.feature.name,
            "feature_config": description.feature.config,
            "pose_frame": description.pose_frame,
            "clip_hop_frames": CLIP_FRAMES,
            "train_share": 1.0,
        }
    )
    return TrainConfig(
        data=data,
        encoder=description.encoder,
        task=description.task,
        training=TrainingSettings(
            normalisation=description.normalisation, seed=train.training.seed
        ),
    )


def _placeless(train: TrainConfig, playback: str, model: Path | None) -> TrainConfig:
    """Return a training without the places of its files, its components' settings spelt out.

    Digests stand for what the files hold; a default that changes in a plugin changes the cell.
    """
    plugins = load_plugins()
    feature = spelt_out(plugins.features, train.feature)
    choice = train.data.protocol
    name = Path(choice.name).name if choice.name.endswith(".toml") else choice.name
    data = train.data.model_copy(
        update={
            "path": Path(playback),
            "protocol": choice.model_copy(update={"name": name}),
            "feature": feature.name,
            "feature_config": feature.config,
        }
    )
    train = train.model_copy(
        update={
            "data": data,
            "encoder": spelt_out(plugins.encoders, train.encoder),
            "task": spelt_out(plugins.tasks, train.task),
            "objectives": tuple(spelt_out(plugins.objectives, o) for o in train.objectives),
        }
    )
    return started_from(train, model.stem) if model else train


def model_digest(path: Path) -> str:
    """Return a digest of a model's file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def dataset_digest(dataset: Dataset) -> str:
    """Return a digest of the dataset's manifest, or else of its settings and list of takes."""
    manifest = dataset.path / MANIFEST_NAME
    if manifest.is_file():
        content = manifest.read_bytes()
    else:
        settings = getattr(dataset, "description", {}).get("config_hash", "")
        content = "\n".join([settings, *_lines(dataset)]).encode()
    return hashlib.sha256(content).hexdigest()[:16]


def _lines(dataset: Dataset) -> Sequence[str]:
    return [f"{info.id} {info.seconds} {info.seed}" for info in dataset.takes]
