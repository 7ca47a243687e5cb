import torch
from onecell.mindspore import LSTMCell

cell = LSTMCell(10, 16)


# TODO(onecell): no_grad: MindSpore's needs its parentheses; call it
@torch.no_grad
def step(x):
    return cell(x)
