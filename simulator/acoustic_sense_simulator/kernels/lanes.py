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


@intrinsic
def add_box(
    _: Any, lanes: Any, members: Any, histogram: Any, start: Any, stop: Any, table: Any,
    entry: Any, entry_share: Any, boxes: Any, number: Any,
) -> Any:  # fmt: skip
    """Add the two edges of a cell's box to a histogram of one row of weights a sample.

    The weights `w = along C + steady D + soft B` are read between two entries of the table, each
    of which holds C, D and B. Rows `start - 1` to `start + 1` and `stop - 1` to `stop + 1` of the
    histogram get w times their shares. `boxes`: see `accumulate`, with as many columns as
    `members` is long; `number`: the box's column.
    """
    signature = types.void(
        lanes, members, histogram, types.intp, types.intp, table, types.intp, types.float32,
        boxes, types.intp,
    )  # fmt: skip

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = _Rows(context, builder, len(lanes))
        target = rows.start(signature.args[2], arguments[2])
        source = rows.start(signature.args[5], arguments[5])
        column = builder.gep(rows.start(signature.args[8], arguments[8]), [arguments[9]])

        def factor(row: int) -> Any:
            return rows.spread(builder.load(builder.gep(column, [_INDEX(row * len(members))])))

        share, weight = rows.spread(arguments[7]), rows.zero()
        for part in range(3):
            low = rows.load(rows.at(source, arguments[6], 3, part))
            high = rows.load(rows.at(source, arguments[6], 3, part + 3))
            value = rows.fma(share, builder.fsub(high, low), low)
            weight = rows.fma(value, factor(part), weight)
        for edge in range(2):
            for step in range(3):
                address = rows.at(target, arguments[3 + edge], 1, step - 1)
                part = factor(3 + 3 * edge + step)
                rows.store(rows.fma(weight, part, rows.load(address)), address)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def move_rows(
    _: Any, lanes: Any, count: Any, histogram: Any, row: Any, locals_: Any, local_row: Any,
    apart: Any, directions: Any, first: Any,
) -> Any:  # fmt: skip
    """Add a row of weights of several patches to the four channels of a histogram, and clear it.

    `count`: a tuple as long as there are patches; their rows are `apart` rows apart in `locals_`.
    `directions`: gains x, y, z of each patch, three numbers each from number `first` on; the gain
    of the first channel is 1.
    """
    signature = types.void(
        lanes, count, histogram, types.intp, locals_, types.intp, types.intp, directions, types.intp
    )

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = _Rows(context, builder, len(lanes))
        target = rows.start(signature.args[2], arguments[2])
        source = rows.start(signature.args[4], arguments[4])
        gains = rows.start(signature.args[7], arguments[7])
        gains = builder.gep(gains, [builder.mul(arguments[8], _INDEX(3))])
        places = [rows.at(target, arguments[3], 4, channel) for channel in range(4)]
        sums = [rows.load(place) for place in places]
        for patch in range(len(count)):
            number = builder.add(arguments[5], builder.mul(arguments[6], _INDEX(patch)))
            address = rows.at(source, number)
            weight = rows.load(address)
            rows.store(rows.zero(), address)
            sums[0] = builder.fadd(sums[0], weight)
            for channel in range(3):
                gain = builder.load(builder.gep(gains, [_INDEX(3 * patch + channel)]))
                sums[channel + 1] = rows.fma(weight, rows.spread(gain), sums[channel + 1])
        for place, value in zip(places, sums, strict=True):
            rows.store(value, place)
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
    direct_place: Any,
    mix: Any,
    others: Any,
    place: Any,
) -> Any:
    """Let the recursions of a channel go on by one sample, and return their sum.

    `state = keep state + direct + mix^T others`, with row `direct_place` of `direct` (of `lanes`
    numbers) and row `place` of `others` (of `few` numbers); both rows are cleared.
    """
    signature = types.float32(
        lanes, few, state, types.intp, keep, direct, types.intp, mix, others, types.intp
    )

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows, short = _Rows(context, builder, len(lanes)), _Rows(context, builder, len(few))
        start = {i: rows.start(signature.args[i], arguments[i]) for i in (2, 4, 5, 7, 8)}
        address = rows.at(start[2], arguments[3])
        held = rows.load(rows.at(start[4], _INDEX(0)))
        given = rows.at(start[5], arguments[6])
        sums = [rows.fma(held, rows.load(address), rows.load(given)), *([rows.zero()] * 3)]
        source = short.at(start[8], arguments[9])
        numbers = short.load(source)
        for lane in range(len(few)):  # apart, so that none waits for another
            number = rows.spread(builder.extract_element(numbers, _NUMBER(lane)))
            column = rows.load(rows.at(start[7], _INDEX(lane)))
            which = 1 + lane % 3
            sums[which] = rows.fma(number, column, sums[which])
        value = builder.fadd(builder.fadd(*sums[:2]), builder.fadd(*sums[2:]))
        rows.store(value, address)
        rows.store(rows.zero(), given)
        short.store(short.zero(), source)
        return rows.total(value)

    return signature, generate
