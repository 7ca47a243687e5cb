from torch import nn


class LinearCell(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, h, c):
        return self.cell(x, (h, c))


def weights_init(m):
    classname = m.__class__.__name__
    if classname.find("Linear") != -1:
        m.weight.data.fill_(0.5)
    elif type(m).__name__ == "LinearCell" or classname.startswith("Conv"):
        m.bias = None
