from torch import nn

cell = nn.LSTMCell(10, 16)


def named(whole, other):
    flat = whole.view(-1)
    flat.copy_(other)
    return whole.sum()


def chained(whole, other):
    whole.squeeze(0).copy_(other)
    whole.detach().t().copy_(other)
    cell.weight_ih.data.t().copy_(other)
    fresh = whole.clone()
    fresh.copy_(other)
    return fresh
