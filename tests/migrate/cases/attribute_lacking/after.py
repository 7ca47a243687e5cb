from onecell.mindspore import LSTMCell

cell = LSTMCell(10, 16)


def step(x):
    h, c = cell(x)
    # TODO(onecell): attribute: `requires_grad` of a tensor has no exact counterpart; ask a parameter: other tensors lack it in MindSpore
    assert h.requires_grad
    best = h.max(1)
    return best.values, c.max(dim=1)[1]
