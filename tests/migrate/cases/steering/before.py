import mindspore as ms
from mindspore import context, nn, ops

context.set_context(mode=context.PYNATIVE_MODE)


class Model(nn.Cell):
    def __init__(self):
        super().__init__(auto_prefix=True)
        self.dense = nn.Dense(5, 4)

    @ms.jit
    def construct(self, x):
        return ops.tanh(self.dense(x))


def build():
    ms.set_context(device_target="CPU")
    return Model()


def run(model, x):
    return model(x)
