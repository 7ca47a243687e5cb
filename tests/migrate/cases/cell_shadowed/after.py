from onecell.mindspore import LSTMCell


class Fake:
    LSTMCell = dict


def build():
    return LSTMCell(10, 16)


def run(model, x, h, c):
    nn = Fake()
    assert nn.LSTMCell(bias=1) == {"bias": 1}  # not torch.nn.LSTMCell
    return model(x, (h, c))
