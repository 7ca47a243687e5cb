import torch
import torch.nn.functional as F
from torch import nn


class Smooth(nn.Module):
    def __init__(self, words):
        super().__init__()
        self.cell = nn.LSTMCell(10, words)
        one_hot = torch.full((words,), 0.1 / (words - 2))
        one_hot[0] = 0
        self.register_buffer("one_hot", one_hot.unsqueeze(0))

    def forward(self, x, target):
        h, c = self.cell(x)
        wanted = self.one_hot.repeat(target.size(0), 1)
        wanted.scatter_(1, target.unsqueeze(-1), 0.9)
        wanted.masked_fill_((target == 0).unsqueeze(-1), 0)
        longer = self.one_hot.new_tensor([0.5], requires_grad=False)
        loss = F.kl_div(F.log_softmax(h, dim=-1), wanted, reduction="none").sum(-1)
        return loss * longer, c


def build():
    return Smooth(6)


def run(model, x, target):
    return model(x, target)
