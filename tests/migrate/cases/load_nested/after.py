from onecell.mindspore import LSTMCell


# written: load_nested


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
