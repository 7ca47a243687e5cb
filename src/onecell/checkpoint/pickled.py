"""Pickles, read as data: nothing is imported, nothing is called.

A pickle is a program for a small stack machine. This is that machine without its dangerous half:
a global is a name and stays one, and a call is a row of `inert.REBUILD`, whose rows make inert
descriptions. A pickle that names any other global is refused on the spot.
"""

# ruff: noqa: ANN401 - the file decides what lies on the stack; a wrong thing is a TypeError.

from __future__ import annotations

import io
import pickletools
from collections.abc import Callable, Sized
from typing import Any, BinaryIO, Final

from onecell.checkpoint.inert import (
    ALLOWED,
    Global,
    Pairs,
    Storage,
    describe_call,
    describe_storage,
)
from onecell.checkpoint.limits import Budget
from onecell.errors import CheckpointError, UnsafeCheckpointError

_LONGEST_INTEGER: Final = 512  # bits; a size, a count, a seed


def read_pickle(
    file: BinaryIO, budget: Budget, storages: dict[str, Storage] | None = None
) -> object:
    """Run one pickle from `file`, up to its end, and return what it describes.

    Args:
        file: where the pickle begins; left where it ends.
        budget: what the descriptions are taken out of.
        storages: takes up every storage that the pickle mentions, by key.

    Returns:
        `Pairs`, lists, tuples, None, bools, numbers, strings, bytes and the classes of `inert`.
        Lists and pairs may contain themselves.

    Raises:
        UnsafeCheckpointError: it asks for a global that is no part of a tensor, by that name.
        CheckpointError: it is damaged.
    """
    machine = _Machine(budget, {} if storages is None else storages)
    try:
        for opcode, argument, _ in pickletools.genops(file):
            machine.run(opcode.name, argument)
    except CheckpointError:
        raise
    # Warning: pickletools warns of odd escapes in text, which some callers turn into errors.
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, Warning) as error:
        raise CheckpointError(f"its pickle is damaged: {error}.") from error
    return machine.result


def read_pickle_bytes(content: bytes | memoryview, budget: Budget) -> object:
    """Run one pickle that is all of `content`."""
    file = io.BytesIO(content)
    result = read_pickle(file, budget)
    if file.read(1):
        raise CheckpointError("its pickle is followed by something else.")
    return result


class _Machine:
    """The stack machine. Methods without an underscore are instructions, see `_RUN`."""

    def __init__(self, budget: Budget, storages: dict[str, Storage]) -> None:
        self._budget = budget
        self._storages = storages
        self._stack: list[Any] = []
        self._marks: list[list[Any]] = []
        self._memo: list[Any] = []
        self.result: object = None

    def run(self, name: str, argument: Any) -> None:
        """Run the instruction `name`."""
        if name in _RUN:
            _RUN[name](self, argument)
        elif name in _LITERALS:
            self._literal(argument)
        elif name not in _NO_EFFECT:
            raise UnsafeCheckpointError(f"its pickle uses the instruction {name}.")

    def _push(self, value: object, cost: int = 8) -> None:
        """Push `value`, which took about `cost` bytes to make."""
        self._budget.take(cost, "its pickle")
        self._stack.append(value)

    def _pop(self, count: int) -> list[Any]:
        start = len(self._stack) - count
        if start < 0:
            raise IndexError("the stack is too short")
        items = self._stack[start:]
        del self._stack[start:]
        return items

    def _pop_to_mark(self) -> list[Any]:
        items, self._stack = self._stack, self._marks.pop()
        return items

    def _literal(self, value: Any) -> None:
        if isinstance(value, int) and value.bit_length() > _LONGEST_INTEGER:
            raise UnsafeCheckpointError(f"it holds an integer of {value.bit_length()} bits.")
        self._push(value, 64 + (len(value) if isinstance(value, str | bytes) else 0))

    def _name(self, module: object, name: object) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise TypeError("a global without a name")
        path = f"{module}.{name}".replace("__builtin__.", "builtins.")  # as protocol 2 spells it
        if path not in ALLOWED:
            raise UnsafeCheckpointError(
                f"it asks for `{path[:200]}`, which is no part of a tensor. Nothing was run. "
                f"If it is a whole model, save its `state_dict()`; other objects, leave out."
            )
        self._push(Global(path), 64)

    def _extend(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not list:
            raise TypeError("items are appended to what is no list")
        target.extend(items)

    def _update(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, Pairs) or len(items) % 2:
            raise TypeError("items are set in what is no dictionary")
        self._budget.take(32 * len(items), "its pickle")
        target.items.extend(zip(items[::2], items[1::2], strict=True))

    def named_global(self, argument: Any) -> None:
        module, _, name = str(argument).partition(" ")
        self._name(module, name)

    def stack_global(self, _: Any) -> None:
        self._name(*self._pop(2))

    def mark(self, _: Any) -> None:
        self._budget.take(64, "its pickle")
        self._marks.append(self._stack)
        self._stack = []

    def pop(self, _: Any) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._pop_to_mark()

    def pop_mark(self, _: Any) -> None:
        self._pop_to_mark()

    def dictionary(self, _: Any) -> None:
        items = self._pop_to_mark()
        self._push(Pairs([]), 128)
        self._update(items)

    def put(self, index: Any) -> None:
        # Every pickler numbers the memo without gaps; one with gaps could ask for any length.
        if not 0 <= index <= len(self._memo):
            raise IndexError("the memo is out of order")
        self._memo[index : index + 1] = [self._stack[-1]]

    def memoize(self, _: Any) -> None:
        self._memo.append(self._stack[-1])

    def get(self, index: Any) -> None:
        self._push(self._memo[index])

    def reduce(self, _: Any) -> None:
        function, arguments = self._pop(2)
        # A description may copy its arguments, and these may come out of the memo: pay again.
        sizes = [len(part) for part in arguments if isinstance(part, Sized)]
        self._budget.take(64 * (1 + sum(sizes)), "its pickle")
        self._push(describe_call(function, arguments))

    def build(self, _: Any) -> None:
        target, state = self._pop(2)
        # The attributes of an OrderedDict, such as torch's `_metadata`, hold no tensor.
        if not isinstance(target, Pairs) or not isinstance(state, Pairs):
            raise UnsafeCheckpointError("it asks to set the state of an object.")
        self._push(target)

    def persistent(self, _: Any) -> None:
        (pid,) = self._pop(1)
        storage = describe_storage(pid)
        if self._storages.setdefault(storage.key, storage) != storage:
            raise ValueError(f"two storages are called {storage.key}")
        self._push(storage, 64)

    def stop(self, _: Any) -> None:
        if self._marks or len(self._stack) != 1:
            raise ValueError("it does not end with one value")
        self.result = self._stack[0]


_LITERALS: Final = frozenset(
    [
        "INT",
        "BININT",
        "BININT1",
        "BININT2",
        "LONG",
        "LONG1",
        "LONG4",
        "FLOAT",
        "BINFLOAT",
        "UNICODE",
        "BINUNICODE",
        "SHORT_BINUNICODE",
        "BINUNICODE8",
        "BINSTRING",
        "SHORT_BINSTRING",
        "BINBYTES",
        "SHORT_BINBYTES",
        "BINBYTES8",
    ]
)
_NO_EFFECT: Final = frozenset({"PROTO", "FRAME"})
_RUN: Final[dict[str, Callable[[_Machine, Any], None]]] = {
    "NONE": lambda m, _: m._push(None),
    "NEWTRUE": lambda m, _: m._push(True),
    "NEWFALSE": lambda m, _: m._push(False),
    "EMPTY_TUPLE": lambda m, _: m._push(()),
    "EMPTY_LIST": lambda m, _: m._push([], 64),
    "EMPTY_SET": lambda m, _: m._push([], 64),
    "EMPTY_DICT": lambda m, _: m._push(Pairs([]), 128),
    "TUPLE1": lambda m, _: m._push(tuple(m._pop(1)), 56),
    "TUPLE2": lambda m, _: m._push(tuple(m._pop(2)), 56),
    "TUPLE3": lambda m, _: m._push(tuple(m._pop(3)), 64),
    "TUPLE": lambda m, _: m._push(tuple(m._pop_to_mark()), 64),
    "LIST": lambda m, _: m._push(m._pop_to_mark(), 64),
    "FROZENSET": lambda m, _: m._push(m._pop_to_mark(), 64),
    "DICT": _Machine.dictionary,
    "APPEND": lambda m, _: m._extend(m._pop(1)),
    "APPENDS": lambda m, _: m._extend(m._pop_to_mark()),
    "ADDITEMS": lambda m, _: m._extend(m._pop_to_mark()),
    "SETITEM": lambda m, _: m._update(m._pop(2)),
    "SETITEMS": lambda m, _: m._update(m._pop_to_mark()),
    "MARK": _Machine.mark,
    "POP": _Machine.pop,
    "POP_MARK": _Machine.pop_mark,
    "DUP": lambda m, _: m._push(m._stack[-1]),
    "PUT": _Machine.put,
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": _Machine.memoize,
    "GET": _Machine.get,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "GLOBAL": _Machine.named_global,
    "INST": _Machine.named_global,
    "STACK_GLOBAL": _Machine.stack_global,
    "REDUCE": _Machine.reduce,
    "BUILD": _Machine.build,
    "BINPERSID": _Machine.persistent,
    "STOP": _Machine.stop,
}
