"""What each of the workers does that `msrun` starts: train both cells, gradients reduced, and say.

`workers.py FOLDER` leaves there `found.json`: {mode: {"apart": how far the parameters with our cell
end from those with MindSpore's, "moved": how far training has moved them, "between": how far ours
are from the mean over the workers}}.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops
from mindspore.communication import get_group_size, get_rank, init

import onecell.mindspore

I, H, ROWS, STEPS = 5, 7, 3, 4  # noqa: E741


class Loss(nn.Cell):  # type: ignore[misc]
    """The loss of some steps of a cell."""

    def __init__(self, cell: Any) -> None:
        super().__init__()
        self.cell = cell

    def construct(self, x: Tensor, h: Tensor, c: Tensor) -> Tensor:
        total = ops.zeros((), ms.float32)
        for t in range(STEPS):
            h, c = self.cell(x[t], (h, c))
            total = total + (h * h).mean() + ops.sin(c).mean()
        return total


def train(kind: Any, *, compiled: bool) -> tuple[list[Any], list[Any]]:
    """Return the parameters before and after three steps."""
    np.random.seed(0)  # noqa: NPY002 - what MindSpore's initialisers draw from
    ms.set_seed(0)
    net = Loss(kind(I, H))
    weights = net.trainable_params()
    begun = [p.asnumpy().copy() for p in weights]
    optimizer = nn.SGD(weights, learning_rate=0.5)
    reduce = nn.DistributedGradReducer(weights)
    pull = ms.value_and_grad(net, None, weights)

    def step(x: Tensor, h: Tensor, c: Tensor) -> Tensor:
        loss, grads = pull(x, h, c)
        optimizer(reduce(grads))
        return loss

    run = ms.jit(step) if compiled else step
    rows = np.random.default_rng(get_rank())
    for _ in range(3):
        run(
            *(
                Tensor(rows.normal(size=size).astype(np.float32))
                for size in ((STEPS, ROWS, I), (ROWS, H), (ROWS, H))
            )
        )
    return begun, [p.asnumpy() for p in weights]


def furthest(one: list[Any], other: list[Any]) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(one, other, strict=True))


def main() -> None:
    """Train in both modes, and let worker 0 write."""
    ms.set_context(mode=ms.PYNATIVE_MODE, device_target="CPU")
    init()
    ms.set_auto_parallel_context(parallel_mode="data_parallel", gradients_mean=True)
    found = {}
    for mode, compiled in (("PyNative", False), ("graph", True)):
        begun, want = train(nn.LSTMCell, compiled=compiled)
        _, got = train(onecell.mindspore.LSTMCell, compiled=compiled)
        mean = [ops.AllReduce()(Tensor(a)).asnumpy() / get_group_size() for a in got]
        found[mode] = {
            "apart": furthest(got, want),
            "moved": furthest(begun, want),
            "between": furthest(got, mean),
        }
    if get_rank() == 0:
        Path(sys.argv[1], "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
