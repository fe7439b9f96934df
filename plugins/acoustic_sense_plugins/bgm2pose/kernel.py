"""Attention over bins, by the fastest way for the machine and the moment."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

NARROW = 4
"""Widest head that `narrow_attention` takes: that of 0.25 times the published width."""


def attend(
    query: Float[Tensor, "batch frame bin head width"],
    key: Float[Tensor, "batch frame bin head width"],
    value: Float[Tensor, "batch frame bin head width"],
    dropout: float,
) -> Float[Tensor, "batch frame bin head width"]:
    """Return `dropout(softmax(query key^T / sqrt(width))) value` for each frame and head.

    On the CPU, training and narrow heads take loops compiled by numba, all else (wide heads without
    gradient, export, double precision, other devices) torch's own; all give the same values.
    """
    q, k, v = (x.flatten(0, 1) for x in (query, key, value))
    if _loops_fit(query) and query.requires_grad:
        from acoustic_sense_plugins.bgm2pose.fused_attention import FusedAttention

        seed = int(torch.randint(2**31, ())) if dropout else 0
        attended: Tensor = FusedAttention.apply(q, k, v, dropout, seed)  # type: ignore[no-untyped-call]
    elif _loops_fit(query) and not dropout and query.shape[-1] <= NARROW and not q.shape[1] % 2:
        from acoustic_sense_plugins.bgm2pose.narrow_attention import attend_narrowly

        attended = attend_narrowly(q, k, v)
    else:
        q, k, v = (x.transpose(1, 2) for x in (q, k, v))
        attended = scaled_dot_product_attention(q, k, v, dropout_p=dropout).transpose(1, 2)
    return attended.reshape(query.shape)


def _loops_fit(query: Tensor) -> bool:
    return (
        query.device.type == "cpu"
        and query.dtype != torch.float64
        and not torch.compiler.is_compiling()
    )
