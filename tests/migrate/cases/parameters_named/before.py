from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.norm = nn.LayerNorm(16)


def decayed(model: nn.Module):
    return [p for name, p in model.named_parameters() if "weight" in name]


def sizes(model: nn.Module):
    return [p.shape for _, p in model.named_parameters()]
