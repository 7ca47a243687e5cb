from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.norm = nn.LayerNorm((16,), epsilon=1e-05)


def decayed(model: nn.Cell):
    # TODO(onecell): method: embeddings and layer norms call their parameters otherwise in mindspore; tell parameters apart by what holds them
    return [p for name, p in model.named_parameters() if "weight" in name]


def sizes(model: nn.Cell):
    return [p.shape for _, p in model.parameters_and_names()]
