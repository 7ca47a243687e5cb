"""The C entry points refuse what does not fit, before an address is used."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from onecell import _kernel
from problems import Array, Problem, assert_same_bits, problem, results

LIBRARY = ctypes.CDLL(_kernel.library_path())


@dataclass(frozen=True)
class Call:
    """What MindSpore hands to an entry: addresses, shapes and element types."""

    entry: str
    arrays: tuple[Array, ...]
    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[bytes, ...]

    def run(self, count: int | None = None) -> int:
        pointers = [a.ctypes.data if a.size else None for a in self.arrays]
        shapes = [(ctypes.c_int64 * max(len(s), 1))(*s) for s in self.shapes]
        size = len(self.arrays)
        function: Any = getattr(LIBRARY, self.entry)
        status: int = function(
            size if count is None else count,
            (ctypes.c_void_p * size)(*pointers),
            (ctypes.c_int * size)(*(len(s) for s in self.shapes)),
            (ctypes.c_void_p * size)(*(ctypes.addressof(s) for s in shapes)),
            (ctypes.c_char_p * size)(*self.dtypes),
            None,
            None,
        )
        return status


def made(entry: str, *arrays: Array) -> Call:
    dtypes = tuple(str(a.dtype).encode() for a in arrays)
    return Call(entry, arrays, tuple(a.shape for a in arrays), dtypes)


def zeros(p: Problem, *shapes: tuple[int, ...]) -> list[Array]:
    return [np.zeros(shape, p.x.dtype) for shape in shapes]


def forward(p: Problem) -> Call:
    after = p.grad_h_all.shape
    gates = (*after[:2], 4 * after[2])
    outputs = zeros(p, after, after[1:], after[1:], after, gates)
    return made("onecell_unroll", p.x, p.h, p.c, *p.weights.arrays().values(), *outputs)


def backward(p: Problem, done: Call) -> Call:
    h_all, _, _, c_all, trace = done.arrays[-5:]
    weights = (p.weights.weight_ih, p.weights.weight_hh)
    shapes = [a.shape for a in (p.x, p.h, p.c, *weights)]
    outputs = zeros(p, *shapes, weights[0].shape[:1])
    given = p.weights.arrays().values()  # with the biases, where there are some
    inputs = (p.x, p.h, p.c, *given, h_all, c_all, trace, *p.grads)
    return made("onecell_unroll_backward", *inputs, *outputs)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bias", [True, False])
def test_entries_have_the_bits_of_arrays(bias: bool, dtype: Any) -> None:
    p = problem(bias=bias, dtype=dtype)
    done = forward(p)
    assert done.run() == 0
    back = backward(p, done)
    assert back.run() == 0
    names = ["x", "h", "c", "weight_ih", "weight_hh", "bias_ih"]
    found = dict(zip(("h_all", "h_last", "c_last"), done.arrays[-5:-2], strict=True))
    found |= dict(zip(names, back.arrays[-6:], strict=True))
    want = results(p)
    if bias:
        found["bias_hh"] = found["bias_ih"]
    else:
        del found["bias_ih"]
    assert_same_bits(found, want)


def calls() -> list[Call]:
    p = problem()
    done = forward(p)
    done.run()
    return [done, backward(p, done)]


@pytest.mark.parametrize("call", calls(), ids=lambda call: call.entry)
class TestRefusals:
    """Every parameter of every entry, spoilt in turn."""

    @staticmethod
    def spoil(call: Call, change: Callable[[tuple[int, ...]], tuple[int, ...]]) -> list[int]:
        spoilt = []
        for index, shape in enumerate(call.shapes):
            shapes = (*call.shapes[:index], change(shape), *call.shapes[index + 1 :])
            spoilt.append(replace(call, shapes=shapes).run())
        return spoilt

    def test_a_size_too_many(self, call: Call) -> None:
        assert 0 not in self.spoil(call, lambda shape: (*shape[:-1], shape[-1] + 1))

    def test_a_batch_too_large(self, call: Call) -> None:
        assert 0 not in self.spoil(call, lambda shape: (shape[0] + 1, *shape[1:]))

    def test_an_axis_too_few(self, call: Call) -> None:
        assert 0 not in self.spoil(call, lambda shape: shape[1:])

    def test_an_axis_too_many(self, call: Call) -> None:
        assert 0 not in self.spoil(call, lambda shape: (*shape, 1))

    def test_negative_and_enormous_sizes(self, call: Call) -> None:
        assert 0 not in self.spoil(call, lambda shape: (*shape[:-1], -shape[-1]))
        assert 0 not in self.spoil(call, lambda shape: (*shape[:-1], 2**62))

    def test_other_element_types(self, call: Call) -> None:
        for index in range(len(call.dtypes)):
            for name in (b"float64", b"float16", b"int32", b""):
                dtypes = (*call.dtypes[:index], name, *call.dtypes[index + 1 :])
                assert replace(call, dtypes=dtypes).run() != 0

    def test_other_counts(self, call: Call) -> None:
        for count in (-1, 0, 1, len(call.arrays) - 1):
            assert call.run(count) != 0

    def test_an_array_that_is_not_there(self, call: Call) -> None:
        for index in range(len(call.arrays)):
            nothing = np.empty(0, np.float32)
            arrays = (*call.arrays[:index], nothing, *call.arrays[index + 1 :])
            assert replace(call, arrays=arrays).run() != 0
