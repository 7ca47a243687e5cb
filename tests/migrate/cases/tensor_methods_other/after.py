from mindspore import ops
from onecell.mindspore import LSTMCell

cell = LSTMCell(10, 16)


def step(x):
    h, c = cell(x)
    assert ops.norm(h) == ops.norm(h)
    # TODO(onecell): method: `equal` of a tensor gives something else in MindSpore; `bool((a == b).all())` of two of one shape
    assert not h.equal(c)
    # TODO(onecell): method: `median` of a tensor gives something else in MindSpore; write `mindspore.ops.sort(x.reshape(-1))[0][(x.size - 1) // 2]` for that of all numbers of a tensor, `mindspore.ops.median(x, axis)` along an axis
    # TODO(onecell): method: `diag` of a tensor gives something else in MindSpore; write `mindspore.ops.diag(x)` of one axis, `x.diagonal()` of two
    return h.median(), c.diag()
