import torch
import mindspore as ms
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(3, 4)

    def forward(self, x, h, c):
        return self.cell(x, (h, c))


net = Net()
torch.save(net.state_dict(), "x.pt")
torch.save({**net.state_dict(), "epoch": torch.as_tensor(3), "lr": torch.as_tensor(0.1)}, "y.pt")
torch.save({each["name"]: each["data"] for each in [{"name": "a", "data": net.cell.weight_ih}]}, "z.pt")
params = torch.load("x.pt")
net.load_state_dict(params, strict=False)
not_loaded, _ = net.load_state_dict(params, strict=False)
full = torch.load("y.pt")
epoch = int(full["epoch"])
net.load_state_dict(torch.load("x.pt"), strict=False)
net.load_state_dict(torch.load("x.pt"), strict=False)
torch.save(net.state_dict(), "p.pt")


def save(model, other, path, epoch):
    torch.save({**model.state_dict(), "epoch": torch.as_tensor(epoch), "name": "a"}, path)
    # TODO(onecell): save: what is saved is not seen to be a module; save the state_dict of one model
    ms.save_checkpoint(other, path)
    # TODO(onecell): load: it fills a net, and what it returns is used; write two statements
    found = ms.load_checkpoint(path, net)
    return found
