"""A machine that follows the instructions of a pickle without running anything that is in it.

A pickle is a program: instructions put values on a stack, keep them in a memo, and call what the
file names. Here `pickletools` only lists the instructions, and this module follows those that build
numbers, text, lists, tuples and dictionaries. Names become inert `Name`s; "calling" one asks a
table of functions of ours, and whatever is not in the table refuses the file. Nothing is imported,
and no constructor of another library is called.
"""

import io
import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final


class RefusedPickle(ValueError):  # noqa: N818 - it is what happens to the file
    """The pickle asks for something that is not allowed; the message says what."""


@dataclass(frozen=True)
class Name:
    """A global name that the pickle mentions, never looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        """Return the dotted name."""
        return f"{self.module}.{self.name}"


class Record:
    """Stand-in for an object of another library: keeps its state, does nothing.

    Attributes:
        name: Class that it stands for.
        state: What the pickle would have set its attributes to.
    """

    def __init__(self, name: Name) -> None:
        self.name = name
        self.state: dict[str, Any] = {}

    def build(self, state: Any) -> "Record":
        """Keep the state; states that are not dictionaries are not needed."""
        if isinstance(state, dict):
            self.state.update(state)
        return self


Call = Callable[[tuple[Any, ...]], Any]
"""What is done instead of calling a name: takes the arguments, returns a value."""

_MARK: Final = object()
_VALUES: Final = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING"),
    *("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
}
_CONSTANTS: Final = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_NOTHING: Final = frozenset(("PROTO", "FRAME"))
_TUPLES: Final = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def followed(data: bytes, calls: Mapping[Name, Call], classes: Callable[[Name], bool]) -> Any:
    """Return the value that a pickle builds.

    Args:
        data: The pickle.
        calls: What to do instead of calling each name that may be called.
        classes: Whether a name is a class whose objects may be kept as a `Record`.

    Raises:
        RefusedPickle: It names or does anything else.
        Exception: It is not a whole pickle; damaged ones raise whatever comes of it.
    """
    machine = _Machine(calls, classes)
    for opcode, argument, _ in pickletools.genops(io.BytesIO(data)):
        machine.follow(opcode.name, argument)
    return machine.result()


class _Machine:
    """Stack and memo."""

    def __init__(self, calls: Mapping[Name, Call], classes: Callable[[Name], bool]) -> None:
        self.calls, self.classes = calls, classes
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def result(self) -> Any:
        if len(self.stack) != 1:
            raise RefusedPickle("it ends with a stack that is not one value")
        return self.stack[0]

    def follow(self, name: str, argument: Any) -> None:
        """Follow one instruction."""
        if name in _VALUES:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _TUPLES:
            count = _TUPLES[name]
            values = tuple(self._pop() for _ in range(count))[::-1]
            self.stack.append(values)
        elif name not in _NOTHING:
            method = getattr(self, f"_do_{name.lower()}", None)
            if method is None:
                raise RefusedPickle(f"it uses the instruction {name}")
            method(argument)

    def _pop(self) -> Any:
        value = self.stack.pop()
        if value is _MARK:
            raise RefusedPickle("its stack is out of order")
        return value

    def _top(self, kind: type) -> Any:
        if not isinstance(self.stack[-1], kind):
            raise RefusedPickle(f"it adds to what is not a {kind.__name__}")
        return self.stack[-1]

    def _since_mark(self) -> list[Any]:
        values: list[Any] = []
        while (value := self.stack.pop()) is not _MARK:
            values.append(value)
        return values[::-1]

    def _do_stop(self, _: Any) -> None:
        pass

    def _do_mark(self, _: Any) -> None:
        self.stack.append(_MARK)

    def _do_pop(self, _: Any) -> None:
        self.stack.pop()

    def _do_pop_mark(self, _: Any) -> None:
        self._since_mark()

    def _do_dup(self, _: Any) -> None:
        value = self._pop()
        self.stack += [value, value]

    def _do_memoize(self, _: Any) -> None:
        self._do_put(len(self.memo))

    def _do_put(self, place: int) -> None:
        value = self._pop()
        self.memo[place] = value
        self.stack.append(value)

    def _do_get(self, place: int) -> None:
        self.stack.append(self.memo[place])

    _do_binput = _do_long_binput = _do_put
    _do_binget = _do_long_binget = _do_get

    def _do_empty_list(self, _: Any) -> None:
        self.stack.append([])

    def _do_empty_dict(self, _: Any) -> None:
        self.stack.append({})

    def _do_list(self, _: Any) -> None:
        self.stack.append(self._since_mark())

    def _do_tuple(self, _: Any) -> None:
        self.stack.append(tuple(self._since_mark()))

    def _do_dict(self, _: Any) -> None:
        values = self._since_mark()
        self.stack.append({})
        self._set_items(values)

    def _do_append(self, _: Any) -> None:
        value = self._pop()
        self._top(list).append(value)

    def _do_appends(self, _: Any) -> None:
        values = self._since_mark()
        self._top(list).extend(values)

    def _do_setitem(self, _: Any) -> None:
        value, key = self._pop(), self._pop()
        self._set_items([key, value])

    def _do_setitems(self, _: Any) -> None:
        self._set_items(self._since_mark())

    def _set_items(self, values: list[Any]) -> None:
        target = self._top(dict)
        for key, value in zip(values[::2], values[1::2], strict=True):
            if type(key) not in (str, int):  # hashing nested tuples may take for ever
                raise RefusedPickle(f"a key of a dictionary is a {type(key).__name__}")
            target[key] = value

    def _do_global(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self._name(module, name)

    def _do_stack_global(self, _: Any) -> None:
        name, module = self._pop(), self._pop()
        if not (isinstance(name, str) and isinstance(module, str)):
            raise RefusedPickle("a name is not text")
        self._name(module, name)

    def _name(self, module: str, name: str) -> None:
        found = Name(module, name)
        if found not in self.calls and not self.classes(found):
            raise RefusedPickle(f"it names {found}")
        self.stack.append(found)

    def _do_reduce(self, _: Any) -> None:
        arguments, name = self._pop(), self._pop()
        if not isinstance(name, Name) or not isinstance(arguments, tuple):
            raise RefusedPickle("it calls what is not a name")
        if name not in self.calls:
            raise RefusedPickle(f"it calls {name}")
        self.stack.append(self.calls[name](arguments))

    def _do_newobj(self, _: Any) -> None:
        arguments, name = self._pop(), self._pop()
        if not isinstance(name, Name) or not self.classes(name) or arguments != ():
            raise RefusedPickle(f"it makes an object of {name if isinstance(name, Name) else '?'}")
        self.stack.append(Record(name))

    def _do_build(self, _: Any) -> None:
        state = self._pop()
        target = self._pop()
        if not isinstance(target, Record):
            raise RefusedPickle(f"it sets the state of a {type(target).__name__}")
        self.stack.append(target.build(state))
