import torch
import torch.backends.cudnn as cudnn
from torch import nn

cudnn.benchmark = True
torch.backends.cudnn.deterministic = True
torch.cuda.manual_seed_all(3)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        torch.cuda.empty_cache()
        return h * (torch.cuda.device_count() + 1), c if not torch.cuda.is_available() else h


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
