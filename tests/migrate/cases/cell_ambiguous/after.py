import torch


def fake():
    # TODO(onecell): unknown: the name may be something else here; import it once, by one name
    return torch


torch = fake()
# TODO(onecell): cell: the name may be something else here; import it once, by one name
cell = torch.nn.LSTMCell(10, 16)
