from torch import nn
from onecell.torch import LSTMCell


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(3, 4)
        self.out = nn.Linear(4, 2)

    def start(self, row):
        self.out.weight.data[0] = row
        self.cell.weight_ih.data[1] *= 2
