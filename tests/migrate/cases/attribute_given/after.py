import mindspore
from mindspore import nn, ops
from mindspore.common.initializer import Constant, Normal, Uniform, initializer
from onecell.mindspore import LSTMCell


def on_device(part):
    return part


def start_cell(cell):
    for name, _ in cell.parameters_and_names():
        value = getattr(cell, name)
        if "weight" in name:
            value.data.copy_(ops.rand_like(value) * (0.1 - (-0.1)) + (-0.1))
        elif "bias" in name:
            value.data.copy_(ops.full_like(value, 0.5))


def start_linear(linear):
    linear.weight.set_data(initializer(Normal(0.1, 0.0), linear.weight.shape, linear.weight.dtype))
    linear.bias.set_data(initializer(Constant(0), linear.bias.shape, linear.bias.dtype))


def start_table(table):
    table.embedding_table.set_data(initializer(Normal(1.0, 0.0), table.embedding_table.shape, table.embedding_table.dtype))


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        start_cell(self.cell)
        self.head = nn.Dense(16, 5)
        start_linear(self.head)
        self.embed = nn.Embedding(7, 10, embedding_table=Normal(1.0))
        start_table(self.embed)
        self.embed.embedding_table.set_data(initializer(Uniform(0.2), self.embed.embedding_table.shape, self.embed.embedding_table.dtype))
        self.embed = on_device(self.embed)
        self.norm = nn.LayerNorm((16,), epsilon=1e-05)

    def construct(self, tokens, h, c):
        h, c = self.cell(self.embed(tokens), (h, c))
        return self.head(self.norm(h)), c


def build():
    return Model()


def run(model, tokens, h, c):
    return model(tokens, h, c)
