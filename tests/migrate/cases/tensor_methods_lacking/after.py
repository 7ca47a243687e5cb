from onecell.mindspore import LSTMCell

cell = LSTMCell(10, 16)


def step(x):
    h, c = cell(x)
    # TODO(onecell): method: `roll` of a tensor has no exact counterpart
    # TODO(onecell): method: `select` of a tensor has no exact counterpart; write `x[:, i]`, with a colon for each axis before
    # TODO(onecell): method: `out` has no exact counterpart
    # TODO(onecell): method: `unfold` of a tensor has no exact counterpart; put slices together by `mindspore.ops.stack`
    return h.roll(1), c.select(0, 1), h.amax(1, out=c), c.unfold(0, 1, 1)
