import torch
from torch import nn

cell = nn.LSTMCell(10, 16)


def step(x, state):
    h, c = cell(x, state)
    # TODO(onecell): method: `norm` with an order is that of a matrix in MindSpore, of all numbers in torch; write it out
    assert h.norm() == h.norm(2)
    # TODO(onecell): method: `astype` of anything but an element type has no exact counterpart
    assert (h > 0).to(torch.float32).sum() == h.astype("int32").sum()
    # TODO(onecell): method: `split` of a tensor has other keywords in torch
    parts = h.split(4, axis=1)
    # TODO(onecell): method: `equal` of a tensor has no exact counterpart
    assert not h.equal(c).all()
    # TODO(onecell): method: `select` of a tensor has no exact counterpart
    # TODO(onecell): method: `mean` of a tensor has other keywords in torch
    # TODO(onecell): method: `gather_elements` of a tensor has no exact counterpart
    return h.select(h > 0, c), h.mean(axis=1, keep_dims=True), h.gather_elements(1, c), parts
