import torch
from onecell.mindspore import LSTMCell


def save_nested(content, path):
    """Save tensors and plain values, in dictionaries and lists, as a MindSpore checkpoint.

    A tensor is called by its keys, with dots between; "plain values" is the rest, as JSON.
    """
    import argparse, json, os
    import mindspore, numpy

    tensors = {}

    def is_tensor(value):
        return isinstance(value, (mindspore.Tensor, numpy.ndarray))

    def rest(value, name):
        inner = f"{name}." if name else ""
        if is_tensor(value):
            if name in tensors or not value.size:
                raise ValueError(f"`{name}` is empty, or there twice.")
            tensors[name] = mindspore.Tensor(value)
            return None
        if isinstance(value, argparse.Namespace):
            return {"": rest(vars(value), name)}
        if isinstance(value, dict):
            left = [[key, each, rest(each, f"{inner}{key}")] for key, each in value.items()]
            if not all(isinstance(key, str) and key for key in value):
                return {"": [[key, plain] for key, _, plain in left]}
            return {key: plain for key, each, plain in left if not is_tensor(each)}
        if isinstance(value, (list, tuple)):
            return [rest(each, f"{inner}{place}") for place, each in enumerate(value)]
        if isinstance(value, numpy.generic):
            return value.item()
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        raise TypeError(f"`{name}` is a {type(value).__name__}: of a model, save `state_dict()`.")

    plain = rest(content, "tensor" if is_tensor(content) else "")
    text = {"plain values": json.dumps(plain)} if plain != {} or not tensors else None
    path = path.name if hasattr(path, "write") else os.fspath(path)
    named = [{"name": name, "data": tensor} for name, tensor in tensors.items()]
    mindspore.save_checkpoint(named, f"{path}.ckpt", append_dict=text)
    os.replace(f"{path}.ckpt", path)  # under its own name: MindSpore adds an end to another
    os.chmod(path, 0o644)


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
