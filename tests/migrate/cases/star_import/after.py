# TODO(onecell): star_import: it may bring the cell; name what the module uses
from torch.nn import *

cell = LSTMCell(10, 16)
