from mindspore import ops

# TODO(onecell): functional_cell: the cell as a function has no counterpart; make an LSTMCell and give it these weights
step = ops.BasicLSTMCell(1.0, 1.0, True, "tanh")
