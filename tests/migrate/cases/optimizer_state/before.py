import torch
from torch import nn, optim

cell = nn.LSTMCell(10, 16)
adam = optim.Adam(cell.parameters(), lr=0.1)


def save(optimizer, lr_scheduler):
    torch.save({"a": adam.state_dict(), "o": optimizer.state_dict()}, "both.pt")
    torch.save(adam.state_dict(), "adam.pt")
    return lr_scheduler.state_dict()


def load(optimizer):
    both = torch.load("both.pt")
    adam.load_state_dict(both["a"])
    optimizer.load_state_dict(both["o"])
    adam.load_state_dict(torch.load("adam.pt"))


def save_last(optimizer):
    optimizer_state = optimizer.state_dict()
    torch.save({"optimizer": optimizer_state}, "last.pt")
