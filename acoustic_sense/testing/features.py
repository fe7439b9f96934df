"""Contract check of features."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from acoustic_sense.constants import AMBISONIC_CHANNELS, SAMPLE_RATE_HZ
from acoustic_sense.contracts.feature import Feature
from acoustic_sense.contracts.feature_stream import FeatureStream
from acoustic_sense.testing.building import class_and_config, guarded, torch_seed
from acoustic_sense.testing.contract_error import require
from acoustic_sense.testing.tensors import check_equal, check_tensor, reaches

FRAMES = 6
PERTURBED_FRAME = 3


def check_feature(
    feature: type[Feature] | Feature,
    settings: Mapping[str, Any] | None = None,
    sample_rate_hz: int = SAMPLE_RATE_HZ,
) -> None:
    """Check that a feature keeps its contract.

    Names and shapes for one and two loudspeakers and for lengths that are no whole number
    of frames; finite values, silence included; a batch equals a loop over its items; the same
    input gives the same output and stays unchanged; a local feature depends on each frame's own
    samples only and passes gradients on; the streaming form gives what the whole take gives; the
    configuration survives being written down.

    Args:
        feature: The class, or an instance whose configuration is used.
        settings: Settings for a class that cannot do without.
        sample_rate_hz: Samples per second of the test signals.

    Raises:
        ContractError: The first promise that is not kept.
    """
    cls, config = class_and_config(feature, settings, Feature)
    where = cls.__name__
    with torch_seed(0):
        built: Feature = guarded(where, "its constructor", lambda: cls(config, sample_rate_hz))
    built.eval()
    _check_names(built, where)
    _check_shapes(built, where)
    recording, playback = _signals(built, batch=3, speakers=2, samples=FRAMES * _length(built))
    whole = _call(built, recording, playback, where)
    _check_determinism(built, recording, playback, whole, where)
    items = [
        _call(built, recording[i : i + 1], playback[i : i + 1], where)
        for i in range(len(recording))
    ]
    check_equal(whole, torch.cat(items), where, "a batch does not equal a loop over its items")
    if built.local:
        _check_locality(built, recording, playback, whole, where)
        _check_gradients(built, recording, playback, where)
    _check_stream(built, recording[0], playback[0], whole[0], where)


def _length(feature: Feature) -> int:
    return feature.frame_samples


def _signals(
    feature: Feature, batch: int, speakers: int, samples: int, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Return noise as recording and playback, shapes `(batch, 4 or speaker, sample)`."""
    generator = torch.Generator().manual_seed(seed)
    recording = 0.1 * torch.randn(batch, len(AMBISONIC_CHANNELS), samples, generator=generator)
    playback = 0.1 * torch.randn(batch, speakers, samples, generator=generator)
    return recording, playback


def _call(feature: Feature, recording: Tensor, playback: Tensor, where: str) -> Tensor:
    result: Tensor = guarded(where, "forward", lambda: feature(recording, playback))
    return result


def _check_names(feature: Feature, where: str) -> None:
    names = feature.channel_names
    require(
        isinstance(names, tuple)
        and len(names) > 0
        and all(isinstance(name, str) and name for name in names),
        where,
        f"channel_names is {names!r}, not a tuple of names",
    )
    require(len(set(names)) == len(names), where, f"channel_names repeats a name: {names}")
    count = feature.bin_count
    require(isinstance(count, int) and count > 0, where, f"bin_count is {count!r}")


def _check_shapes(feature: Feature, where: str) -> None:
    frame = _length(feature)
    for batch, speakers, frames, rest in ((2, 1, FRAMES, 0), (1, 2, 1, 0), (2, 2, 4, frame // 3)):
        signals = _signals(feature, batch, speakers, frames * frame + rest)
        shape = (batch, len(feature.channel_names), frames, feature.bin_count)
        what = f"the feature of {frames * frame + rest} samples and {speakers} loudspeakers"
        check_tensor(_call(feature, *signals, where), shape, where, what)
    recording, playback = map(torch.zeros_like, _signals(feature, 1, 2, 3 * frame))
    shape = (1, len(feature.channel_names), 3, feature.bin_count)
    check_tensor(_call(feature, recording, playback, where), shape, where, "the feature of silence")


def _check_determinism(
    feature: Feature, recording: Tensor, playback: Tensor, first: Tensor, where: str
) -> None:
    copies = recording.clone(), playback.clone()
    with torch_seed(99):
        again = _call(feature, recording.clone(), playback.clone(), where)
        _call(feature, recording, playback, where)
    require(
        torch.equal(copies[0], recording) and torch.equal(copies[1], playback),
        where,
        "forward changes its input in place",
    )
    require(
        torch.equal(first, again), where, "the same input gave different outputs the second time"
    )


def _check_locality(
    feature: Feature, recording: Tensor, playback: Tensor, whole: Tensor, where: str
) -> None:
    frame = _length(feature)
    start = PERTURBED_FRAME * frame
    changed = [recording.clone(), playback.clone()]
    other = _signals(feature, len(recording), playback.shape[1], frame, seed=5)
    for signal, replacement in zip(changed, other, strict=True):
        signal[..., start : start + frame] = replacement
    result = _call(feature, changed[0], changed[1], where)
    others = [i for i in range(FRAMES) if i != PERTURBED_FRAME]
    check_equal(
        result[:, :, others],
        whole[:, :, others],
        where,
        "says it is local, but a change inside one frame changes other frames; "
        "set local = False or keep each frame to its own samples",
    )
    require(
        not torch.equal(result[:, :, PERTURBED_FRAME], whole[:, :, PERTURBED_FRAME]),
        where,
        "does not depend on the samples of a frame",
    )
    cut = slice(2 * frame, 5 * frame)
    check_equal(
        _call(feature, recording[..., cut], playback[..., cut], where),
        whole[:, :, 2:5],
        where,
        "the feature of a cut-out clip does not equal the same frames of the take",
    )


def _check_stream(
    feature: Feature, recording: Tensor, playback: Tensor, whole: Tensor, where: str
) -> None:
    stream: FeatureStream = guarded(where, "stream", feature.stream)
    ahead = FRAMES if stream.look_ahead_frames is None else stream.look_ahead_frames
    sizes = [count * _length(feature) for count in (1, 2, FRAMES - 3)]
    stretches = zip(
        torch.split(recording, sizes, dim=1), torch.split(playback, sizes, dim=1), strict=True
    )
    parts, pushed = [], 0
    with torch.inference_mode():
        for heard, sent in stretches:
            parts.append(guarded(where, "its stream's push", partial(stream.push, heard, sent)))
            pushed += heard.shape[1] // _length(feature)
            given = sum(part.shape[1] for part in parts)
            require(
                given >= pushed - ahead,
                where,
                f"its stream says it looks {ahead} frames ahead, but gave {given} of {pushed}",
            )
        parts.append(guarded(where, "its stream's finish", stream.finish))
    joined = torch.cat(parts, dim=1)
    check_tensor(joined, tuple(whole.shape), where, "what its stream gives in all")
    check_equal(joined, whole, where, "its stream does not give what the whole take gives")


def _check_gradients(feature: Feature, recording: Tensor, playback: Tensor, where: str) -> None:
    inputs = [recording.clone().requires_grad_(), playback.clone().requires_grad_()]
    result = _call(feature, inputs[0], inputs[1], where)
    require(result.requires_grad, where, "no gradient flows from the feature to its input")
    weights = torch.randn(result.shape, generator=torch.Generator().manual_seed(1))
    guarded(where, "backward", (result * weights).sum().backward)
    require(
        any(reaches(signal) for signal in inputs),
        where,
        "no finite, non-zero gradient reaches recording or playback",
    )
