"""The page's two examples for torch. Only the import of the cell is another."""

from __future__ import annotations

import torch

from onecell.torch import LSTMCell  # was: from torch.nn import LSTMCell


def run(rnn: torch.nn.Module) -> list[torch.Tensor]:
    """Return h after each of five steps over three rows of ones."""
    input = torch.ones(5, 3, 10)
    hx = torch.ones(3, 16)
    cx = torch.ones(3, 16)
    output = []
    for i in range(input.size()[0]):
        hx, cx = rnn(input[i], (hx, cx))
        output.append(hx)
    return output


if __name__ == "__main__":
    print(tuple(run(LSTMCell(10, 16))[0].shape))  # (3, 16)
    print(tuple(run(LSTMCell(10, 16, bias=False))[0].shape))  # (3, 16)
