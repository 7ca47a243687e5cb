import torch
import torch.optim
import torch.utils.data
import torch.utils.data as batches
from torch.utils import data
from torch.utils.data import DataLoader


def sizes(n: int):
    return torch.zeros(n, 3), torch.nn.Linear(3, 2)


def loaders(rows):
    yield torch.utils.data.DataLoader(rows)
    yield batches.DataLoader(rows)
    yield data.DataLoader(rows)
    yield DataLoader(rows)
