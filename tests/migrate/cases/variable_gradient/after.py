import torch
from torch.autograd import Variable
from onecell.mindspore import LSTMCell

cell = LSTMCell(10, 16)
# TODO(onecell): variable: `requires_grad` has no counterpart: MindSpore differentiates functions; name the tensor in `grad_position` of mindspore.value_and_grad
x = Variable(torch.zeros(3, 10), requires_grad=True)
h, c = cell(x)
h.sum().item()
print(x.grad)
