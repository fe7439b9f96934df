"""Attention over bins as one differentiable operation on the CPU."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from acoustic_sense_plugins.bgm2pose import attention_loops


class FusedAttention(torch.autograd.Function):
    """`dropout(softmax(query key^T / sqrt(width))) value` in float32, without stored scores.

    Takes and returns `item bin head width`; the result has the query's precision. What dropout
    takes away is decided by a hash of `seed`, so the backward pass finds it again.
    """

    @staticmethod
    def forward(
        ctx: Any,
        query: Float[Tensor, "item bin head width"],
        key: Float[Tensor, "item bin head width"],
        value: Float[Tensor, "item bin head width"],
        dropout: float,
        seed: int,
    ) -> Float[Tensor, "item bin head width"]:
        """Return the attended values."""
        items, bins, heads, width = query.shape
        inputs = [x.detach().float().contiguous() for x in (query, key, value)]
        output = torch.empty(query.shape, dtype=torch.float32)
        log_sum = torch.empty(items, heads, bins, dtype=torch.float32)
        ctx.settings = (
            np.float32(1 / (math.sqrt(width) * math.log(2.0))),  # scores in powers of two
            np.uint32(seed),
            np.uint32(round(dropout * 2**32)),
            np.float32(1 / (1 - dropout)),
        )
        ctx.save_for_backward(*inputs, output, log_sum)
        _for_all_items(attention_loops.forward, [*inputs, output, log_sum], ctx.settings)
        return output.to(query.dtype)

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, slope: Float[Tensor, "item bin head width"]
    ) -> tuple[Tensor, Tensor, Tensor, None, None]:
        """Return the gradients of query, key and value."""
        saved = ctx.saved_tensors
        slopes = [torch.empty_like(saved[0]) for _ in range(3)]
        arrays = [*saved, slope.float().contiguous(), *slopes]
        _for_all_items(attention_loops.backward, arrays, ctx.settings)
        query, key, value = (x.to(slope.dtype) for x in slopes)
        return query, key, value, None, None


def _for_all_items(
    loop: Callable[..., None], tensors: list[Tensor], settings: tuple[np.generic, ...]
) -> None:
    """Run a compiled loop over all items, split between as many threads as torch uses."""
    arrays = [tensor.numpy() for tensor in tensors]
    count = len(arrays[0])
    threads = min(torch.get_num_threads(), count)
    if threads <= 1:
        loop(*arrays, 0, count, *settings)
        return
    edges = [count * i // threads for i in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        parts = [
            pool.submit(loop, *arrays, edges[i], edges[i + 1], *settings) for i in range(threads)
        ]
        for part in parts:
            part.result()
