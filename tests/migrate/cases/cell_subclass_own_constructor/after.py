from mindspore import nn


class Named(nn.LSTMCell):
    name = "cell"


def build():
    return Named(10, 16, has_bias=False)


def run(model: Named, x, h, c):
    return model(x=x, hx=(h, c))
