"""The compiled attention loops against torch's attention and against their definition."""

import pytest
import torch
from acoustic_sense_plugins.bgm2pose.fused_attention import FusedAttention
from acoustic_sense_plugins.bgm2pose.kernel import attend
from acoustic_sense_plugins.bgm2pose.narrow_attention import attend_narrowly
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention


def inputs(items: int = 3, bins: int = 128, heads: int = 2, width: int = 4, scale: float = 1.0):
    generator = torch.Generator().manual_seed(width)
    drawn = scale * torch.randn(3, items, bins, heads, width, generator=generator)
    return [x.clone().requires_grad_() for x in drawn]


def results(attended: Tensor, tensors: list[Tensor]) -> list[Tensor]:
    slope = torch.randn(attended.shape, generator=torch.Generator().manual_seed(1))
    gradients = torch.autograd.grad((attended.float() * slope).sum(), tensors)
    return [attended.detach(), *gradients]


def torchs_own(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    q, k, v = (x.transpose(1, 2) for x in (query, key, value))
    return scaled_dot_product_attention(q, k, v).transpose(1, 2)


@pytest.mark.parametrize(("bins", "width"), [(128, 4), (128, 16), (40, 3), (8, 1)])
@pytest.mark.parametrize("scale", [0.1, 1.0, 5.0])
def test_values_and_gradients_equal_torchs(bins, width, scale):
    tensors = inputs(bins=bins, width=width, scale=scale)
    found = results(FusedAttention.apply(*tensors, 0.0, 0), tensors)
    for ours, theirs in zip(found, results(torchs_own(*tensors), tensors), strict=True):
        size = float(theirs.abs().max())
        torch.testing.assert_close(ours, theirs, atol=1e-5 * size + 2e-6 * scale**2, rtol=0)


def test_huge_scores_pick_one_bin_and_stay_finite():
    tensors = inputs(scale=100.0)
    found = results(FusedAttention.apply(*tensors, 0.0, 0), tensors)
    torch.testing.assert_close(found[0], torchs_own(*tensors), atol=1e-2, rtol=1e-3)
    assert all(torch.isfinite(x).all() for x in found)


def test_dropout_takes_its_share_and_keeps_the_definition():
    query, key, _ = inputs(items=4, bins=64, heads=2, width=64)
    value = torch.eye(64)[None, :, None].repeat(4, 1, 2, 1).requires_grad_()
    attended = FusedAttention.apply(query, key, value, 0.25, 7)
    dropped = attended.detach().transpose(1, 2)  # values are unit vectors: these are the weights
    scores = torch.einsum("nihw,njhw->nhij", query, key) / 8
    kept = (dropped != 0).float() / 0.75
    weights = scores.softmax(dim=-1) * kept
    torch.testing.assert_close(dropped, weights.detach(), atol=1e-6, rtol=1e-4)
    assert abs(float((kept == 0).float().mean()) - 0.25) < 0.01
    spread = (kept == 0).float().mean(dim=-1).std()  # independent draws: sqrt(.25 * .75 / 64)
    assert float(spread) == pytest.approx(0.054, rel=0.15)
    expected = torch.einsum("nhij,njhw->nihw", weights, value)
    tensors = [query, key, value]
    for ours, literal in zip(results(attended, tensors), results(expected, tensors), strict=True):
        torch.testing.assert_close(ours, literal, atol=1e-5, rtol=1e-4)


def test_other_seeds_drop_other_weights():
    tensors = inputs()
    first, again, other = (FusedAttention.apply(*tensors, 0.5, seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_threads_change_nothing():
    tensors = inputs(items=5)
    alone = results(FusedAttention.apply(*tensors, 0.1, 3), tensors)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        shared = results(FusedAttention.apply(*tensors, 0.1, 3), tensors)
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(x, y) for x, y in zip(alone, shared, strict=True))


def test_training_and_inference_agree():
    tensors = [x.detach()[None].requires_grad_() for x in inputs()]
    training = attend(*tensors, 0.0)
    assert "FusedAttention" in type(training.grad_fn.next_functions[0][0]).__name__
    with torch.no_grad():
        torch.testing.assert_close(attend(*tensors, 0.0), training, atol=1e-5, rtol=1e-5)


def test_double_precision_is_kept():
    tensors = [x.detach()[None].double().requires_grad_() for x in inputs(1, 8, 1, 2)]
    assert attend(*tensors, 0.0).dtype == torch.float64
    assert torch.autograd.gradcheck(lambda *x: attend(*x, 0.0), tensors)


def test_half_precision_comes_back_as_it_went_in():
    tensors = inputs()
    rough = [x.detach().bfloat16().requires_grad_() for x in tensors]
    attended, *gradients = results(FusedAttention.apply(*rough, 0.0, 0), rough)
    assert {x.dtype for x in (attended, *gradients)} == {torch.bfloat16}
    torch.testing.assert_close(attended.float(), torchs_own(*tensors), atol=0.05, rtol=0.05)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("bins", [2, 40, 128])
@pytest.mark.parametrize("scale", [0.1, 1.0, 5.0])
def test_narrow_heads_equal_their_definition_in_double_precision(width, bins, scale):
    tensors = [x.detach() for x in inputs(bins=bins, width=width, scale=scale)]
    query, key, value = (x.double() for x in tensors)
    scores = torch.einsum("nihw,njhw->nhij", query, key) / width**0.5
    expected = torch.einsum("nhij,njhw->nihw", scores.softmax(dim=-1), value)
    found = attend_narrowly(*tensors)
    assert found.dtype == torch.float32
    size = float(expected.abs().max())
    torch.testing.assert_close(
        found.double(), expected, atol=5e-6 * size * max(scale**2, 0.1), rtol=1e-5
    )


def test_narrow_heads_keep_huge_scores_finite_and_half_precision():
    tensors = [x.detach() for x in inputs(scale=100.0)]
    found = attend_narrowly(*tensors)
    assert torch.isfinite(found).all()
    torch.testing.assert_close(found, torchs_own(*tensors), atol=1e-2, rtol=1e-3)
    assert attend_narrowly(*(x.bfloat16() for x in tensors)).dtype == torch.bfloat16


def test_odd_numbers_of_bins_are_left_to_torch():
    tensors = [x.detach()[None] for x in inputs(bins=7)]
    expected = torchs_own(*(x[0] for x in tensors))
    torch.testing.assert_close(attend(*tensors, 0.0)[0], expected)


def test_threads_change_nothing_in_prediction():
    tensors = [x.detach() for x in inputs(items=5)]
    alone = attend_narrowly(*tensors)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert torch.equal(attend_narrowly(*tensors), alone)
    finally:
        torch.set_num_threads(threads)
