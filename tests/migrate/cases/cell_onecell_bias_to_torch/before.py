from onecell.mindspore import LSTMCell


def build():
    return LSTMCell(10, 16, bias=False)


def run(model: LSTMCell, x, h, c):
    return model(x, h, c)
