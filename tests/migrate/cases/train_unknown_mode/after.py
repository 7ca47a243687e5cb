from onecell.mindspore import LSTMCell

cell = LSTMCell(10, 16)


def begin(model, machine, data):
    # TODO(onecell): method: `train` of something that this file does not show to be a module; if it is one, it is `set_train`; so too the next line
    model.train(False)
    model.train(mode=True)
    machine.train(data)
