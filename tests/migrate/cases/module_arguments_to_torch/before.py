from mindspore import nn


class Loss(nn.Cell):
    def __init__(self, net):
        super().__init__(auto_prefix=False)
        self.net = net
        self.loss = nn.MSELoss()


cell = nn.LSTMCell(10, 16)
