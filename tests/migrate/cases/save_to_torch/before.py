import mindspore as ms
from mindspore import nn


class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(3, 4)

    def construct(self, x, h, c):
        return self.cell(x, (h, c))


net = Net()
ms.save_checkpoint(net, "x.ckpt")
ms.save_checkpoint(net, "y.ckpt", append_dict={"epoch": 3, "lr": 0.1})
ms.save_checkpoint([{"name": "a", "data": net.cell.weight_ih}], "z.ckpt")
params = ms.load_checkpoint("x.ckpt")
ms.load_param_into_net(net, params)
not_loaded, _ = ms.load_param_into_net(net, params)
full = ms.load_checkpoint("y.ckpt")
epoch = int(full["epoch"])
ms.load_checkpoint("x.ckpt", net)
ms.load_checkpoint("x.ckpt", net=net)
ms.save_checkpoint(net.parameters_dict(), "p.ckpt")


def save(model, other, path, epoch):
    ms.save_checkpoint(model, path, append_dict={"epoch": epoch, "name": "a"})
    ms.save_checkpoint(other, path)
    found = ms.load_checkpoint(path, net)
    return found
