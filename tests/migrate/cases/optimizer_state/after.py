from mindspore.experimental import optim
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


def load_nested(path):
    """Load what `save_nested` has saved; any other MindSpore checkpoint as one dictionary."""
    import argparse, json, os, tempfile
    import mindspore

    def made(found):
        inner = found.get("", found)
        if isinstance(inner, list):
            return dict(inner)
        return found if inner is found else argparse.Namespace(**inner)

    path = os.path.abspath(path.name if hasattr(path, "read") else path)
    os.stat(path)
    with tempfile.TemporaryDirectory() as folder:
        link = path
        if not path.endswith(".ckpt"):  # MindSpore loads no file that is called otherwise
            link = os.path.join(folder, "link.ckpt")
            os.symlink(path, link)
        tensors = mindspore.load_checkpoint(link)
    content = json.loads(tensors.pop("plain values", "{}"), object_hook=made)
    places = {}

    def find(place, prefix):
        place = vars(place) if isinstance(place, argparse.Namespace) else place
        items = list(enumerate(place) if isinstance(place, list) else place.items())
        places[prefix] = place, {str(key): key for key, _ in items}
        for key, each in items:
            if isinstance(each, (dict, list, argparse.Namespace)):
                find(each, f"{prefix}{key}.")

    if content is None:
        return mindspore.Tensor(tensors["tensor"])
    find(content, "")
    for name, value in tensors.items():
        prefix = name
        while prefix not in places:
            prefix = prefix[: prefix[:-1].rfind(".") + 1]
        place, keys = places[prefix]
        key = name[len(prefix) :]
        place[keys.get(key, key)] = value if isinstance(value, str) else mindspore.Tensor(value)
    return content


def optimizer_state_(optimizer):
    """Return what an optimizer has gathered, and its rates."""
    own = {parameter.name for parameter in optimizer.parameters}
    state = optimizer.state_dict()
    return {
        "state": {name: value for name, value in state.items() if name not in own},
        "param_groups": [{"lr": float(group["lr"])} for group in optimizer.param_groups],
    }


def load_optimizer(optimizer, saved):
    """Give an optimizer back what `optimizer_state` has returned."""
    state = optimizer.state_dict()
    for name, value in saved["state"].items():
        state[name].set_data(value)
    for group, kept in zip(optimizer.param_groups, saved["param_groups"]):
        group["lr"] = kept["lr"]


cell = LSTMCell(10, 16)
adam = optim.AdamW(cell.trainable_params(), lr=0.1, weight_decay=0)


def save(optimizer, lr_scheduler):
    save_nested({"a": optimizer_state_(adam), "o": optimizer_state_(optimizer)}, "both.ckpt")
    save_nested(optimizer_state_(adam), "adam.ckpt")
    # TODO(onecell): method: MindSpore's schedulers have no `state_dict`; save and set its `last_epoch` yourself
    return lr_scheduler.state_dict()


def load(optimizer):
    both = load_nested("both.ckpt")
    load_optimizer(adam, both["a"])
    load_optimizer(optimizer, both["o"])
    load_optimizer(adam, load_nested("adam.ckpt"))


def save_last(optimizer):
    optimizer_state = optimizer_state_(optimizer)
    save_nested({"optimizer": optimizer_state}, "last.ckpt")
