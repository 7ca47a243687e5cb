import torch
from torch import nn
from torch.autograd import Variable

cell = nn.LSTMCell(10, 16)
x = Variable(torch.zeros(3, 10), requires_grad=True)
h, c = cell(x)
h.sum().item()
print(x.grad)
