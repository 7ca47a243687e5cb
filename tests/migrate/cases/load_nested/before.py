import torch
from torch import nn

cell = nn.LSTMCell(10, 16)
run = torch.load("best.pt")
cell.load_state_dict(run["model"])
other = torch.load("other.pt")["state_dict"]
last = torch.load("last.pt")
print(last.get("epoch"))
flat = torch.load("flat.pt")
print(flat["cell.weight_ih"], flat["weight_hh"])


def load(path, **how):
    cell.load_state_dict(torch.load(path, **how))
    with open(path, "rb") as file:
        return torch.load(file, map_location=lambda storage, loc: storage, encoding="latin1")
