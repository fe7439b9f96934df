"""Attention over bins without gradient, for heads of at most four channels, compiled.

Here the questions lie side by side in a vector and keys pass by, two at a time: no sum runs along a
vector, no score is ever stored. Of `attention_loops` this is the half that predicts, at twice the
speed.
"""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from acoustic_sense_plugins.bgm2pose.attention_loops import _compiled, power_of_part
from acoustic_sense_plugins.bgm2pose.fused_attention import _for_all_items
from acoustic_sense_plugins.bgm2pose.kernel import NARROW


def attend_narrowly(
    query: Float[Tensor, "item bin head width"],
    key: Float[Tensor, "item bin head width"],
    value: Float[Tensor, "item bin head width"],
) -> Float[Tensor, "item bin head width"]:
    """Return `softmax(query key^T / sqrt(width)) value` in the query's precision.

    Args:
        query: At most `NARROW` channels a head, fewer are filled up with zeros; an even number of
            bins.
        key: As the query.
        value: As the query.
    """
    width = query.shape[-1]
    fill = (0, NARROW - width)
    inputs = [
        torch.nn.functional.pad(x.detach().float(), fill).contiguous() for x in (query, key, value)
    ]
    output = torch.empty(inputs[0].shape, dtype=torch.float32)
    scale = np.float32(1 / (math.sqrt(width) * math.log(2.0)))  # scores in powers of two
    _for_all_items(_forward, [*inputs, output], (scale,))
    return output[..., :width].to(query.dtype)


def _exp2_of(number):  # type: ignore[no-untyped-def]
    """Return 2 to the power of a number that is not above 0; relative error 2e-7."""
    exponent = max(number, np.float32(-126.0))
    whole = np.floor(exponent)
    power = np.int32((np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)
    return power_of_part(exponent - whole) * power


_exp2 = _compiled(_exp2_of)


def _four_of(array, row):  # type: ignore[no-untyped-def]
    return array[row, 0], array[row, 1], array[row, 2], array[row, 3]


_four = _compiled(_four_of)


def _scores_stay_small(q0, q1, q2, q3, keys, questions, answers):  # type: ignore[no-untyped-def]
    """Return whether no score can reach 60 either way, by the lengths of questions and keys."""
    for i in range(len(q0)):
        questions[i] = q0[i] * q0[i] + q1[i] * q1[i] + q2[i] * q2[i] + q3[i] * q3[i]
    for j in range(len(keys)):
        k0, k1, k2, k3 = _four(keys, j)
        answers[j] = k0 * k0 + k1 * k1 + k2 * k2 + k3 * k3
    question, answer = np.float32(0.0), np.float32(0.0)
    for j in range(len(keys)):
        question, answer = max(question, questions[j]), max(answer, answers[j])
    return question * answer < np.float32(3600.0)


_stay_small = _compiled(_scores_stay_small)


def _raise_to_scores(largest, q0, q1, q2, q3, keys, j):  # type: ignore[no-untyped-def]
    """Raise `largest` to the scores of keys `j` and `j + 1`, for every question."""
    a0, a1, a2, a3 = _four(keys, j)
    b0, b1, b2, b3 = _four(keys, j + 1)
    for i in range(len(largest)):
        first = q0[i] * a0 + q1[i] * a1 + q2[i] * a2 + q3[i] * a3
        second = q0[i] * b0 + q1[i] * b1 + q2[i] * b2 + q3[i] * b3
        largest[i] = max(largest[i], max(first, second))


_raise = _compiled(_raise_to_scores)


def _add_two_values(  # type: ignore[no-untyped-def]
    total, m0, m1, m2, m3, largest, q0, q1, q2, q3, keys, values, j
):
    """Add weights of keys `j` and `j + 1` to `total`, and their weighted values to the mixtures."""
    a0, a1, a2, a3 = _four(keys, j)
    b0, b1, b2, b3 = _four(keys, j + 1)
    c0, c1, c2, c3 = _four(values, j)
    d0, d1, d2, d3 = _four(values, j + 1)
    for i in range(len(largest)):
        x0, x1, x2, x3 = q0[i], q1[i], q2[i], q3[i]
        first = _exp2(x0 * a0 + x1 * a1 + x2 * a2 + x3 * a3 - largest[i])
        second = _exp2(x0 * b0 + x1 * b1 + x2 * b2 + x3 * b3 - largest[i])
        total[i] += first + second
        m0[i] += first * c0 + second * d0
        m1[i] += first * c1 + second * d1
        m2[i] += first * c2 + second * d2
        m3[i] += first * c3 + second * d3


_add_two = _compiled(_add_two_values)


def _fill_output(query, key, value, output, first, last, scale):  # type: ignore[no-untyped-def]
    """Fill `output` of items `first` to `last`; arrays are `item bin head 4`."""
    bins, heads = query.shape[1:3]
    q0, q1 = np.empty(bins, np.float32), np.empty(bins, np.float32)  # as rows of one array these
    q2, q3 = np.empty(bins, np.float32), np.empty(bins, np.float32)  # run at half speed
    m0, m1 = np.empty(bins, np.float32), np.empty(bins, np.float32)
    m2, m3 = np.empty(bins, np.float32), np.empty(bins, np.float32)
    largest, total = np.empty(bins, np.float32), np.empty(bins, np.float32)
    for item in range(first, last):
        for head in range(heads):
            keys, values = key[item, :, head], value[item, :, head]
            for i in range(bins):
                q0[i] = query[item, i, head, 0] * scale
                q1[i] = query[item, i, head, 1] * scale
                q2[i] = query[item, i, head, 2] * scale
                q3[i] = query[item, i, head, 3] * scale
                m0[i] = m1[i] = m2[i] = m3[i] = total[i] = np.float32(0.0)
            if _stay_small(q0, q1, q2, q3, keys, largest, m0):
                largest[:] = np.float32(0.0)
            else:
                largest[:] = np.float32(-3e38)
                for j in range(0, bins, 2):
                    _raise(largest, q0, q1, q2, q3, keys, j)
            m0[:] = np.float32(0.0)
            for j in range(0, bins, 2):
                _add_two(total, m0, m1, m2, m3, largest, q0, q1, q2, q3, keys, values, j)
            for i in range(bins):
                output[item, i, head, 0] = m0[i] / total[i]
                output[item, i, head, 1] = m1[i] / total[i]
                output[item, i, head, 2] = m2[i] / total[i]
                output[item, i, head, 3] = m3[i] / total[i]


_forward = _compiled(_fill_output)
