"""Training a model: from a configuration to a run folder."""

import json
import logging
import os
import platform
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import lightning.pytorch as pl
import torch

from acoustic_sense.errors import ConfigError
from acoustic_sense.inference.model import Pipeline
from acoustic_sense.inference.model_files import MODEL_NAME, save_model
from acoustic_sense.training.averaging import measure_batch_norm
from acoustic_sense.training.checkpoints import (
    CHECKPOINT_PATH,
    HISTORY_NAME,
    EpochCheckpoint,
    completed,
)
from acoustic_sense.training.config import (
    TrainConfig,
    TrainingSettings,
    check_components,
    format_config,
    load_train_config,
    resolve_paths,
    started_from,
)
from acoustic_sense.training.history import Row, write_history
from acoustic_sense.training.module import TrainingModule
from acoustic_sense.training.preparation import OnOpen, Preparation, prepare
from acoustic_sense.training.progress import OnProgress

CONFIG_NAME: Final = "config.toml"
METRICS_NAME: Final = "metrics.json"


@dataclass(frozen=True)
class RunResult:
    """What a training run leaves.

    Attributes:
        folder: The run folder.
        model: The model file in it.
        history: One row for each epoch.
        metrics: What `metrics.json` holds.
    """

    folder: Path
    model: Path
    history: list[Row]
    metrics: dict[str, Any]


def train(
    config: TrainConfig,
    out: Path,
    *,
    resume: bool = False,
    init_from: str | Path | None = None,
    on_progress: OnProgress | None = None,
    on_open: OnOpen | None = None,
) -> RunResult:
    """Train a model.

    The same configuration and data give the same weights on the same machine and library
    versions, also when the run was killed and resumed, unless there is a time budget.

    Args:
        config: What to train on, with and how.
        out: Run folder to make: `config.toml`, `model.safetensors`, `history.csv`, `metrics.json`
            and `checkpoints/`.
        resume: Go on with an interrupted run of the same configuration; begin one if the folder
            is empty.
        init_from: Run folder, model file or shipped model to take matching weights from; that of
            the configuration if None.
        on_progress: Called after each take that is opened and each batch.
        on_open: Called with the dataset once it is open, by the first process only.

    Returns:
        The run.

    Raises:
        ConfigError: The configuration is not valid, or the folder holds another run.
        DatasetError: The data are not sound or the protocol selects nothing.
        ModelError: `init_from` or the checkpoint cannot be used, or training diverged.
        UnknownPluginError: A component is not registered.
    """
    if init_from is not None:
        config = started_from(config, str(init_from))
    config = _with_recorded_start(resolve_paths(config, Path()), Path(out), resume)
    check_components(config, "configuration")
    checkpoint = _find_checkpoint(Path(out), config, resume)
    with _torch_state(config.training):
        ready = prepare(config, on_progress, None if _is_helper() else on_open)
        _make_folder(Path(out), config)
        module = TrainingModule(
            ready.pipeline.model,
            ready.objectives,
            config.training,
            ready.open_epoch,
            fine_tuning=ready.fine_tuning,
            watch=ready.watch,
            on_progress=on_progress,
        )
        _fit(module, config.training, Path(out), checkpoint)
        return _finish(module, ready, config.training, Path(out))


def _with_recorded_start(config: TrainConfig, out: Path, resume: bool) -> TrainConfig:
    """Return the configuration with the first model of the run that is resumed."""
    file = out / CONFIG_NAME
    if not resume or config.training.fine_tuning.init_from or not file.is_file():
        return config
    first = load_train_config(file).training.fine_tuning.init_from
    return started_from(config, first) if first else config


def _find_checkpoint(out: Path, config: TrainConfig, resume: bool) -> Path | None:
    """Return the checkpoint to resume from, if there is one; nothing is written.

    Raises:
        ConfigError: The folder holds something else.
    """
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out}: is a file; choose a folder for the run")
    file = out / CONFIG_NAME
    if file.exists():
        if not resume and _is_helper():
            return None  # the first process has just made the folder
        if not resume:
            raise ConfigError(f"{out}: holds a run already; resume it or choose another folder")
        if load_train_config(file) != config:
            raise ConfigError(f"{out}: holds a run of another configuration; choose another folder")
        checkpoint = out / CHECKPOINT_PATH
        return checkpoint if checkpoint.exists() else None
    if out.is_dir() and any(p.name != f".partial-{CONFIG_NAME}" for p in out.iterdir()):
        raise ConfigError(f"{out}: holds other files; choose an empty folder for the run")
    return None


def _make_folder(out: Path, config: TrainConfig) -> None:
    """Make the run folder with its configuration, unless it is being resumed."""
    out.mkdir(parents=True, exist_ok=True)
    if not (out / CONFIG_NAME).exists():
        partial = out / f".partial-{CONFIG_NAME}"
        partial.write_text(format_config(config), encoding="utf-8", newline="\n")
        partial.replace(out / CONFIG_NAME)
    (out / CHECKPOINT_PATH).parent.mkdir(exist_ok=True)


def _fit(
    module: TrainingModule, settings: TrainingSettings, out: Path, checkpoint: Path | None
) -> None:
    epochs = settings.epochs
    if checkpoint is not None and settings.time_budget_minutes is not None:
        done, seconds = completed(checkpoint)
        if seconds >= 60 * settings.time_budget_minutes:
            epochs = done
    elif checkpoint is not None:
        completed(checkpoint)
    with _quiet():
        trainer = pl.Trainer(
            accelerator=_accelerator(settings),
            devices=settings.devices,
            max_epochs=epochs,
            precision="bf16-mixed" if settings.precision == "bf16" else "32-true",
            gradient_clip_val=settings.gradient_clip or None,
            callbacks=[EpochCheckpoint(out)],
            default_root_dir=out,
            reload_dataloaders_every_n_epochs=1,
            use_distributed_sampler=False,
            limit_val_batches=0,
            logger=False,
            enable_checkpointing=True,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(module, ckpt_path=checkpoint, weights_only=True)


def _finish(
    module: TrainingModule, ready: Preparation, settings: TrainingSettings, out: Path
) -> RunResult:
    """Average, measure batch norm, write the model and the numbers."""
    pipeline: Pipeline = ready.pipeline
    pipeline.model.to("cpu")
    pipeline.model.load_state_dict(module.average.mean())
    measure_batch_norm(pipeline.model, ready.final_epoch(), ready.fine_tuning.held)
    pipeline.model.eval()
    pipeline.description.training["epochs"] = len(module.history)
    metrics: dict[str, Any] = {
        "epochs": len(module.history),
        "train_seconds": round(module.elapsed_s, 3),
        "parameters": sum(p.numel() for p in pipeline.model.parameters()),
        "trained_parameters": sum(
            p.numel() for p in pipeline.model.parameters() if p.requires_grad
        ),
        "train_clips": ready.clip_count,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "last_epoch": module.history[-1],
    }
    if ready.watch is not None:
        metrics["validation"] = ready.watch()
    if _is_helper():
        return RunResult(out, out / MODEL_NAME, module.history, metrics)
    write_history(out / HISTORY_NAME, module.history)
    save_model(out / MODEL_NAME, pipeline)
    text = json.dumps(metrics, indent=1)
    (out / METRICS_NAME).write_text(text + "\n", encoding="utf-8", newline="\n")
    return RunResult(out, out / MODEL_NAME, module.history, metrics)


def _is_helper() -> bool:
    """Return whether this is one of the further processes of a run on several devices."""
    return int(os.environ.get("LOCAL_RANK", "0")) > 0


def _accelerator(settings: TrainingSettings) -> str:
    if settings.accelerator == "auto":
        return "gpu" if torch.cuda.is_available() else "cpu"
    if settings.accelerator == "gpu" and not torch.cuda.is_available():
        raise ConfigError("accelerator = 'gpu' but torch sees none; set accelerator = 'auto'")
    return settings.accelerator


@contextmanager
def _torch_state(settings: TrainingSettings) -> Iterator[None]:
    """Leave torch's random state and number of threads as they were."""
    threads = torch.get_num_threads()
    devices = list(range(torch.cuda.device_count()))
    with torch.random.fork_rng(devices=devices):
        if settings.threads:
            torch.set_num_threads(settings.threads)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Lightning's advice off the screen; errors still come as exceptions."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for module in (r"lightning\.", r"torch\.optim"):
                warnings.filterwarnings("ignore", module=module)
            yield
    finally:
        logger.setLevel(level)
