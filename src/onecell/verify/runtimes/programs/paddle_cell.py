"""paddle.nn.LSTMCell, on the CPU."""


def load(dialect):
    """Import Paddle; return its version."""
    global paddle
    import paddle

    paddle.set_device("cpu")
    return f"paddle {paddle.__version__}"


class Cell:
    """One cell."""

    def __init__(self, dialect, arrays, dtype):
        paddle.set_default_dtype(dtype)
        (_, inputs), (_, hidden) = arrays["weight_ih"].shape, arrays["weight_hh"].shape
        no_bias = {} if "bias_ih" in arrays else {"bias_ih_attr": False, "bias_hh_attr": False}
        self.cell = paddle.nn.LSTMCell(inputs, hidden, **no_bias)
        self.parameters = {name: getattr(self.cell, name) for name in arrays}
        for name, array in arrays.items():
            self.parameters[name].set_value(array)

    def step(self, x, h, c):
        """Return (h', c')."""
        x, h, c = (paddle.to_tensor(each) for each in (x, h, c))
        with paddle.no_grad():
            _, state = self.cell(x, (h, c))
        return tuple(each.numpy() for each in state)

    def gradients(self, x, h, c, grad_h_all, grad_c_last):
        """Return what paddle.grad gives."""
        given = [paddle.to_tensor(each, stop_gradient=False) for each in (x, h, c)]
        rows, h, c = given
        loss = paddle.zeros([])
        for row, up in zip(rows, grad_h_all):
            _, (h, c) = self.cell(row, (h, c))
            loss = loss + (h * paddle.to_tensor(up)).sum()
        loss = loss + (c * paddle.to_tensor(grad_c_last)).sum()
        found = paddle.grad(loss, [*given, *self.parameters.values()])
        return {n: g.numpy() for n, g in zip(["x", "h", "c", *self.parameters], found)}
