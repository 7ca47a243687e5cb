from mindspore import nn, ops
import torch
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)

    def construct(self, x, h, c):
        counts = {"steps": 0}
        states = [h, c]
        # TODO(onecell): in_place: torch changes `states[0]` for whatever else holds it too, MindSpore does not; assign to `states[0]` if nothing else is to change
        states[0] += torch.tanh(c)
        for state in states:
            # TODO(onecell): in_place: torch changes `state` for whatever else holds it too, MindSpore does not; assign to `state` if nothing else is to change
            state *= torch.tanh(h)
        counts["steps"] += 1
        out = ops.zeros((2, 3, 16))
        out[0] += self.cell(x, (h, c))[0]
        return out, counts


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
