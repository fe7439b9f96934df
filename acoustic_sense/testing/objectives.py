"""Contract check of objectives."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_args

import torch
from torch import Tensor

from acoustic_sense.contracts.encoder import EncoderOutput
from acoustic_sense.contracts.objective import BatchSampling, Objective
from acoustic_sense.testing.batches import LinearEncoder, clip_batch
from acoustic_sense.testing.building import class_and_config, guarded, torch_seed
from acoustic_sense.testing.contract_error import require
from acoustic_sense.testing.tensors import check_parameter_gradients, check_tensor, reaches

SUBJECTS = 3


def check_objective(
    objective: type[Objective] | Objective, settings: Mapping[str, Any] | None = None
) -> None:
    """Check that an objective keeps its contract.

    A known batch sampling; a finite scalar loss for encoders of different widths; the same torch
    seed gives the same loss; the batch stays unchanged; a gradient reaches the encoder's output, or
    the prediction where it reads one, and every parameter of the objective; the configuration
    survives being written down.

    Args:
        objective: The class, or an instance whose configuration is used.
        settings: Settings for a class that cannot do without.

    Raises:
        ContractError: The first promise that is not kept.
    """
    cls, config = class_and_config(objective, settings, Objective)
    where = cls.__name__
    require(
        cls.batch_sampling in get_args(BatchSampling),
        where,
        f"batch_sampling is {cls.batch_sampling!r}, not one of {get_args(BatchSampling)}",
    )
    for widths in ((16, 12, 10), (24, 24, 24)):
        losses = [_loss(cls, config, widths, where) for _ in range(2)]
        require(
            torch.equal(losses[0], losses[1]),
            where,
            "the same torch seed gave different losses; draw everything random from torch",
        )


def _loss(cls: type[Any], config: Any, widths: tuple[int, int, int], where: str) -> Tensor:
    """Run one training step with seeded weights and return the loss."""
    batch = clip_batch()
    before = {field.name: getattr(batch, field.name).clone() for field in fields(batch)}
    target = batch.joints.flatten(2)
    with torch_seed(0):
        encoder = LinearEncoder(*widths)
        built: Objective = guarded(
            where, "its constructor", lambda: cls(config, encoder, SUBJECTS)
        ).train()
        output = _leaves(encoder(batch.features))
        read = _prediction(target) if cls.reads_prediction else {}
        loss: Tensor = guarded(where, "forward", lambda: built(output, batch, target, **read))
    check_tensor(loss, (), where, "the loss")
    for name, value in before.items():
        require(torch.equal(value, getattr(batch, name)), where, f"forward changes batch.{name}")
    require(loss.requires_grad, where, "no gradient flows back from the loss")
    guarded(where, "backward", loss.backward)
    given = (output.latents, output.local_latents, output.summary, *read.values())
    require(
        any(reaches(tensor) for tensor in given),
        where,
        "no finite, non-zero gradient reaches the encoder's output"
        + (" or the prediction" if read else ""),
    )
    check_parameter_gradients(built, where)
    return loss.detach()


def _prediction(target: Tensor) -> dict[str, Tensor]:
    """Return a prediction that is somewhat wrong, as the argument that an objective reads."""
    return {"prediction": (target + 0.1 * torch.randn(target.shape)).requires_grad_()}


def _leaves(output: EncoderOutput) -> EncoderOutput:
    """Cut the output from the encoder, so that gradients stop and can be read there."""
    return EncoderOutput(
        *(
            tensor.detach().requires_grad_()
            for tensor in (output.latents, output.local_latents, output.summary)
        )
    )
