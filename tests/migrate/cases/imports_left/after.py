import mindspore
import torch.utils.data
import torch.utils.data as batches
from torch.utils import data
from torch.utils.data import ChainDataset
from mindspore import ops


def sizes(n: int):
    return ops.zeros((n, 3)), mindspore.nn.Dense(3, 2)


def loaders(rows):
    # TODO(onecell): unknown: `torch.utils.data.ChainDataset` is not in the table; use `mindspore.dataset.GeneratorDataset`, or a plain loop over arrays; so too the next 3 lines
    yield torch.utils.data.ChainDataset(rows)
    yield batches.ChainDataset(rows)
    yield data.ChainDataset(rows)
    yield ChainDataset(rows)
