import mindspore
from mindspore.nn import LSTMCell


def make(inputs, hidden, *, bias=True, dtype="float32"):
    return LSTMCell(inputs, hidden, has_bias=bias, dtype=getattr(mindspore, dtype))


def tensor(array):
    return mindspore.Tensor(array)


def array(given):
    return given.asnumpy()


def parameters(cell):
    return {each.name: array(each) for each in cell.get_parameters()}


def put(cell, values):
    for name, value in values.items():
        getattr(cell, name).set_data(tensor(value))
    return cell


def gradients(cell, x, h, c):
    def loss(x, h, c):
        h_next, c_next = cell(x, (h, c))
        return h_next.sum() + c_next.sum()

    own = list(cell.get_parameters())
    differentiate = mindspore.grad(loss, (0, 1, 2), weights=own)
    by_inputs, by_parameters = differentiate(tensor(x), tensor(h), tensor(c))
    names = ["x", "h", "c", *(each.name for each in own)]
    return {n: array(each) for n, each in zip(names, (*by_inputs, *by_parameters))}


def signature():
    return {"constructor": LSTMCell.__init__, "call": LSTMCell.construct}
