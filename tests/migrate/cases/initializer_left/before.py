from torch import nn

cell = nn.LSTMCell(10, 16)
nn.init.trunc_normal_(cell.weight_ih, std=0.02)
kept = nn.init.zeros_(cell.bias_ih)
nn.init.normal_(cell.bias_hh[4:8])
for part in cell.weight_hh.chunk(4):
    nn.init.xavier_normal_(part)
