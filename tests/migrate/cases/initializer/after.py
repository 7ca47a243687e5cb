import math

import mindspore.nn as nn
from mindspore import ops
from mindspore.common.initializer import Constant, HeUniform, Normal, Orthogonal, Uniform, XavierNormal, XavierUniform, initializer
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.head = nn.Dense(16, 5)
        bound = 1 / math.sqrt(16)
        self.cell.weight_ih.set_data(initializer(Uniform(bound), self.cell.weight_ih.shape, self.cell.weight_ih.dtype))
        self.cell.weight_hh.set_data(ops.rand_like(self.cell.weight_hh) * (0.3 - 0.1) + 0.1)
        self.cell.weight_hh.set_data(initializer(Orthogonal(1.5), self.cell.weight_hh.shape, self.cell.weight_hh.dtype))
        self.cell.bias_ih.set_data(initializer(Normal(0.02, 0), self.cell.bias_ih.shape, self.cell.bias_ih.dtype))
        self.cell.bias_hh.set_data(initializer(Constant(0), self.cell.bias_hh.shape, self.cell.bias_hh.dtype))
        self.head.weight.set_data(initializer(XavierNormal(2**0.5), self.head.weight.shape, self.head.weight.dtype))
        self.head.weight.set_data(initializer(HeUniform(0, "fan_out", "relu"), self.head.weight.shape, self.head.weight.dtype))
        self.head.bias.set_data(initializer(Constant(0.5), self.head.bias.shape, self.head.bias.dtype))
        self.head.bias[2:] = 1.0
        for name, p in self.head.parameters_and_names():
            if "weight" in name:
                p.set_data(initializer(XavierUniform(1.0), p.shape, p.dtype))

        for part in self.get_parameters():
            part.set_data(initializer(Uniform(0.1), part.shape, part.dtype))
        self.memory = ops.zeros([3, 4])
        self.memory.copy_(initializer(HeUniform(0, 'fan_in', 'leaky_relu'), self.memory.shape, self.memory.dtype).init_data())
        self.memory.copy_(ops.rand_like(self.memory) * 0.2)
        self.memory.copy_(initializer(Constant(2), self.memory.shape, self.memory.dtype).init_data())

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return self.head(h), c, self.memory


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
