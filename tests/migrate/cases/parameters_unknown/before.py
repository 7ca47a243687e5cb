from torch import nn

cell = nn.LSTMCell(10, 16)


def count(task):
    return sum(len(p) for p in task.model.parameters())
