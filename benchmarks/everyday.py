"""Time calls of `onecell.torch.LSTMCell` and `LSTM` as people write them, beside torch's own.

Both run in one process, by turns, each some milliseconds at a time; a ratio is the median over
rounds of torch's time divided by ours, in processor time and on the clock. Above 1 ours is faster.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import parametrizations, weight_norm

from onecell.torch import LSTM, LSTMCell

Call = Callable[[], object]
Row = tuple[str, str, Callable[[Any], Call], tuple[int, int]]
SMALL, LARGE = (10, 4, 10, 16), (20, 16, 128, 128)
TINY, WIDE = (5, 3, 1, 51), (5, 16, 256, 256)
STEP, ALONE = (8, 64, 64), (1, 128, 128)


def _loop(size: tuple[int, int, int, int], *, training: bool) -> Callable[[Any], Call]:
    """Go over the steps of a batch-first input."""
    steps, batch, width, hidden = size

    def make(cell: Any) -> Call:  # noqa: ANN401
        x, state = torch.randn(batch, steps, width), torch.zeros(2, batch, hidden).unbind()

        def run() -> Tensor:
            s, every = state, []
            for t in range(steps):
                s = cell(x[:, t], s)
                every.append(s[0])
            return torch.stack(every, 1).sum()

        def train() -> None:
            cell.zero_grad()
            run().backward()

        return train if training else torch.no_grad()(run)

    return make


def _compiled(size: tuple[int, int, int, int], *, training: bool) -> Callable[[Any], Call]:
    """Compile the whole loop by Inductor, for either cell."""
    steps, batch, width, hidden = size

    def make(cell: Any) -> Call:  # noqa: ANN401
        xs, state = torch.randn(steps, batch, width), torch.zeros(2, batch, hidden).unbind()

        def loop(x: Tensor) -> Tensor:
            s = state
            for t in range(steps):
                s = cell(x[t], s)
            last: Tensor = s[0]
            return last

        run = torch.compile(loop)

        def train() -> None:
            cell.zero_grad()
            run(xs).sum().backward()

        return train if training else torch.no_grad()(lambda: run(xs))

    return make


def _step(kind: str, how: str, sizes: tuple[int, int, int]) -> Callable[[Any], Call]:
    batch, width, hidden = sizes

    def make(cell: Any) -> Call:  # noqa: ANN401
        x, state = torch.randn(batch, width), torch.randn(2, batch, hidden).unbind()
        wide = torch.randn(batch, 3, width)
        row, alone = torch.randn(width), torch.randn(2, hidden).unbind()
        calls: dict[str, Callable[[], Any]] = {
            "as usual": lambda: cell(x, state),
            "no state": lambda: cell(x),
            "strided x": lambda: cell(wide[:, 1], state),
            "one row": lambda: cell(row, alone),
            "autocast": lambda: cell(x, state),
        }
        once = calls[kind]
        if kind == "autocast":
            once = torch.autocast("cpu")(once)

        def back() -> None:
            cell.zero_grad()
            h, c = once()
            (h.sum() + c.sum()).backward()

        return {"inference": torch.no_grad()(once), "recorded": once, "and back": back}[how]

    return make


def _computed(kind: str, size: tuple[int, int, int, int]) -> Callable[[Any], Call]:
    steps, batch, width, hidden = size

    def make(cell: Any) -> Call:  # noqa: ANN401
        x, state = torch.randn(steps, batch, width), torch.zeros(2, batch, hidden).unbind()
        call, below = cell, list(cell.parameters())
        if kind == "weight_norm":
            weight_norm(cell, "weight_hh")
        elif kind == "parametrizations":
            parametrizations.weight_norm(cell, "weight_hh")
        elif kind == "FSDP1":
            from torch.distributed.fsdp import FullyShardedDataParallel  # noqa: PLC0415

            call = FullyShardedDataParallel(cell, device_id=torch.device("cpu"))
        below = list(call.parameters())

        def run() -> None:
            for parameter in below:
                parameter.grad = None
            one: Callable[..., Any] = call
            if kind == "functional_call":
                named = {name: 1.01 * p for name, p in cell.named_parameters()}
                one = lambda *given: torch.func.functional_call(cell, named, given)  # noqa: E731
            s, loss = state, torch.zeros(())
            for row in x:
                s = one(row, s)
                loss = loss + s[0].sum()
            loss.backward()

        return run

    return make


def _lstm(kind: str, size: tuple[int, int, int, int], *, training: bool) -> Callable[[Any], Call]:
    """Call a whole LSTM, of the same make as the cell."""
    steps, batch, width, hidden = size
    options = {"num_layers": 2, "bidirectional": True} if kind == "two layers, both ways" else {}

    def make(cell: Any) -> Call:  # noqa: ANN401
        lstm = (LSTM if isinstance(cell, LSTMCell) else torch.nn.LSTM)(width, hidden, **options)
        x: Any = torch.randn(steps, batch, width)
        if kind == "packed":
            lengths = torch.linspace(steps, 1, batch).long()
            x = torch.nn.utils.rnn.pack_padded_sequence(x, lengths)

        def train() -> None:
            lstm.zero_grad()
            h_all, (_, c) = lstm(x)
            ((h_all.data if kind == "packed" else h_all).sum() + c.sum()).backward()

        return train if training else torch.no_grad()(lambda: lstm(x))

    return make


def rows() -> Iterator[Row]:
    """Give every row: its name, its sizes, what makes a call of a cell, and the cell's sizes."""
    for size in (SMALL, LARGE):
        for name, training in (("inference", False), ("training", True)):
            work = f"loop, batch first, {name}"
            yield work, ", ".join(map(str, size)), _loop(size, training=training), size[2:]
    for size in (TINY, WIDE):
        for name, training in (("inference", False), ("training", True)):
            work = f"loop, compiled, {name}"
            yield work, ", ".join(map(str, size)), _compiled(size, training=training), size[2:]
    for kind in ("as usual", "no state", "strided x", "one row", "autocast"):
        for step in (STEP, ALONE)[: 2 if kind == "as usual" else 1]:
            for how in ("inference", "recorded", "and back"):
                name = ", ".join(map(str, (1, *step)))
                yield f"step, {kind}, {how}", name, _step(kind, how, step), step[1:]
    for kind in ("weight_norm", "parametrizations", "functional_call", "FSDP1"):
        for size in (SMALL, LARGE):
            name = ", ".join(map(str, size))
            yield f"loop, training, {kind}", name, _computed(kind, size), size[2:]
    for kind in ("one layer", "two layers, both ways", "packed"):
        for size in ((1, 1, 10, 16), SMALL, LARGE):
            for how, training in (("inference", False), ("training", True)):
                name = ", ".join(map(str, size))
                yield f"LSTM, {kind}, {how}", name, _lstm(kind, size, training=training), size[2:]


def ratios(make: Callable[[Any], Call], sizes: tuple[int, int], rounds: int) -> tuple[float, float]:
    """Return torch's time divided by ours: of the processors, and on the clock."""
    own, ours = torch.nn.LSTMCell(*sizes), LSTMCell(*sizes)
    ours.load_state_dict(own.state_dict())
    both = [make(own), make(ours)]
    for call in both:
        for _ in range(20):
            call()
    begin = time.perf_counter()
    both[0]()
    count = max(1, int(0.015 / (time.perf_counter() - begin)))
    found: list[tuple[float, float]] = []
    for turn in range(rounds):
        times = {}
        for which in (0, 1) if turn % 2 else (1, 0):
            cpu, wall = time.process_time(), time.perf_counter()
            for _ in range(count):
                both[which]()
            times[which] = time.process_time() - cpu, time.perf_counter() - wall
        found.append((times[0][0] / times[1][0], times[0][1] / times[1][1]))
    return statistics.median(f[0] for f in found), statistics.median(f[1] for f in found)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", default="", help="rows whose name has this in it")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    wanted = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(wanted.threads)
    store: Any = vars(torch.distributed)["HashStore"]()
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    found = []
    for name, size, make, sizes in rows():
        if wanted.only in name:
            cpu, wall = ratios(make, sizes, wanted.rounds)
            found.append({"work": name, "size": size, "cpu": round(cpu, 3), "time": round(wall, 3)})
            if not wanted.json:
                print(f"{name:40} {size:18} {cpu:.2f}× {wall:.2f}×", flush=True)
    if wanted.json:
        print(json.dumps(found))
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
