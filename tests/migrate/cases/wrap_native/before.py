from onecell.torch import LSTMCell


def build(cell):
    return LSTMCell.from_torch(cell)
