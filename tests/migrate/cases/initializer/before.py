import math

import torch
import torch.nn as nn
import torch.nn.init as init


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.head = nn.Linear(16, 5)
        bound = 1 / math.sqrt(16)
        init.uniform_(self.cell.weight_ih, -bound, bound)
        init.uniform_(self.cell.weight_hh, 0.1, 0.3)
        init.orthogonal_(self.cell.weight_hh, gain=1.5)
        init.normal_(self.cell.bias_ih, 0, 0.02)
        init.zeros_(self.cell.bias_hh)
        init.xavier_normal_(self.head.weight, gain=nn.init.calculate_gain("relu"))
        nn.init.kaiming_uniform_(self.head.weight, mode="fan_out", nonlinearity="relu")
        nn.init.constant_(self.head.bias, 0.5)
        nn.init.ones_(self.head.bias[2:])
        for name, p in self.head.named_parameters():
            if "weight" in name:
                nn.init.xavier_uniform_(p)

        for part in self.parameters():
            nn.init.uniform_(part, -0.1, 0.1)
        self.memory = torch.zeros([3, 4])
        nn.init.kaiming_uniform_(self.memory)
        nn.init.uniform_(self.memory, 0.0, 0.2)
        nn.init.constant_(self.memory, 2)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return self.head(h), c, self.memory


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
