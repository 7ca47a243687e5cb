from onecell.mindspore import LSTMCell

cell = LSTMCell(10, 16)


def step(x):
    h, c = cell(x)
    # TODO(onecell): method: `norm` with an order is that of a matrix in MindSpore, of all numbers in torch; write it out
    assert h.norm() == h.norm(2)
    # TODO(onecell): method: `equal` of a tensor has no exact counterpart
    assert not h.equal(c)
    # TODO(onecell): method: `select` of a tensor has no exact counterpart
    return h.select(0, 1)
