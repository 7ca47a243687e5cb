"""How people train in MindSpore: our cell goes where its own goes; two workers by `msrun`."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn, ops

from mindspore_cells import by_loop, by_unroll, of_mindspore, ours, tensor
from problems import problem

P = problem()
PATIENT = {
    "MS_DISABLE_HEARTBEAT": "1", "MS_RECEIVE_MSG_TIMEOUT": "300", "MS_NODE_TIMEOUT": "300"
}  # fmt: skip
"""Else a worker ends itself where the machine leaves one of them without a turn for 15 seconds."""
CLOSE = 2e-4
"""MindSpore's tanh on a CPU is off by up to 1e-4."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What two workers say; they are started once."""
    place = tmp_path_factory.mktemp("workers")
    program = Path(__file__).with_name("workers.py")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    here = Path(sys.executable).parent
    count = ["--worker_num=2", "--local_worker_num=2", "--join=True", f"--log_dir={place / 'log'}"]
    command = [str(here / "msrun"), *count, f"--master_port={port}", str(program), str(place)]
    environment = {**os.environ, "PATH": f"{here}{os.pathsep}{os.environ['PATH']}", **PATIENT}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=400, env=environment
    )
    logs = [path.read_text()[-2000:] for path in (place / "log").glob("worker_*.log")]
    assert done.returncode == 0, (done.stderr[-2000:], logs)
    read: dict[str, Any] = json.loads((place / "found.json").read_text())
    return read


@pytest.mark.parametrize("mode", ["PyNative", "graph"])
def test_two_workers_end_where_mindspores_cell_ends(found: dict[str, Any], mode: str) -> None:
    assert found[mode]["moved"] > 1e-2
    assert found[mode]["apart"] < CLOSE
    assert found[mode]["between"] < 1e-6


class Loss(nn.Cell):  # type: ignore[misc]
    """The loss of a model, for the classes that train one."""

    def __init__(self, cell: Any, run: Any) -> None:
        super().__init__()
        self.cell, self.run = cell, run

    def construct(self, x: Tensor, target: Tensor) -> Tensor:
        h_all, _ = self.run(self.cell, x.swapaxes(0, 1), (tensor(P.h), tensor(P.c)))
        return ops.mean((h_all.swapaxes(0, 1) - target) ** 2)


@pytest.mark.parametrize("run", [by_loop, by_unroll])
def test_a_model_of_mindspores_trains(run: Any) -> None:
    def train(cell: Any, run: Any) -> list[Any]:
        rows = np.swapaxes(P.x, 0, 1)
        target = np.full((*rows.shape[:2], 16), 0.5, np.float32)
        data = ms.dataset.NumpySlicesDataset((rows, target), shuffle=False).batch(len(rows))
        optimizer = nn.SGD(cell.trainable_params(), learning_rate=1.0)
        model = ms.train.Model(Loss(cell, run), optimizer=optimizer)
        model.train(3, data, dataset_sink_mode=False)
        return [p.asnumpy() for p in cell.trainable_params()]

    begun = [p.asnumpy().copy() for p in ours(P).trainable_params()]
    got, want = train(ours(P), run), train(of_mindspore(P), by_loop)
    assert max(np.abs(a - b).max() for a, b in zip(want, begun, strict=True)) > 1e-3
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=CLOSE)


def test_gradients_accumulate() -> None:
    def train(cell: Any) -> list[Any]:
        weights = cell.trainable_params()
        optimizer = nn.SGD(weights, learning_rate=0.5)
        loss = Loss(cell, by_loop)
        pull = ms.value_and_grad(loss, None, weights)
        rows = np.swapaxes(P.x, 0, 1)
        for _ in range(2):
            total: Any = None
            for part in (rows, -rows):
                _, grads = pull(Tensor(part), ops.zeros((*part.shape[:2], 16)))
                total = (
                    grads if total is None else [a + b for a, b in zip(total, grads, strict=True)]
                )
            optimizer(tuple(total))
        return [p.asnumpy() for p in weights]

    for a, b in zip(train(ours(P)), train(of_mindspore(P)), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=CLOSE)
