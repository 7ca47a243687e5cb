from torch import nn

cell = nn.LSTMCell(10, 16)


def begin(model, machine, data):
    model.train(False)
    model.train(mode=True)
    machine.train(data)
