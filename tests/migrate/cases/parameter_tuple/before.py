from mindspore import Parameter, ParameterTuple, Tensor, nn, ops


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.first = nn.Dense(5, 5)
        self.weights = ParameterTuple(self.first.trainable_params())

    def construct(self, x):
        return ops.tanh(self.first(x)) * self.weights[1]


def made():
    return ParameterTuple([Parameter(Tensor([1.0, 2.0]), name="one")])


def build():
    return Model()


def run(model, x):
    return model(x)
