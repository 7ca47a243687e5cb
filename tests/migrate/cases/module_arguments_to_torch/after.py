from torch import nn


class Loss(nn.Module):
    def __init__(self, net):
        # TODO(onecell): method: `mindspore.nn.Cell` takes other arguments in torch; leave them out, if they are not needed
        super().__init__(auto_prefix=False)
        self.net = net
        self.loss = nn.MSELoss()


cell = nn.LSTMCell(10, 16)
