from onecell.mindspore import LSTMCell


def build():
    model = LSTMCell(10, 16)
    return model


def run(model, x, h, c):
    return model(x, (h, c))
