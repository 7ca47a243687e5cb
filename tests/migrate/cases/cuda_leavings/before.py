import torch
import torch.nn as nn

use_cuda = torch.cuda.is_available()

# One card is enough,
# whichever it is.
if torch.cuda.is_available():
    # the fast kernels
    torch.backends.cudnn.benchmark = True  # found once

if use_cuda:
    torch.cuda.manual_seed(3)
else:
    print("without a card")

try:
    torch.backends.cudnn.deterministic = True
except AttributeError:
    print("an old one")
else:
    seed = 3

# ----------------------------------------------------------------------
torch.backends.cudnn.enabled = False
if torch.cuda.is_available(): torch.cuda.empty_cache()
else: seed = 4


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, state):
        h, c = state
        # to the card
        x, h = x.cpu(), h.cpu(); c = c.cpu()
        if use_cuda and x.dim() == 2:
            c = c.cuda()
        if x.dim() == 3:
            x = x[0]
        elif use_cuda:
            x = x.cuda()
        # what is computed
        x = x.cpu()
        h, c = self.cell(x, (h, c))
        return h, c


def build():
    return moved(Model())


def moved(model):
    if use_cuda:
        model = model.cuda()
    return model


def run(model, x, h, c):
    return model(x, (h, c))
