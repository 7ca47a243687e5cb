import mindspore
from mindspore import nn


def build() -> nn.LSTMCell:
    return nn.LSTMCell(10, 16)


def run(model: nn.LSTMCell, x: mindspore.Tensor, h: mindspore.Tensor, c: mindspore.Tensor):
    cells: list[nn.LSTMCell] = [model]
    assert isinstance(model, (nn.LSTMCell, nn.Dense))
    return cells[0](x, (h, c))
