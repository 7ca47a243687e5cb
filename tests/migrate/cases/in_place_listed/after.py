from mindspore import nn, ops
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self, total):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.total = total
        self.count = 0

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        both, named = [h, c], {"h": h}
        # TODO(onecell): in_place: torch changes `both[0]` for whatever else holds it too, MindSpore does not; assign to `both[0]` if nothing else is to change
        both[0] += 1
        # TODO(onecell): in_place: torch changes `named["h"]` for whatever else holds it too, MindSpore does not; assign to `named["h"]` if nothing else is to change
        named["h"] += 1
        fresh = [ops.zeros(2) for _ in range(3)]
        fresh[0] += 1
        for each in fresh:
            # TODO(onecell): in_place: torch changes `each` for whatever else holds it too, MindSpore does not; assign to `each` if nothing else is to change
            each += 1
        for i, each in enumerate(both):
            # TODO(onecell): in_place: torch changes `each` for whatever else holds it too, MindSpore does not; assign to `each` if nothing else is to change
            each *= i
        # TODO(onecell): in_place: torch changes `self.total` for whatever else holds it too, MindSpore does not; assign to `self.total` if nothing else is to change
        self.total += h
        self.count += h
        for number in [1, 2]:
            number += 1
        return both, named
