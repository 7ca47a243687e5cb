from torch.nn import *

cell = LSTMCell(10, 16)
