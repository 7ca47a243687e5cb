import torch
from torch import nn
from torch.autograd import Variable


def variable(x, **kwargs):
    return Variable(x, **kwargs)


class Model(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.cell = nn.LSTMCell(10, width)
        self.rnn = nn.LSTM(16, 5)
        self.head = nn.Linear(width, 3)
        self.shift = nn.Parameter(torch.Tensor(width))
        for m in self.modules():
            if isinstance(m, nn.Linear) or isinstance(m, nn.Conv1d):
                m.bias.data.fill_(0)
            elif isinstance(m, nn.LSTMCell):
                m.bias_ih.data.fill_(0)

    def forward(self, x, h, c):
        self.rnn.flatten_parameters()
        h, c = self.cell(x, (h, c))
        zeros = h.new_zeros(torch.Size((3, 16)))
        size = torch.Size([48])
        out, _ = self.rnn((h + zeros).unsqueeze(0))
        return out, self.head(variable(h)), (c + self.shift).view(size)


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
