from mindspore import ops
from onecell.mindspore import LSTMCell

cell = LSTMCell(10, 16)


def named(whole, other):
    flat = whole.view(-1)
    # TODO(onecell): method: what is copied into a view is right in MindSpore, and its gradient is not; copy into the tensor itself, in its shape, and make the view anew
    flat.copy_(other)
    return whole.sum()


def chained(whole, other):
    # TODO(onecell): method: what is copied into a view is right in MindSpore, and its gradient is not; copy into the tensor itself, in its shape, and make the view anew
    whole.squeeze(0).copy_(other)
    ops.stop_gradient(whole).t().copy_(other)
    # TODO(onecell): method: `copy_` of a tensor has no exact counterpart; write `x[...] = other`; of a parameter `p.set_data(…)`, in its own shape
    cell.weight_ih.data.t().copy_(other)
    fresh = whole.copy()
    fresh.copy_(other)
    return fresh
