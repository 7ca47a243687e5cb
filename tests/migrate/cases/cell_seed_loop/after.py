import mindspore
from onecell.mindspore import LSTMCell


def build():
    return LSTMCell(10, 16)


def run(rnn, input, hx, cx):
    output = []
    for i in range(input.shape[0]):
        hx, cx = rnn(input[i], (hx, cx))
        output.append(hx)
    return output
