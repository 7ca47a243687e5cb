from onecell.mindspore import LSTMCell


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


cell = LSTMCell(10, 16)
run = load_nested("best.ckpt")
cell.load_state_dict(run["model"])
other = load_nested("other.ckpt")["state_dict"]
last = load_nested("last.ckpt")
print(last.get("epoch"))
flat = load_nested("flat.ckpt")
print(flat["cell.weight_ih"], flat["weight_hh"])


def load(path, **how):
    cell.load_state_dict(load_nested(path))
    with open(path, "rb") as file:
        return load_nested(file)
