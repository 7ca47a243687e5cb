import mindspore
from torch import nn
from mindspore import ops
from onecell.mindspore import LSTMCell

cell = LSTMCell(10, 16)
read = mindspore.nn.GRU(10, 8)


def run(x, lengths):
    # TODO(onecell): packed: a pack is used for more than a recurrent layer of this file; give MindSpore's layer the padded rows and `seq_length=lengths`
    pack = nn.utils.rnn.pack_padded_sequence(x, lengths)
    print(pack.batch_sizes)
    out, h = read(pack)
    # TODO(onecell): packed: MindSpore pads what a layer gives with zeros; give MindSpore's layer the padded rows and `seq_length=lengths`
    return nn.utils.rnn.pad_packed_sequence(out, padding_value=-1.0)


def other(x, lengths):
    kept = x[: int(mindspore.Tensor(lengths).max())]
    out, h = read(kept, seq_length=mindspore.Tensor(lengths))
    return ops.pad(out, (0, 0, 0, 0, 0, 9 - out.shape[0])), mindspore.Tensor(lengths)
