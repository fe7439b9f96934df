"""The mean of the weights after the last epochs, with batch-norm statistics that belong to it."""

from collections import deque
from collections.abc import Collection, Iterable

import torch
from torch import Tensor, nn

from acoustic_sense.contracts import ClipBatch
from acoustic_sense.inference.model import SensingModel

MAX_BATCHES = 100
"""Batches that batch-norm statistics are measured on."""

State = dict[str, Tensor]


class WeightAverage:
    """Keeps the weights after the last epochs and gives their mean.

    Attributes:
        states: The weights kept, oldest first, on the CPU.
    """

    def __init__(self, epochs: int, states: Iterable[State] = ()) -> None:
        self.states: deque[State] = deque(states, maxlen=epochs)

    def add(self, module: nn.Module) -> None:
        """Keep a copy of the module's weights and forget the oldest where there are too many."""
        self.states.append({k: v.detach().cpu().clone() for k, v in module.state_dict().items()})

    def mean(self) -> State:
        """Return the mean of the kept weights; whole numbers are those of the last epoch."""
        last = self.states[-1]
        return {
            name: (
                torch.stack([state[name].double() for state in self.states]).mean(0).to(value.dtype)
                if value.is_floating_point()
                else value.clone()
            )
            for name, value in last.items()
        }


def measure_batch_norm(
    model: SensingModel, batches: Iterable[ClipBatch], held: Collection[nn.Module] = ()
) -> int:
    """Measure batch-norm statistics anew: the mean over batches at the model's present weights.

    Args:
        model: Its batch-norm layers are changed; a model without any is left alone.
        batches: Training batches; at most `MAX_BATCHES` are read.
        held: Layers whose statistics stand still.

    Returns:
        Number of batches read.
    """
    layers = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    layers = [layer for layer in layers if layer.track_running_stats and layer not in held]
    if not layers:
        return 0
    was_training, momenta = model.training, [layer.momentum for layer in layers]
    model.eval()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the mean over all batches
        layer.train()
    count = 0
    with torch.no_grad():
        for batch in batches:
            model.encoder(batch.features.to(model.feature_mean.device))
            count += 1
            if count == MAX_BATCHES:
                break
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    model.train(was_training)
    return count
