"""The page's two examples for MindSpore, with the state carried, which the page forgot."""

from __future__ import annotations

import mindspore as ms
import numpy as np

from onecell.mindspore import LSTMCell  # was: from mindspore.nn import LSTMCell


def run(net: ms.nn.Cell) -> list[ms.Tensor]:
    """Return h after each of five steps over three rows of ones."""
    x = ms.Tensor(np.ones([5, 3, 10]).astype(np.float32))
    h = ms.Tensor(np.ones([3, 16]).astype(np.float32))
    c = ms.Tensor(np.ones([3, 16]).astype(np.float32))
    output = []
    for i in range(5):
        h, c = net(x[i], (h, c))
        output.append(h)
    return output


if __name__ == "__main__":
    print(run(LSTMCell(10, 16))[0].shape)  # (3, 16)
    print(run(LSTMCell(10, 16, has_bias=False))[0].shape)  # (3, 16)
