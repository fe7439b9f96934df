"""Contract check of encoders."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from acoustic_sense.constants import CLIP_FRAMES
from acoustic_sense.contracts.encoder import Encoder, EncoderOutput, FeatureShape
from acoustic_sense.plugin_loading import load_plugins
from acoustic_sense.testing.building import class_and_config, guarded, torch_seed
from acoustic_sense.testing.contract_error import require
from acoustic_sense.testing.tensors import (
    check_equal,
    check_parameter_gradients,
    check_tensor,
    reaches,
)

BATCH = 3


def check_encoder(
    encoder: type[Encoder] | Encoder,
    settings: Mapping[str, Any] | None = None,
    feature_shape: FeatureShape | None = None,
) -> None:
    """Check that an encoder keeps its contract.

    Widths and shapes with the context it asks for; in evaluation a batch equals a loop and two
    calls are equal; the same torch seed gives the same weights and the same training step; its
    `state_dict` carries everything; gradients reach the features and every parameter; the
    configuration survives being written down.

    Args:
        encoder: The class, or an instance whose configuration and feature shape are used.
        settings: Settings for a class that cannot do without.
        feature_shape: Input to build it for; that of its `default_feature` if None.

    Raises:
        ContractError: The first promise that is not kept.
    """
    cls, config = class_and_config(encoder, settings, Encoder)
    where = cls.__name__
    if feature_shape is None and isinstance(encoder, Encoder):
        feature_shape = encoder.feature_shape
    shape = feature_shape or guarded(
        where, "default_feature", lambda: _default_feature_shape(cls.default_feature)
    )

    def build(seed: int) -> Encoder:
        with torch_seed(seed):
            built: Encoder = guarded(where, "its constructor", lambda: cls(config, shape))
        return built

    built = build(seed=0).eval()
    _check_widths(built, where)
    features = _features(built, shape)
    output = _call(built, features, where)
    _check_output(output, built, where)
    _check_evaluation(built, features, output, where)
    _check_seeds(build, features, where)
    fresh = build(seed=1).eval()
    guarded(where, "load_state_dict", lambda: fresh.load_state_dict(built.state_dict()))
    check_equal(
        _call(fresh, features, where).latents,
        output.latents,
        where,
        "state_dict does not carry everything: a copy loaded from it gives other latents",
    )
    _check_gradients(build(seed=0).train(), features, where)


def _default_feature_shape(name: str) -> FeatureShape:
    feature = load_plugins().features[name]()
    return FeatureShape(feature.channel_names, feature.bin_count)


def _features(encoder: Encoder, shape: FeatureShape) -> Tensor:
    """Return noise of shape `(batch, channel, context + frame, bin)`."""
    generator = torch.Generator().manual_seed(0)
    frames = encoder.context_frames + CLIP_FRAMES
    size = (BATCH, len(shape.channel_names), frames, shape.bin_count)
    return torch.randn(size, generator=generator)


def _call(encoder: Encoder, features: Tensor, where: str) -> EncoderOutput:
    output = guarded(where, "forward", lambda: encoder(features))
    require(
        isinstance(output, EncoderOutput),
        where,
        f"forward returned {type(output).__name__}, not EncoderOutput",
    )
    assert isinstance(output, EncoderOutput)
    return output


def _check_widths(encoder: Encoder, where: str) -> None:
    for name in ("latent_dim", "local_dim", "summary_dim"):
        width = getattr(encoder, name, None)
        require(
            isinstance(width, int) and width > 0,
            where,
            f"{name} is {width!r}; the constructor must set it to a positive int",
        )
    context = encoder.context_frames
    require(isinstance(context, int) and context >= 0, where, f"context_frames is {context!r}")


def _check_output(output: EncoderOutput, encoder: Encoder, where: str) -> None:
    check_tensor(output.latents, (BATCH, CLIP_FRAMES, encoder.latent_dim), where, "latents")
    check_tensor(
        output.local_latents, (BATCH, CLIP_FRAMES, encoder.local_dim), where, "local_latents"
    )
    check_tensor(output.summary, (BATCH, encoder.summary_dim), where, "summary")


def _check_evaluation(
    encoder: Encoder, features: Tensor, output: EncoderOutput, where: str
) -> None:
    copy = features.clone()
    with torch_seed(99):
        again = _call(encoder, features, where)
    require(torch.equal(copy, features), where, "forward changes the features in place")
    require(
        torch.equal(again.latents, output.latents),
        where,
        "in evaluation the same features gave different latents the second time",
    )
    items = [_call(encoder, features[i : i + 1], where) for i in range(BATCH)]
    problem = "in evaluation a batch does not equal a loop over its items"
    for name in ("latents", "local_latents", "summary"):
        looped = torch.cat([getattr(item, name) for item in items])
        check_equal(looped, getattr(output, name), where, f"{problem}, in {name}")


def _check_seeds(build: Any, features: Tensor, where: str) -> None:
    results = []
    for global_seed in (1, 2):
        with torch_seed(global_seed):
            encoder = build(seed=0).train()
        with torch_seed(5):
            results.append(_call(encoder, features, where).latents)
    require(
        torch.equal(results[0], results[1]),
        where,
        "the same torch seed gave different latents; draw everything random from torch",
    )


def _check_gradients(encoder: Encoder, features: Tensor, where: str) -> None:
    features = features.clone().requires_grad_()
    with torch_seed(5):
        output = _call(encoder, features, where)
    generator = torch.Generator().manual_seed(1)
    total = sum(
        (tensor * torch.randn(tensor.shape, generator=generator)).sum()
        for tensor in (output.latents, output.local_latents, output.summary)
    )
    assert isinstance(total, Tensor)
    require(total.requires_grad, where, "no gradient flows back from its output")
    guarded(where, "backward", total.backward)
    require(reaches(features), where, "no finite, non-zero gradient reaches the features")
    check_parameter_gradients(encoder, where)
