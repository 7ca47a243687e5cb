import io
import torch
from mindspore import nn, ops


# written: save_nested


def build():
    return nn.LSTMCell(10, 16)


def save(model, path="cell.ckpt"):
    save_nested([ops.zeros(2), 1], "rows.ckpt")
    buffer = io.BytesIO()
    # TODO(onecell): save: MindSpore writes and reads files by name alone; give it a file's name
    torch.save(model.state_dict(), buffer)
    save_nested(model.state_dict(), path)
    save_nested(collected(), path)
