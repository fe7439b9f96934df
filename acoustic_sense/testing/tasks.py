"""Contract check of tasks."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from acoustic_sense.constants import CLIP_FRAMES
from acoustic_sense.contracts.task import Task
from acoustic_sense.testing.batches import CLIPS, clip_batch
from acoustic_sense.testing.building import class_and_config, guarded, torch_seed
from acoustic_sense.testing.contract_error import require
from acoustic_sense.testing.tensors import (
    check_equal,
    check_parameter_gradients,
    check_tensor,
    reaches,
)

LATENT_DIM = 16


def check_task(task: type[Task] | Task, settings: Mapping[str, Any] | None = None) -> None:
    """Check that a task keeps its contract.

    Shapes of target and prediction; after `initialise` the prediction of latents that say nothing
    (zeros) is the mean target; the loss is a dictionary of finite scalars, lower for the target
    itself than for a wrong prediction; gradients reach the latents and every parameter; a batch
    equals a loop; metrics can be written as JSON; the configuration survives being written down.

    Args:
        task: The class, or an instance whose configuration is used.
        settings: Settings for a class that cannot do without.

    Raises:
        ContractError: The first promise that is not kept.
    """
    cls, config = class_and_config(task, settings, Task)
    where = cls.__name__
    with torch_seed(0):
        built: Task = guarded(where, "its constructor", lambda: cls(config, LATENT_DIM))
    width = getattr(built, "target_dim", None)
    require(isinstance(width, int) and width > 0, where, f"target_dim is {width!r}")
    target: Tensor = guarded(where, "target", lambda: built.target(clip_batch()))
    check_tensor(target, (CLIPS, CLIP_FRAMES, built.target_dim), where, "the target")
    _check_initialise(built, target.mean(dim=0), where)
    latents = torch.randn(CLIPS, CLIP_FRAMES, LATENT_DIM, generator=_generator(1))
    _check_evaluation(built, latents, where)
    _check_gradients(built, latents, target, where)
    _check_loss(built, target, where)
    _check_metrics(built, target, where)


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _predict(task: Task, latents: Tensor, where: str) -> Tensor:
    prediction: Tensor = guarded(where, "forward", lambda: task(latents))
    shape = (len(latents), CLIP_FRAMES, task.target_dim)
    check_tensor(prediction, shape, where, "the prediction")
    return prediction


def _check_initialise(task: Task, mean_target: Tensor, where: str) -> None:
    guarded(where, "initialise", lambda: task.initialise(mean_target))
    prediction = _predict(task.eval(), torch.zeros(1, CLIP_FRAMES, LATENT_DIM), where)[0]
    typical = mean_target.mean(dim=0, keepdim=True)
    spread = float((mean_target - typical).abs().max())
    error = float((prediction - mean_target).detach().abs().max())
    require(
        error <= spread + 1e-3,
        where,
        "after initialise, the prediction of latents that are zero is not the mean target "
        f"(largest difference {error:.3g})",
    )


def _check_evaluation(task: Task, latents: Tensor, where: str) -> None:
    whole = _predict(task.eval(), latents, where)
    looped = torch.cat([_predict(task, latents[i : i + 1], where) for i in range(len(latents))])
    problem = "in evaluation a batch does not equal a loop over its items"
    check_equal(whole, looped, where, problem)


def _terms(task: Task, prediction: Tensor, target: Tensor, where: str) -> dict[str, Tensor]:
    terms = guarded(where, "loss", lambda: task.loss(prediction, target))
    require(
        isinstance(terms, dict) and len(terms) > 0 and all(isinstance(name, str) for name in terms),
        where,
        f"loss returned {type(terms).__name__}, not a dictionary of named terms",
    )
    for name, value in terms.items():
        check_tensor(value, (), where, f"the loss term '{name}'")
    return terms


def _check_gradients(task: Task, latents: Tensor, target: Tensor, where: str) -> None:
    leaf = latents.clone().requires_grad_()
    with torch_seed(5):
        prediction = _predict(task.train(), leaf, where)
    total = torch.stack(list(_terms(task, prediction, target, where).values())).sum()
    require(total.requires_grad, where, "no gradient flows back from the loss")
    guarded(where, "backward", total.backward)
    require(reaches(leaf), where, "no finite, non-zero gradient reaches the latents")
    check_parameter_gradients(task, where)


def _check_loss(task: Task, target: Tensor, where: str) -> None:
    wrong = target + torch.randn(target.shape, generator=_generator(2))
    totals = [
        float(torch.stack(list(_terms(task, guess, target, where).values())).sum())
        for guess in (target, wrong)
    ]
    require(
        totals[0] < totals[1],
        where,
        f"the loss of the target itself ({totals[0]:.4g}) is not below that of a wrong prediction "
        f"({totals[1]:.4g})",
    )


def _check_metrics(task: Task, target: Tensor, where: str) -> None:
    wrong = target + 0.1 * torch.randn(target.shape, generator=_generator(3))
    for guess in (target, wrong):
        details = guarded(where, "detailed_metrics", partial(task.detailed_metrics, guess, target))
        require(
            isinstance(details, dict),
            where,
            f"detailed_metrics returned {type(details).__name__}, not a dictionary",
        )
        guarded(where, "json.dumps of its detailed metrics", partial(json.dumps, details))
        metrics = guarded(where, "metrics", partial(task.metrics, guess, target))
        require(
            isinstance(metrics, dict) and len(metrics) > 0,
            where,
            f"metrics returned {type(metrics).__name__}, not a dictionary of named values",
        )
        guarded(where, "json.dumps of its metrics", partial(json.dumps, metrics))
