"""Attention over bins with frames and heads as batch."""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention


def attend(
    query: Float[Tensor, "batch frame bin head width"],
    key: Float[Tensor, "batch frame bin head width"],
    value: Float[Tensor, "batch frame bin head width"],
    dropout: float,
) -> Float[Tensor, "batch frame bin head width"]:
    """Return `softmax(query key^T / sqrt(width)) value` over bins, for each frame and head."""
    q, k, v = (x.flatten(0, 1).transpose(1, 2) for x in (query, key, value))
    attended = scaled_dot_product_attention(q, k, v, dropout_p=dropout)
    return attended.transpose(1, 2).reshape(query.shape)
