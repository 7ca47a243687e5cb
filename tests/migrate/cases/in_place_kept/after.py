from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)

    def construct(self, x, h, c):
        outputs = []
        for _ in range(3):
            h, c = self.cell(x, (h, c))
            outputs.append(h)
            # TODO(onecell): in_place: torch changes `h` for whatever else holds it too, MindSpore does not; assign to `h` if nothing else is to change
            h += c
        return outputs


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
