from mindspore.nn import LSTMCell


def build():
    return LSTMCell(10, 16)


def run(model: LSTMCell, x, h_0, c_0):
    h, c = model(x, (h_0, c_0))
    return model(x=x, hx=(h, c))
