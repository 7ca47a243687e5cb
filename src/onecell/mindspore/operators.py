"""The kernel as operators of MindSpore's graphs: `ops.Custom` on the library's C entry points.

They work in every mode, record gradients, and are what `construct` uses wherever MindSpore must
see operators: in `jit`, in graph mode, in an exported file, under hooks and recorders. They have no
second gradient: MindSpore says so, by an error, where one is asked of a graph.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from mindspore import Tensor, ops

from onecell import _kernel
from onecell.mindspore.arguments import Dtype, Shape

Outputs: TypeAlias = tuple[Tensor, ...]
Operator: TypeAlias = Any

_LIBRARY: Final = _kernel.library_path()


def _operator(
    entry: str,
    outputs: int,
    shapes: Callable[..., tuple[Shape, ...]],
    bprop: Callable[..., Outputs] | None = None,
) -> Operator:
    """Return the operator on the C function `entry`.

    `shapes` takes the shapes of the inputs and returns those of the outputs; every output has the
    element type of the first input.
    """

    def dtypes(*inputs: Dtype) -> tuple[Dtype, ...]:
        return (inputs[0],) * outputs

    return ops.Custom(f"{_LIBRARY}:{entry}", shapes, dtypes, func_type="aot", bprop=bprop)


def _step_shapes(x: Shape, h: Shape, c: Shape, *weights: Shape) -> tuple[Shape, ...]:
    return h, c, (h[0], weights[0][0])


def _unroll_shapes(x: Shape, h: Shape, c: Shape, *weights: Shape) -> tuple[Shape, ...]:
    every = (x[0], *h)
    return every, h, c, every, (x[0], h[0], weights[0][0])


def _gradient_shapes(*inputs: Shape) -> tuple[Shape, ...]:
    x, h, c, weight_ih, weight_hh, *_ = inputs
    return x, h, c, weight_ih, weight_hh, (weight_ih[0],)


_step_backward = _operator("onecell_step_backward", 6, _gradient_shapes)
_unroll_backward = _operator("onecell_unroll_backward", 6, _gradient_shapes)


# MindSpore passes the inputs, then the outputs and their gradients, and wants a gradient for each
# input. It parses these functions, so each spells its arguments out.
def _step_bprop(
    x: Tensor, h: Tensor, c: Tensor, w_ih: Tensor, w_hh: Tensor, out: Outputs, dout: Outputs
) -> Outputs:
    found = _step_backward(x, h, c, w_ih, w_hh, *out[:3], dout[0], dout[1])
    return found[0], found[1], found[2], found[3], found[4]


def _step_bias_bprop(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor,
    b_hh: Tensor,
    out: Outputs,
    dout: Outputs,
) -> Outputs:
    found = _step_backward(x, h, c, w_ih, w_hh, *out[:3], dout[0], dout[1])
    return (*found, found[5])


def _unroll_bprop(
    x: Tensor, h: Tensor, c: Tensor, w_ih: Tensor, w_hh: Tensor, out: Outputs, dout: Outputs
) -> Outputs:
    found = _unroll_backward(x, h, c, w_ih, w_hh, out[0], *out[3:], *dout[:3])
    return found[0], found[1], found[2], found[3], found[4]


def _unroll_bias_bprop(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor,
    b_hh: Tensor,
    out: Outputs,
    dout: Outputs,
) -> Outputs:
    found = _unroll_backward(x, h, c, w_ih, w_hh, out[0], *out[3:], *dout[:3])
    return (*found, found[5])


step = _operator("onecell_step", 3, _step_shapes, _step_bprop)
step_bias = _operator("onecell_step", 3, _step_shapes, _step_bias_bprop)
unroll = _operator("onecell_unroll", 5, _unroll_shapes, _unroll_bprop)
unroll_bias = _operator("onecell_unroll", 5, _unroll_shapes, _unroll_bias_bprop)
