import torch
from torch import nn


class Chooser(nn.Module):
    def __init__(self, options, smooth=0.3):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.rnn = nn.LSTM(16, 12)
        self.head = nn.Linear(12, options)
        level = smooth / options
        self.level = torch.full((options,), level)
        self.half = torch.full((2,), smooth * 0.5)

    @property
    def input_size(self):
        return self.rnn.input_size

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        out, _ = self.rnn(h.view(-1, 1, self.input_size))
        scores = self.head(out.squeeze(1)) + self.level
        if x.is_cuda:
            scores = scores.cuda()
        picked = []
        for row in scores:
            best = torch.argmax(row, dim=0).view(1)
            picked.append(best)
            picked.append(0)
        picked = torch.tensor(picked)
        first = torch.tensor([picked[0], 1])
        rows = scores[range(2), first]
        return scores, picked, first, rows * self.half, torch.isfinite(scores / first[1])


def build():
    return Chooser(4)


def run(model, x, h, c):
    return model(x, h, c)
