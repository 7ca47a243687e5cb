from onecell.mindspore import LSTMCell


def build():
    return LSTMCell.from_mindspore(LSTMCell(10, 16))


def run(model, x, h, c):
    return model(x, (h, c))
