import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class Reader(nn.Module):
    def __init__(self, batch_first=True):
        super().__init__()
        self.batch_first = batch_first
        self.rows_first = True
        self.read = nn.LSTM(10, 8, batch_first=batch_first, bidirectional=True)
        self.turned = nn.GRU(16, 16)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths, batch_first=self.batch_first)
        out, (last, _) = self.read(packed)
        out, _ = pad_packed_sequence(out, batch_first=self.batch_first, total_length=7)
        out = out if self.batch_first else out.transpose(0, 1)
        pack = pack_padded_sequence(out, lengths, batch_first=self.rows_first)
        more = self.turned(pack)[0]
        more, _ = pad_packed_sequence(more)
        again, _ = self.turned(pack_padded_sequence(more, lengths))
        return out, last, pad_packed_sequence(again, batch_first=True)[0]


class Model(nn.Module):
    def __init__(self, batch_first):
        super().__init__()
        self.reader = Reader(batch_first)
        self.batch_first = batch_first
        self.cell = nn.LSTMCell(16, 16)

    def forward(self, x, h, c):
        x = x if self.batch_first else x.transpose(0, 1)
        out, last, again = self.reader(x, torch.tensor([5, 3, 2]))
        h, c = self.cell(again.sum(1), (h, c))
        return out, last, h, c


class Both(nn.Module):
    def __init__(self):
        super().__init__()
        self.rows = Model(True)
        self.steps = Model(False)

    def forward(self, x, h, c):
        return self.rows(x, h, c), self.steps(x, h, c)


def build():
    return Both()


def run(model, x, h, c):
    return model(x, h, c)
