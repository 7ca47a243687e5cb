"""Pickles, read as data: nothing is imported, nothing is called.

A pickle is a program for a small stack machine. This is that machine without its dangerous half:
a global is a name and stays one, and a call is a row of `inert.REBUILD`, whose rows make inert
descriptions. A pickle that names any other global is refused on the spot.
"""

# ruff: noqa: ANN401 - the file decides what lies on the stack; a wrong thing is a TypeError.

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from onecell.checkpoint.limits import SLOT, Budget
from onecell.checkpoint.pickles.described import Global, Pairs, Storage
from onecell.checkpoint.pickles.inert import (
    GLOBALS,
    describe_call,
    describe_object,
    describe_state,
    describe_storage,
    weigh_call,
)
from onecell.checkpoint.pickles.inert_script import is_class
from onecell.checkpoint.pickles.opcodes import WHAT, Code, instructions
from onecell.errors import CheckpointError, UnsafeCheckpointError
from onecell.text import short

_LONGEST_INTEGER: Final = 512  # bits; a size, a count, a seed
_INSTRUCTIONS: Final = 2**21
"""A pickle may have this many instructions, about two seconds, or one for each byte of its file."""

# What CPython gives an object, its head for the garbage collector and rounding included.
_LIST: Final = 72
_TUPLE: Final = 64
_PAIRS: Final = 144
_PAIR: Final = 72 + SLOT
_STORAGE: Final = 200
_GLOBAL: Final = 128
_ADVICE: Final = "keep in it only tensors and a few plain values, and large tables in another file"


def read_pickle(
    code: Code,
    budget: Budget,
    start: int = 0,
    storages: dict[str, Storage] | None = None,
    *,
    program: bool = False,
) -> tuple[object, int]:
    """Run the pickle that begins at `start`; return what it describes, and its end.

    Args:
        code: where the pickle lies.
        budget: what the descriptions are taken out of, each before it is made.
        start: where it begins.
        storages: takes up every storage that the pickle mentions, by key.
        program: whether it may have objects of classes that are in the file beside it, as
            TorchScript's; they are described by their attributes.

    Returns:
        `Pairs`, lists, tuples, None, bools, numbers, strings, bytes and the classes of `inert`
        and `inert_numpy`. Lists and pairs may contain themselves, and one thing may be in many
        places: no `repr`, `==` or `hash` of it ends for certain. `inert.say` does.

    Raises:
        UnsafeCheckpointError: it asks for a global that is no part of a tensor, by that name.
        CheckpointError: it is damaged.
    """
    machine = _Machine(budget, {} if storages is None else storages, program=program)
    left, end = max(_INSTRUCTIONS, budget.file_size), start
    try:
        for name, argument, after in instructions(code, start, budget):
            machine.run(name, argument)
            left, end = left - 1, after
            if left < 0:
                raise UnsafeCheckpointError(
                    f"its pickle has more instructions than a file of {budget.file_size} bytes may."
                )
    except CheckpointError:
        raise
    # Warning: pickletools warns of odd escapes in text, which some callers turn into errors.
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, Warning) as error:
        raise CheckpointError(f"its pickle is damaged: {short(error, 200)}.") from error
    return machine.finish(), end


def read_pickle_bytes(code: Code, budget: Budget, *, program: bool = False) -> object:
    """Run one pickle that is all of `code`."""
    result, end = read_pickle(code, budget, program=program)
    if end != len(code):
        raise CheckpointError("its pickle is followed by something else.")
    return result


class _Machine:
    """The stack machine. Methods without an underscore are instructions, see `_RUN`."""

    def __init__(self, budget: Budget, storages: dict[str, Storage], *, program: bool) -> None:
        self._budget = budget
        self._program = program
        self._storages = storages
        self._stack: list[Any] = []
        self._marks: list[list[Any]] = []
        self._memo: list[Any] = []
        self._result: object = None

    def run(self, name: str, argument: Any) -> None:
        """Run the instruction `name`."""
        if name in _RUN:
            _RUN[name](self, argument)
        elif name in _LITERALS:
            self._literal(argument)
        elif name not in _NO_EFFECT:
            raise UnsafeCheckpointError(f"its pickle uses the instruction {name}.")

    def _push(self, value: object, cost: int = 0) -> None:
        """Push `value`, which took about `cost` bytes to make."""
        self._budget.take(cost + SLOT, WHAT, advice=_ADVICE)
        self._stack.append(value)

    def _pop(self, count: int) -> list[Any]:
        start = len(self._stack) - count
        if start < 0:
            raise IndexError("the stack is too short")
        items = self._stack[start:]
        del self._stack[start:]
        self._budget.give(SLOT * count)
        return items

    def _pop_to_mark(self) -> list[Any]:
        items, self._stack = self._stack, self._marks.pop()
        self._budget.give(_LIST + SLOT + SLOT * len(items))
        return items

    def _pack(self, items: list[Any]) -> None:
        """Push a tuple of `items`; for a moment they are in two places."""
        self._budget.take(2 * SLOT * len(items), WHAT, advice=_ADVICE)
        self._push(tuple(items), _TUPLE)
        self._budget.give(SLOT * len(items))

    def _keep(self, items: list[Any]) -> None:
        """Push the list `items` itself."""
        self._push(items, _LIST + SLOT * len(items))

    def _literal(self, value: Any) -> None:
        if isinstance(value, int) and value.bit_length() > _LONGEST_INTEGER:
            raise UnsafeCheckpointError(f"it holds an integer of {value.bit_length()} bits.")
        self._push(value)

    def _name(self, module: object, name: object) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise TypeError("a global without a name")
        path = f"{short(module, 200)}.{short(name, 200)}"
        path = path.replace("__builtin__.", "builtins.")  # as protocol 2 spells it
        if self._program and is_class(path):
            self._push(Global(path), _GLOBAL + len(path))
            return
        if path not in GLOBALS:
            raise UnsafeCheckpointError(
                f"it asks for `{path}`, which is no part of a tensor. Nothing was run. "
                f"If it is a whole model, save its `state_dict()`; of anything else save the "
                f"tensors, arrays of numbers and plain values."
            )
        self._push(GLOBALS[path])

    def _extend(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not list:
            raise TypeError("items are appended to what is no list")
        self._budget.take(2 * SLOT * len(items), WHAT, advice=_ADVICE)
        target.extend(items)
        self._budget.give(SLOT * len(items))

    def _update(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, Pairs) or len(items) % 2:
            raise TypeError("items are set in what is no dictionary")
        self._budget.take((_PAIR + 2 * SLOT) * (len(items) // 2), WHAT, advice=_ADVICE)
        keys = iter(items)
        target.items.extend(zip(keys, keys, strict=True))
        self._budget.give(SLOT * len(items))

    def named_global(self, argument: Any) -> None:
        module, _, name = str(argument).partition(" ")
        self._name(module, name)

    def stack_global(self, _: Any) -> None:
        self._name(*self._pop(2))

    def mark(self, _: Any) -> None:
        self._budget.take(_LIST + SLOT, WHAT, advice=_ADVICE)
        self._marks.append(self._stack)
        self._stack = []

    def pop(self, _: Any) -> None:
        if self._stack:
            self._pop(1)
        else:
            self._pop_to_mark()

    def pop_mark(self, _: Any) -> None:
        self._pop_to_mark()

    def dictionary(self, _: Any) -> None:
        items = self._pop_to_mark()
        self._push(Pairs([]), _PAIRS)
        self._update(items)

    def put(self, index: Any) -> None:
        # Every pickler numbers the memo without gaps; one with gaps could ask for any length.
        if not 0 <= index <= len(self._memo):
            raise IndexError("the memo is out of order")
        if index == len(self._memo):
            self.memoize(None)
        else:
            self._memo[index] = self._stack[-1]

    def memoize(self, _: Any) -> None:
        self._budget.take(SLOT, WHAT, advice=_ADVICE)
        self._memo.append(self._stack[-1])

    def get(self, index: Any) -> None:
        if index < 0:
            raise IndexError("the memo has no such place")
        self._push(self._memo[index])

    def make(self, _: Any) -> None:
        kind, arguments = self._pop(2)
        self._budget.take(weigh_call(kind, arguments), WHAT, advice=_ADVICE)
        self._push(describe_object(kind, arguments))

    def reduce(self, _: Any) -> None:
        self._call(*self._pop(2))

    def _call(self, function: object, arguments: object) -> None:
        # A description may copy its arguments, and these may come out of the memo: pay again.
        self._budget.take(weigh_call(function, arguments), WHAT, advice=_ADVICE)
        self._push(describe_call(function, arguments))

    def build(self, _: Any) -> None:
        target, state = self._pop(2)
        if isinstance(state, Pairs):
            self._budget.take(SLOT * len(state), WHAT, advice=_ADVICE)
        describe_state(target, state)
        self._push(target)

    def persistent(self, _: Any) -> None:
        (pid,) = self._pop(1)
        storage = describe_storage(pid)
        if storage.key not in self._storages:
            self._budget.take(_STORAGE, WHAT, advice=_ADVICE)
        known = self._storages.setdefault(storage.key, storage)
        if known != storage:
            raise ValueError(f"two storages are called {short(storage.key)}")
        self._push(known)

    def stop(self, _: Any) -> None:
        if self._marks or len(self._stack) != 1:
            raise ValueError("it does not end with one value")
        self._result = self._stack[0]

    def finish(self) -> object:
        """Return the result; what only the machine held is free again."""
        self._budget.give(SLOT * (len(self._memo) + len(self._stack)))
        return self._result


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
        "BYTEARRAY8",
    ]
)
_NO_EFFECT: Final = frozenset({"PROTO", "FRAME"})
_RUN: Final[dict[str, Callable[[_Machine, Any], None]]] = {
    "NONE": lambda m, _: m._push(None),
    "NEWTRUE": lambda m, _: m._push(True),
    "NEWFALSE": lambda m, _: m._push(False),
    "EMPTY_TUPLE": lambda m, _: m._push(()),
    "EMPTY_LIST": lambda m, _: m._push([], _LIST),
    "EMPTY_SET": lambda m, _: m._push([], _LIST),
    "EMPTY_DICT": lambda m, _: m._push(Pairs([]), _PAIRS),
    "TUPLE1": lambda m, _: m._pack(m._pop(1)),
    "TUPLE2": lambda m, _: m._pack(m._pop(2)),
    "TUPLE3": lambda m, _: m._pack(m._pop(3)),
    "TUPLE": lambda m, _: m._pack(m._pop_to_mark()),
    "LIST": lambda m, _: m._keep(m._pop_to_mark()),
    "FROZENSET": lambda m, _: m._keep(m._pop_to_mark()),
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
    "NEWOBJ": _Machine.make,
    "BUILD": _Machine.build,
    "BINPERSID": _Machine.persistent,
    "STOP": _Machine.stop,
}
