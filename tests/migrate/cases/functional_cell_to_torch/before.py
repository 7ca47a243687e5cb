from mindspore import ops

step = ops.BasicLSTMCell(1.0, 1.0, True, "tanh")
