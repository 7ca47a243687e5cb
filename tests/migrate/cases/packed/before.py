import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.read = nn.LSTM(10, 8, batch_first=True, bidirectional=True)
        self.cell = nn.LSTMCell(16, 16)

    def forward(self, x, h, c):
        lengths = torch.tensor([5, 3, 2])
        x = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        out, (last, _) = self.read(x)
        out, lengths = pad_packed_sequence(out, batch_first=True)
        h, c = self.cell(out.sum(1), (h, c))
        return out, last, h, c * lengths.sum()


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
