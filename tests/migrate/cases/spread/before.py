import numpy as np
from torch import nn


def scaled(x):
    return (x - x.mean()) / x.std()


def measure(model):
    drawn = np.random.randn(7)
    h, c = model(np.ones((3, 10)))
    return drawn.std(), h.var(0), c.median()


def build():
    return nn.LSTMCell(10, 16)
