from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.head = nn.Sequential()
        self.head.add_module("out", nn.Linear(16, 5))

    def forward(self, x):
        h, c = self.cell(x)
        return self.head(h)


model = Model()
model.register_forward_pre_hook(print)
