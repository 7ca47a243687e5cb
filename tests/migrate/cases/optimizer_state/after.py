from mindspore.experimental import optim
from onecell.mindspore import LSTMCell


# written: save_nested


# written: load_nested


def optimizer_state_(optimizer):
    """Return what an optimizer has gathered, and its rates."""
    own = {parameter.name for parameter in optimizer.parameters}
    state = optimizer.state_dict()
    return {
        "state": {name: value for name, value in state.items() if name not in own},
        "param_groups": [{"lr": float(group["lr"])} for group in optimizer.param_groups],
    }


# written: load_optimizer


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
