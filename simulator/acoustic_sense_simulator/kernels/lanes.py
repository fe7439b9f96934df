"""Rows of numbers: the innermost steps of the scattering sum as vector instructions.

The compiler does not find these by itself: it cannot know that the rows of a histogram do not
overlap. Each function is one statement of the algorithm on rows of float32. How many numbers a row
has is the length of the tuple `lanes`, so that it is known when a function is compiled.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

_FLOAT, _INDEX, _NUMBER = ir.FloatType(), ir.IntType(64), ir.IntType(32)


class _Rows:
    """Emits vector code into a function under construction."""

    def __init__(self, context: Any, builder: Any, lanes: int) -> None:
        self.context, self.builder, self.lanes = context, builder, lanes
        self._row = ir.VectorType(_FLOAT, lanes)
        self._undefined = ir.Constant(self._row, ir.Undefined)
        signature = ir.FunctionType(self._row, [self._row] * 3)
        self._fma = get_or_insert_function(builder.module, signature, f"llvm.fma.v{lanes}f32")

    def start(self, kind: Any, array: Any) -> Any:
        """Return the address of an array's first number."""
        data = make_array(kind)(self.context, self.builder, array).data
        return self.builder.bitcast(data, _FLOAT.as_pointer())

    def at(self, start: Any, row: Any, rows_apart: int = 1, further: int = 0) -> Any:
        """Return the address of row `row * rows_apart + further`."""
        place = self.builder.mul(row, _INDEX(rows_apart * self.lanes))
        place = self.builder.add(place, _INDEX(further * self.lanes))
        return self.builder.bitcast(self.builder.gep(start, [place]), self._row.as_pointer())

    def load(self, address: Any) -> Any:
        value = self.builder.load(address)
        value.align = 4
        return value

    def store(self, value: Any, address: Any) -> None:
        self.builder.store(value, address).align = 4

    def _shuffled(self, row: Any, order: list[int]) -> Any:
        kind = ir.VectorType(_NUMBER, self.lanes)
        return self.builder.shuffle_vector(row, self._undefined, ir.Constant(kind, order))

    def spread(self, number: Any) -> Any:
        """Return a row of copies of a number."""
        one = self.builder.insert_element(self._undefined, number, _NUMBER(0))
        return self._shuffled(one, [0] * self.lanes)

    def zero(self) -> Any:
        return ir.Constant(self._row, [0.0] * self.lanes)

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        """Return `a b + c`, rounded once."""
        return self.builder.call(self._fma, [a, b, c])

    def total(self, row: Any) -> Any:
        """Return the sum of a row's numbers."""
        step = self.lanes
        while step > 1:
            step //= 2
            order = [(lane + step) % self.lanes for lane in range(self.lanes)]
            row = self.builder.fadd(row, self._shuffled(row, order))
        return self.builder.extract_element(row, _NUMBER(0))


_NUMBERS = (types.float32,) * 3


def _shares(builder: Any, beyond: Any) -> tuple[Any, Any, Any]:
    """Return the quadratic B-spline around a place: (1/2 - d)^2 / 2, 3/4 - d^2, (1/2 + d)^2 / 2."""
    half = ir.Constant(_FLOAT, 0.5)
    below, above = builder.fsub(half, beyond), builder.fadd(half, beyond)
    first, last = (builder.fmul(half, builder.fmul(x, x)) for x in (below, above))
    middle = builder.fsub(ir.Constant(_FLOAT, 0.75), builder.fmul(beyond, beyond))
    return first, middle, last


@intrinsic
def add_box(
    _: Any,
    lanes: Any,
    histogram: Any,
    start: Any,
    start_beyond: Any,
    stop: Any,
    stop_beyond: Any,
    table: Any,
    entry: Any,
    entry_share: Any,
    along: Any,
    steady: Any,
    soft: Any,
) -> Any:
    """Add the two edges of a cell's box to a histogram of one row of weights a sample.

    The weights `w = along C + steady D + soft B` are read between two entries of the table, each
    of which holds C, D and B. The histogram gets `+w` around `start` and `-w` around `stop`, each
    shared between three samples by the quadratic B-spline; `beyond` is how far past the middle one
    it lies, from -0.5 to 0.5.
    """
    signature = types.void(
        lanes, histogram, types.intp, types.float32, types.intp, types.float32,
        table, types.intp, types.float32, *_NUMBERS,
    )  # fmt: skip

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = _Rows(context, builder, len(lanes))
        target = rows.start(signature.args[1], arguments[1])
        source = rows.start(signature.args[6], arguments[6])
        share = rows.spread(arguments[8])
        weight = None
        for part, factor in enumerate(arguments[9:12]):
            low = rows.load(rows.at(source, arguments[7], 3, part))
            high = rows.load(rows.at(source, arguments[7], 3, part + 3))
            value = rows.fma(share, builder.fsub(high, low), low)
            factor = rows.spread(factor)
            weight = (
                builder.fmul(value, factor) if weight is None else rows.fma(value, factor, weight)
            )
        for row, beyond, sign in ((2, 3, 1), (4, 5, -1)):
            edge = weight if sign > 0 else builder.fneg(weight)
            for step, part in enumerate(_shares(builder, arguments[beyond])):
                address = rows.at(target, arguments[row], 1, step - 1)
                rows.store(rows.fma(edge, rows.spread(part), rows.load(address)), address)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def move_row(
    _: Any, lanes: Any, histogram: Any, row: Any, local: Any, local_row: Any, x: Any, y: Any, z: Any
) -> Any:
    """Add a row of weights to the four channels `1, x, y, z` of a histogram, and clear it."""
    signature = types.void(lanes, histogram, types.intp, local, types.intp, *_NUMBERS)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = _Rows(context, builder, len(lanes))
        target = rows.start(signature.args[1], arguments[1])
        source = rows.at(rows.start(signature.args[3], arguments[3]), arguments[4])
        weight = rows.load(source)
        rows.store(rows.zero(), source)
        address = rows.at(target, arguments[2], 4)
        rows.store(builder.fadd(rows.load(address), weight), address)
        for channel, gain in enumerate(arguments[5:], start=1):
            address = rows.at(target, arguments[2], 4, channel)
            rows.store(rows.fma(weight, rows.spread(gain), rows.load(address)), address)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def ring_row(
    _: Any,
    lanes: Any,
    few: Any,
    state: Any,
    channel: Any,
    keep: Any,
    direct: Any,
    mix: Any,
    others: Any,
    place: Any,
) -> Any:
    """Let the recursions of a channel go on by one sample, and return their sum.

    `state = keep state + direct + mix^T others`, with row `place` of `direct` (of `lanes` numbers)
    and of `others` (of `few` numbers); both rows are cleared.
    """
    signature = types.float32(
        lanes, few, state, types.intp, keep, direct, mix, others, types.intp
    )  # fmt: skip

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows, short = _Rows(context, builder, len(lanes)), _Rows(context, builder, len(few))
        start = {i: rows.start(signature.args[i], arguments[i]) for i in (2, 4, 5, 6, 7)}
        address = rows.at(start[2], arguments[3])
        held = rows.load(rows.at(start[4], _INDEX(0)))
        given = rows.at(start[5], arguments[8])
        sums = [rows.fma(held, rows.load(address), rows.load(given)), *([rows.zero()] * 3)]
        source = short.at(start[7], arguments[8])
        numbers = short.load(source)
        for lane in range(len(few)):  # apart, so that none waits for another
            number = rows.spread(builder.extract_element(numbers, _NUMBER(lane)))
            column = rows.load(rows.at(start[6], _INDEX(lane)))
            which = 1 + lane % 3
            sums[which] = rows.fma(number, column, sums[which])
        value = builder.fadd(builder.fadd(*sums[:2]), builder.fadd(*sums[2:]))
        rows.store(value, address)
        rows.store(rows.zero(), given)
        short.store(short.zero(), source)
        return rows.total(value)

    return signature, generate
