from onecell.torch import LSTMCell


def build(cell):
    # TODO(onecell): wrap: `from_torch` is onecell's alone; use `--target onecell`
    return LSTMCell.from_torch(cell)
