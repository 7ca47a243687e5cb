from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.conv = nn.Conv2d(2, 3, (2, 3), padding=(1, 1, 2, 2), pad_mode='pad')
        self.norm = nn.BatchNorm2d(3, momentum=0.8).set_train()
        self.pool = nn.MaxPool2d(2, stride=2)

    def construct(self, picture, x, h, c):
        y = self.pool(self.norm(self.conv(picture)))
        h, c = self.cell(x, (h, c))
        return h, c, y.sum()


def build():
    return Model()


def run(model, picture, x, h, c):
    return model(picture, x, h, c)
