"""Checkpoints of a run: written at the end of each epoch, read only by the run that wrote them."""

from pathlib import Path
from typing import Final

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Checkpoint

from acoustic_sense.errors import ModelError
from acoustic_sense.training.history import write_history
from acoustic_sense.training.module import CHECKPOINT_KEY, TrainingModule

CHECKPOINT_PATH: Final = Path("checkpoints") / "last.ckpt"
HISTORY_NAME: Final = "history.csv"


class EpochCheckpoint(Checkpoint):
    """Writes checkpoint and history at the end of each epoch, each whole or not at all."""

    def __init__(self, run: Path) -> None:
        self._run = run

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write both files."""
        path = self._run / CHECKPOINT_PATH
        partial = path.with_name(f".partial-{path.name}")
        trainer.save_checkpoint(partial)
        if trainer.is_global_zero and isinstance(pl_module, TrainingModule):
            partial.replace(path)
            write_history(self._run / HISTORY_NAME, pl_module.history)


def completed(path: Path) -> tuple[int, float]:
    """Return how many epochs, and how many seconds of training, a checkpoint stands for.

    Raises:
        ModelError: The file is not a checkpoint of this framework; pickled objects are refused.
    """
    try:
        data = torch.load(path, map_location="cpu", weights_only=True)
        saved = data[CHECKPOINT_KEY]
        return len(saved["history"]), float(saved["elapsed_s"])
    except Exception as error:
        first = (str(error).splitlines() or [""])[0]
        raise ModelError(
            f"{path}: not a checkpoint to resume from ({first}); train into another folder"
        ) from None
