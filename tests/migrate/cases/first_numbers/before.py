import math

from mindspore import Parameter, nn
from mindspore.common.initializer import Normal, Uniform, initializer


class Layers(nn.Cell):
    def __init__(self, width):
        super().__init__()
        small = Uniform(scale=1 / math.sqrt(width))
        self.weight = Parameter(initializer(small, (width, 5)), name="weight")
        self.bias = Parameter(initializer("zeros", [width]), "bias")
        self.dense = nn.Dense(5, width, weight_init="xavier_uniform", bias_init=Normal(0.02))
        self.scale = nn.Dense(5, width, Normal(sigma=0.1), has_bias=False)
        self.reset()

    def reset(self):
        for weight in self.get_parameters():
            weight.set_data(initializer("ones", weight.shape))

    def construct(self, x):
        return self.dense(x) + self.scale(x) * self.bias + x @ self.weight.T


def build():
    return Layers(3)


def run(model, x):
    return model(x)
