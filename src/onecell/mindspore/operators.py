"""The kernel as operators of MindSpore's graphs: `ops.Custom` on the library's C entry points.

They work in every mode, record gradients, and are what `construct` uses wherever MindSpore must
see operators: in `jit`, in graph mode, under hooks and recorders. Their gradients are operators of
the kernel's too; the gradients of those, and of forward-mode transforms, are MindSpore's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from mindspore import Tensor, ops

from onecell import _kernel
from onecell.mindspore import second
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


# MindSpore passes the inputs, then the outputs and their gradients, and wants a gradient for each
# input. It parses these functions, so each spells its arguments out. First the gradients of the
# gradients: of composite.py's, which need nothing of what the forward operator has left.
def _step_second(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    h_next: Tensor,
    c_next: Tensor,
    trace: Tensor,
    by_h: Tensor,
    by_c: Tensor,
    out: Outputs,
    dout: Outputs,
) -> Outputs:
    found = second.step_second(x, h, c, (w_ih, w_hh), by_h, by_c, dout)
    none = (ops.zeros_like(h_next), ops.zeros_like(c_next), ops.zeros_like(trace))
    return (*found[:5], *none, *found[6:])


def _step_bias_second(  # noqa: PLR0917
    x: Tensor,
    h: Tensor,
    c: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor,
    b_hh: Tensor,
    h_next: Tensor,
    c_next: Tensor,
    trace: Tensor,
    by_h: Tensor,
    by_c: Tensor,
    out: Outputs,
    dout: Outputs,
) -> Outputs:
    found = second.step_second(x, h, c, (w_ih, w_hh, b_ih, b_hh), by_h, by_c, dout)
    none = (ops.zeros_like(h_next), ops.zeros_like(c_next), ops.zeros_like(trace))
    return (*found[:6], found[5], *none, *found[6:])


def _unroll_second(  # noqa: PLR0917
    x: Tensor,
    h: Tensor,
    c: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    h_all: Tensor,
    c_all: Tensor,
    trace: Tensor,
    by_all: Tensor,
    by_h: Tensor,
    by_c: Tensor,
    out: Outputs,
    dout: Outputs,
) -> Outputs:
    found = second.unroll_second(x, h, c, (w_ih, w_hh), by_all, by_h, by_c, dout)
    none = (ops.zeros_like(h_all), ops.zeros_like(c_all), ops.zeros_like(trace))
    return (*found[:5], *none, *found[6:])


def _unroll_bias_second(  # noqa: PLR0917
    x: Tensor,
    h: Tensor,
    c: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor,
    b_hh: Tensor,
    h_all: Tensor,
    c_all: Tensor,
    trace: Tensor,
    by_all: Tensor,
    by_h: Tensor,
    by_c: Tensor,
    out: Outputs,
    dout: Outputs,
) -> Outputs:
    found = second.unroll_second(x, h, c, (w_ih, w_hh, b_ih, b_hh), by_all, by_h, by_c, dout)
    none = (ops.zeros_like(h_all), ops.zeros_like(c_all), ops.zeros_like(trace))
    return (*found[:6], found[5], *none, *found[6:])


_step_backward = _operator("onecell_step_backward", 6, _gradient_shapes, _step_second)
_step_bias_backward = _operator("onecell_step_backward", 6, _gradient_shapes, _step_bias_second)
_unroll_backward = _operator("onecell_unroll_backward", 6, _gradient_shapes, _unroll_second)
_unroll_bias_backward = _operator(
    "onecell_unroll_backward", 6, _gradient_shapes, _unroll_bias_second
)


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
    found = _step_bias_backward(x, h, c, w_ih, w_hh, b_ih, b_hh, *out[:3], dout[0], dout[1])
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
    found = _unroll_bias_backward(x, h, c, w_ih, w_hh, b_ih, b_hh, out[0], *out[3:], *dout[:3])
    return (*found, found[5])


step = _operator("onecell_step", 3, _step_shapes, _step_bprop)
step_bias = _operator("onecell_step", 3, _step_shapes, _step_bias_bprop)
unroll = _operator("onecell_unroll", 5, _unroll_shapes, _unroll_bprop)
unroll_bias = _operator("onecell_unroll", 5, _unroll_shapes, _unroll_bias_bprop)
