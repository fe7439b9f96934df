"""The Lightning module: losses, optimiser, learning rate, and what a checkpoint remembers."""

import math
import time
from collections.abc import Callable
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn

from acoustic_sense.contracts import ClipBatch, Objective
from acoustic_sense.errors import ModelError
from acoustic_sense.inference.model import SensingModel
from acoustic_sense.training.averaging import WeightAverage
from acoustic_sense.training.config import TrainingSettings
from acoustic_sense.training.epochs import EpochClips
from acoustic_sense.training.fine_tuning import FineTuning
from acoustic_sense.training.history import Row
from acoustic_sense.training.progress import OnProgress, TrainProgress

CHECKPOINT_KEY = "acoustic_sense"
OpenEpoch = Callable[[int, int, int], EpochClips]
"""From epoch, rank and number of processes to the batches."""
Watch = Callable[[], Row]
"""Measures the model on the validation takes."""


class TrainingModule(pl.LightningModule):
    """Trains a `SensingModel` and its objectives.

    Attributes:
        model: What is trained and kept.
        objectives: Auxiliary losses by name; trained along and thrown away.
        average: Weights after the last epochs.
        history: One row for each epoch that is done.
        elapsed_s: Seconds of training, those before an interruption included.
    """

    def __init__(
        self,
        model: SensingModel,
        objectives: dict[str, Objective],
        settings: TrainingSettings,
        open_epoch: OpenEpoch,
        *,
        fine_tuning: FineTuning | None = None,
        watch: Watch | None = None,
        on_progress: OnProgress | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.objectives = nn.ModuleDict(objectives)
        self.average = WeightAverage(settings.average_last_epochs)
        self.history: list[Row] = []
        self.elapsed_s = 0.0
        self._settings = settings
        self._open_epoch = open_epoch
        self._fine_tuning = fine_tuning or FineTuning()
        self._watch = watch
        self._on_progress = on_progress
        self._sums: dict[str, Tensor] = {}
        self._steps = 0
        self._rate = settings.learning_rate
        self._batch_count = 1
        self._clock = time.monotonic()

    def train_dataloader(self) -> EpochClips:
        """Return the batches of the present epoch; asked for anew at every epoch."""
        return self._open_epoch(
            self.current_epoch, self.trainer.global_rank, self.trainer.world_size
        )

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the optimiser over model and objectives; one group for each factor of rates."""
        kind = torch.optim.AdamW if self._settings.optimiser == "adamw" else torch.optim.Adam
        groups: dict[float, list[nn.Parameter]] = {}
        for name, parameter in self.named_parameters():
            if parameter.requires_grad:
                factor = self._fine_tuning.rate_factors.get(name.removeprefix("model."), 1.0)
                groups.setdefault(factor, []).append(parameter)
        return kind(
            [{"params": members, "factor": factor} for factor, members in groups.items()],
            lr=self._settings.learning_rate,
            weight_decay=self._settings.weight_decay,
        )

    def transfer_batch_to_device(
        self, batch: ClipBatch, device: torch.device, dataloader_idx: int
    ) -> ClipBatch:
        """Return the batch on the device."""
        return batch.to(device)

    def training_step(self, batch: ClipBatch, batch_idx: int) -> Tensor:
        """Return the sum of all losses of a batch."""
        output = self.model.encoder(batch.features)
        target = self.model.task.target(batch)
        prediction = self.model.task(output.latents)
        losses = dict(self.model.task.loss(prediction, target))
        for name, objective in self.objectives.items():
            also = {"prediction": prediction} if objective.reads_prediction else {}
            losses[name] = objective(output, batch, target, **also)
        losses["loss"] = torch.stack([value.float() for value in losses.values()]).sum()
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + value.detach().double()
        self._steps += 1
        return losses["loss"]

    def learning_rate_at(self, share: float) -> float:
        """Return the learning rate when `share` (0 to 1) of the run is done: a half cosine."""
        first, last = self._settings.learning_rate, self._settings.final_learning_rate
        return last + (first - last) * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))

    def on_train_epoch_start(self) -> None:
        """Seed torch for the epoch, so that dropout does not depend on earlier epochs."""
        torch.manual_seed(self._settings.seed * 1_000_003 + self.current_epoch)
        self._sums = {}
        self._steps = 0
        self._batch_count = max(1, int(self.trainer.num_training_batches))
        self._clock = time.monotonic()

    def on_train_batch_start(self, batch: ClipBatch, batch_idx: int) -> None:
        """Set the learning rate, and keep what is frozen as it is."""
        self._fine_tuning.hold()
        share = (self.current_epoch + batch_idx / self._batch_count) / self._settings.epochs
        self._rate = self.learning_rate_at(max(share, self._spent()))
        for group in self.optimizers().param_groups:  # type: ignore[union-attr]
            group["lr"] = self._rate * group["factor"]

    def on_train_batch_end(self, outputs: Any, batch: ClipBatch, batch_idx: int) -> None:
        """Report, and stop when the time is spent."""
        now = time.monotonic()
        self.elapsed_s += now - self._clock
        self._clock = now
        if self._spent() >= 1:
            self.trainer.should_stop = True
        if self._on_progress is not None:
            self._on_progress(
                TrainProgress(
                    "training",
                    done=self.current_epoch * self._batch_count + batch_idx + 1,
                    total=self._settings.epochs * self._batch_count,
                    epoch=self.current_epoch + 1,
                    epochs=self._settings.epochs,
                    loss=float(self._sums["loss"]) / self._steps,
                )
            )

    def on_train_epoch_end(self) -> None:
        """Write the epoch's row and keep its weights.

        Raises:
            ModelError: The loss is not finite.
        """
        row: Row = {"epoch": self.current_epoch + 1, "learning_rate": self._rate}
        row |= {name: float(total) / self._steps for name, total in self._sums.items()}
        if not math.isfinite(row["loss"]):
            raise ModelError(
                f"the loss of epoch {self.current_epoch + 1} is not finite; lower learning_rate or "
                "set gradient_clip"
            )
        if self._watch is not None:
            row |= {f"validation/{name}": value for name, value in self._watch().items()}
        self.history.append(row)
        self.average.add(self.model)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what Lightning does not know of."""
        checkpoint[CHECKPOINT_KEY] = {
            "history": self.history,
            "average": list(self.average.states),
            "elapsed_s": self.elapsed_s,
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up what `on_save_checkpoint` added."""
        saved = checkpoint[CHECKPOINT_KEY]
        self.history = list(saved["history"])
        self.average = WeightAverage(self._settings.average_last_epochs, saved["average"])
        self.elapsed_s = float(saved["elapsed_s"])

    def _spent(self) -> float:
        """Return the share of the time budget that is spent, 0 without one."""
        minutes = self._settings.time_budget_minutes
        return self.elapsed_s / (60 * minutes) if minutes else 0.0
