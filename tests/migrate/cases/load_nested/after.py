import mindspore
import torch
from onecell.mindspore import LSTMCell

cell = LSTMCell(10, 16)
# TODO(onecell): load: `model` is read out of what is loaded, and MindSpore's checkpoints are flat; tensors of `model` are called `model.…` there, or without that if all are
run = torch.load("best.pt")
cell.load_state_dict(run["model"])
# TODO(onecell): load: `state_dict` is read out of what is loaded, and MindSpore's checkpoints are flat; tensors of `state_dict` are called `state_dict.…` there, or without that if all are
other = torch.load("other.pt")["state_dict"]
# TODO(onecell): load: `epoch` is read out of what is loaded, and MindSpore's checkpoints are flat; tensors of `epoch` are called `epoch.…` there, or without that if all are
last = torch.load("last.pt")
print(last.get("epoch"))
flat = mindspore.load_checkpoint("flat.ckpt")
print(flat["cell.weight_ih"], flat["weight_hh"])
