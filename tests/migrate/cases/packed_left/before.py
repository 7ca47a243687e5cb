from torch import nn

cell = nn.LSTMCell(10, 16)
read = nn.GRU(10, 8)


def run(x, lengths):
    pack = nn.utils.rnn.pack_padded_sequence(x, lengths)
    print(pack.batch_sizes)
    out, h = read(pack)
    return nn.utils.rnn.pad_packed_sequence(out, padding_value=-1.0)


def other(x, lengths):
    kept = nn.utils.rnn.pack_padded_sequence(x, lengths)
    out, h = read(kept)
    return nn.utils.rnn.pad_packed_sequence(out, total_length=9)
