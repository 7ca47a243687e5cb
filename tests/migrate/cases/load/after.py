import mindspore
from onecell.mindspore import LSTMCell


def build():
    model = LSTMCell(10, 16)
    model.load_state_dict(mindspore.load_checkpoint("cell.ckpt"))
    return model
