from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        best, at = h.max(1)
        first = c.topk(2, dim=1).values
        scores = c.softmax(1) + h.log_softmax(dim=-1) + h.relu() + c.amax(dim=1, keepdim=True)
        scores = scores + 0 * c.softmax(1).multinomial(2).sum() + c.argmin(1).double().mean().float()
        return scores / h.norm(2) + drawn(h) + best.unsqueeze(1), first + at.float().mean()


def drawn(rows):
    """What is given is a tensor, which nothing here shows."""
    return rows / rows.norm(2, dim=1, keepdim=True) + rows.flip(0) + rows.repeat(1, 1, 1)[0]


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
