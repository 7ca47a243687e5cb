from torch import nn
from onecell.mindspore import LSTMCell

cell = LSTMCell(10, 16)
# TODO(onecell): initializer: `torch.nn.init.trunc_normal_` draws other numbers than `TruncatedNormal`; `p.set_data(initializer(TruncatedNormal(…), p.shape, p.dtype))`, if its distribution will do
nn.init.trunc_normal_(cell.weight_ih, std=0.02)
# TODO(onecell): initializer: what an initializer returns is used; give the parameter its numbers on a line of its own: `p.set_data(initializer(Constant(0), p.shape, p.dtype))`
kept = nn.init.zeros_(cell.bias_ih)
# TODO(onecell): initializer: only part of a parameter gets its numbers; `p.set_data(initializer(Normal(std, mean), p.shape, p.dtype))`
nn.init.normal_(cell.bias_hh[4:8])
for part in cell.weight_hh.chunk(4):
    # TODO(onecell): initializer: part of a tensor gets its numbers by another name; set it in the tensor itself: `p[a:b] = initializer(XavierNormal(gain), p[a:b].shape, p.dtype).init_data()`
    nn.init.xavier_normal_(part)
