from onecell.mindspore import LSTMCell

cell = LSTMCell(10, 16)


def step(x):
    h, c = cell(x)
    # TODO(onecell): method: `relu` of a tensor has no exact counterpart
    # TODO(onecell): method: `log_softmax` of a tensor has no exact counterpart
    # TODO(onecell): method: `amax` of a tensor has other keywords in MindSpore
    return h.relu(), c.log_softmax(-1), h.amax(dim=1)
