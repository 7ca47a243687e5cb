from onecell.mindspore import LSTMCell

cell = LSTMCell(10, 16)


def count(task):
    # TODO(onecell): method: `parameters` of something that this file does not show to be a module; if it is one, it is `get_parameters`
    return sum(len(p) for p in task.model.parameters())
