import torch
from onecell.mindspore import LSTMCell


# written: save_nested


def build():
    return LSTMCell(10, 16)


def save(cell: LSTMCell, encoder, path):
    save_nested(build(), path)
    # TODO(onecell): save: a whole module is a pickle of its class, and MindSpore's files hold tensors; save its `state_dict()`, and load that into one made anew
    torch.save({"cell": cell, "epoch": 3}, path)
    state = {"encoder": encoder}
    # TODO(onecell): save: a whole module is a pickle of its class, and MindSpore's files hold tensors; save its `state_dict()`, and load that into one made anew
    torch.save(state, path)


def load(path):
    # TODO(onecell): load: a whole module is a pickle of its class, and MindSpore's files hold tensors; save its `state_dict()`, and load that into one made anew
    model = torch.load(path)
    model.set_train(False)
    # TODO(onecell): load: a whole module is a pickle of its class, and MindSpore's files hold tensors; save its `state_dict()`, and load that into one made anew
    both = torch.load(path)
    encoder = both["encoder"]
    return model, encoder


class Player:
    def __init__(self, model):
        self.model = model

    def save(self, path):
        with open(path, "wb") as file:
            # TODO(onecell): save: a whole module is a pickle of its class, and MindSpore's files hold tensors; save its `state_dict()`, and load that into one made anew
            torch.save(self, file)

    @staticmethod
    def load(path):
        # TODO(onecell): load: a whole module is a pickle of its class, and MindSpore's files hold tensors; save its `state_dict()`, and load that into one made anew
        return torch.load(path)
