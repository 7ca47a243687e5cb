from mindspore import nn
from onecell.mindspore import LSTMCell


class Vocabulary:
    def __init__(self):
        self.words = ["a"] * 16

    def size(self):
        return len(self.words)


class Model(nn.Cell):
    def __init__(self, vocabulary):
        super().__init__()
        self.vocabulary = vocabulary
        # TODO(onecell): method: `size` of something that this file does not show to be a tensor; if it is one, it is `shape` there
        self.cell = LSTMCell(10, self.vocabulary.size())

    def construct(self, x):
        return self.cell(x.view(*x.shape))


def build():
    vocabulary = Vocabulary()
    print(vocabulary.size())
    return Model(vocabulary)


def run(model, x):
    rows, columns = x.shape
    return model(x)
