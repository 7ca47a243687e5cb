"""The kernel where MindSpore records a gradient: a function of its autograd for step and unroll.

`_Function` is MindSpore's own name for it and private. Where it is gone, `apply` returns None and
the cell goes by its graph operators, which record gradients in every mode.
"""

from __future__ import annotations

from typing import Any

from mindspore import Tensor

from onecell.mindspore import calls, composite
from onecell.mindspore.plain import is_recording

try:
    from mindspore.common._grad_function import _Function
except ImportError:
    _Function = None


def apply(
    kernel: calls.Kernel, sizes: calls.Sizes, tensors: list[Tensor], sequence: bool
) -> tuple[Tensor, ...] | None:
    """Compute a step, or a sequence, such that MindSpore can pull gradients back through it.

    Args:
        kernel: of the element type of all tensors.
        sizes: of the call.
        tensors: x, h, c and two or four weights, of checked shapes.
        sequence: x has a time axis; T ≥ 1.

    Returns:
        (h', c'), or (h after every step, the last h, the last c); None without `_Function`.
    """
    if _Function is None:
        return None
    found: tuple[Tensor, ...] = _Cell.apply(kernel, sizes, sequence, *tensors)
    return found


class _Cell(_Function or object):  # type: ignore[misc]
    """Kernel, sizes, sequence, x, h, c and the weights → the results of `apply`."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - an instance of this class, with what MindSpore puts on it
        kernel: calls.Kernel,
        sizes: calls.Sizes,
        sequence: bool,
        *tensors: Tensor,
    ) -> tuple[Tensor, ...]:
        """Compute the results and keep what `backward` needs."""
        ctx.save_for_backward(*tensors)
        ctx.sequence = sequence
        ctx.dense = [calls.dense(tensor, kernel) for tensor in tensors]
        x, h, c, *weights = ctx.dense
        ctx.trace = calls.forward(kernel, sizes, calls.addresses(x, h, c, weights))
        return calls.results(ctx.trace, sequence)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        """Return the gradients by what `forward` was given from those by its results."""
        inputs, needs = ctx.saved_tensors, ctx.needs_input_grad[3:]
        if is_recording():
            # A gradient of this gradient will be asked for: it has to be made of operators.
            return None, None, None, *composite.gradients(inputs, grads, sequence=ctx.sequence)
        trace = ctx.trace
        held = [None if grad is None else calls.dense(grad, trace.kernel) for grad in grads]
        by_all, *by_last = [0 if grad is None else grad.data_ptr() for grad in held]
        by_h = by_last[0] if ctx.sequence else 0
        x, h, c, *weights = ctx.dense
        where = calls.addresses(x, h, c, weights)
        shapes = [tensor.shape for tensor in inputs]
        found = calls.backward(trace, where, (by_all, by_h, by_last[-1]), needs, shapes)
        return None, None, None, *found
