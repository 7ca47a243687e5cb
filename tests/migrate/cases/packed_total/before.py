import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.read = nn.LSTM(10, 8, batch_first=True, bidirectional=True)
        self.again = nn.GRU(10, 16)
        self.cell = nn.LSTMCell(16, 16)

    def forward(self, x, h, c):
        total = x.size(1)
        lengths = torch.tensor([5, 3, 2])
        rows = x
        x = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        out, (last, _) = self.read(x)
        out, lengths = pad_packed_sequence(out, batch_first=True, total_length=total)
        steps = pack_padded_sequence(torch.transpose(rows, 0, 1), lengths)
        steps, _ = self.again(steps)
        steps, _ = pad_packed_sequence(steps, total_length=9)
        c = c + steps[6] + steps[0]
        h, c = self.cell(out.sum(1), (h, c))
        return out, last, h, c * lengths.sum()


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
