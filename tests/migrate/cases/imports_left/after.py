import mindspore
import torch.utils.data
import torch.utils.data as batches
from torch.utils import data
from torch.utils.data import DataLoader
from mindspore import ops


def sizes(n: int):
    return ops.zeros((n, 3)), mindspore.nn.Dense(3, 2)


def loaders(rows):
    # TODO(onecell): unknown: `torch.utils.data.DataLoader` is not in the table; use `mindspore.dataset.GeneratorDataset`, or a plain loop over arrays
    yield torch.utils.data.DataLoader(rows)
    # TODO(onecell): unknown: `torch.utils.data.DataLoader` is not in the table; use `mindspore.dataset.GeneratorDataset`, or a plain loop over arrays
    yield batches.DataLoader(rows)
    # TODO(onecell): unknown: `torch.utils.data.DataLoader` is not in the table; use `mindspore.dataset.GeneratorDataset`, or a plain loop over arrays
    yield data.DataLoader(rows)
    # TODO(onecell): unknown: `torch.utils.data.DataLoader` is not in the table; use `mindspore.dataset.GeneratorDataset`, or a plain loop over arrays
    yield DataLoader(rows)
