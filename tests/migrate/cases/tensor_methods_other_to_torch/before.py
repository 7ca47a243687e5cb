import mindspore
from mindspore import nn

cell = nn.LSTMCell(10, 16)


def step(x, state):
    h, c = cell(x, state)
    assert h.norm() == h.norm(2)
    assert (h > 0).astype(mindspore.float32).sum() == h.astype("int32").sum()
    parts = h.split(4, axis=1)
    assert not h.equal(c).all()
    return h.select(h > 0, c), h.mean(axis=1, keep_dims=True), h.gather_elements(1, c), parts
