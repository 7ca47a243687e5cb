"""What each of the processes does that `torchrun` starts: train with both cells in many ways.

`ranks.py FOLDER` leaves there `found.json`: {way: {cell's way of running: what came of it}}, either
{"apart": how far the parameters with our cell end from those with torch's, "moved": how far
training has moved them, "between": how far two ranks are apart} or {"raised": what was}. Beside it
lie `saved-CELL`, folders of torch.distributed.checkpoint, and `whole-CELL.pt`, the same parameters;
CELL is torch or onecell.
"""

from __future__ import annotations

import contextlib
import json
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import bf16_compress_hook
from torch.distributed.checkpoint.state_dict_saver import save
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import FullyShardedDataParallel, fully_shard
from torch.distributed.tensor import DTensor, Placement, Replicate, Shard, distribute_tensor
from torch.nn.parallel import DistributedDataParallel

import onecell
import onecell.torch
from torch_cells import by_loop, by_unroll

STEPS, ROWS, WIDTH, INPUT, HIDDEN, OUT = 4, 3, 6, 5, 9, 2
RATE, ROUNDS = 0.5, 3
ALONE = "every rank alone"
"""What must leave the ranks apart."""
Make: TypeAlias = Callable[["Model"], tuple[Any, Any]]
"""Takes a model, and returns what is called and its optimizer."""


class Model(nn.Module):
    """A cell between two layers, and a layer that a loss may leave out."""

    def __init__(
        self, kind: type[nn.LSTMCell], run: Any, dtype: torch.dtype, *, all_used: bool
    ) -> None:
        super().__init__()
        torch.manual_seed(7)
        self.below = nn.Linear(WIDTH, INPUT, dtype=dtype)
        self.cell = kind(INPUT, HIDDEN, dtype=dtype)
        self.head = nn.Linear(HIDDEN, OUT, dtype=dtype)
        self.rest = nn.Linear(2, 3, dtype=dtype)
        self._run, self._all_used = run, all_used

    def forward(self, x: Tensor) -> Tensor:
        size = (x.shape[1], HIDDEN)
        state = (x.new_full(size, 0.25), x.new_full(size, -0.5))
        h_all, (_, c) = self._run(self.cell, self.below(x), state)
        loss: Tensor = self.head(h_all).square().mean() + c.sin().mean()
        return loss + self.rest(x.new_ones(2)).square().sum() if self._all_used else loss


def descent(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), lr=RATE, momentum=0.9)


def replicated(**options: Any) -> Make:
    def make(model: Model) -> tuple[Any, Any]:
        made = DistributedDataParallel(model, **options)
        return made, descent(made)

    return make


def compressed(model: Model) -> tuple[Any, Any]:
    made, optimizer = replicated()(model)
    # torch refuses its own hook beside gloo, by name; it works there.
    hook = lambda state, bucket: bf16_compress_hook(state, bucket)  # noqa: E731, PLW0108
    made.register_comm_hook(dist.group.WORLD, hook)
    return made, optimizer


def zero(model: Model) -> tuple[Any, Any]:
    from torch.distributed.optim import ZeroRedundancyOptimizer  # whose import warns

    made = DistributedDataParallel(model)
    given: dict[str, Any] = {"lr": RATE, "momentum": 0.9}
    return made, ZeroRedundancyOptimizer(made.parameters(), torch.optim.SGD, **given)


def sharded(mesh: DeviceMesh, *parts: str) -> Make:
    """Shard some parts of a model, and then what is left in one piece."""

    def make(model: Model) -> tuple[Any, Any]:
        for part in parts:
            fully_shard(getattr(model, part), mesh=mesh)
        fully_shard(model, mesh=mesh)
        return model, descent(model)

    return make


def flat(*, original: bool) -> Make:
    def make(model: Model) -> tuple[Any, Any]:
        cpu = torch.device("cpu")
        made = FullyShardedDataParallel(model, device_id=cpu, use_orig_params=original)
        return made, descent(made)

    return make


def distributed(mesh: DeviceMesh, place: Placement) -> Make:
    """Make every parameter a DTensor, the cell's at `place`, and wrap what goes in and out."""

    class Wrapped(nn.Module):
        def __init__(self, model: Model) -> None:
            super().__init__()
            self.model = model
            for module in model.modules():
                where = place if module is model.cell else Replicate()
                for name, p in [*module.named_parameters(recurse=False)]:
                    made = nn.Parameter(distribute_tensor(p.detach(), mesh, [where]))
                    module.register_parameter(name, made)

        def forward(self, x: Tensor) -> Tensor:
            # Each rank has other rows: together they are one tensor, sharded along the batch.
            loss: Any = self.model(DTensor.from_local(x, mesh, [Shard(1)]))
            return loss.full_tensor()  # type: ignore[no-any-return]

    def make(model: Model) -> tuple[Any, Any]:
        made = Wrapped(model)
        return made, descent(made)

    return make


def ways(mesh: DeviceMesh) -> dict[str, tuple[Make, dict[str, Any]]]:
    """Return every way by its name, with what is special in it."""
    return {
        ALONE: (lambda model: (model, descent(model)), {}),
        "DDP": (replicated(), {}),
        "DDP, buckets": (replicated(bucket_cap_mb=0.0002), {}),
        "DDP, gradients that are views of buckets": (replicated(gradient_as_bucket_view=True), {}),
        "DDP, no_sync": (replicated(), {"passes": 3}),
        "DDP, static graph": (replicated(static_graph=True), {}),
        "DDP, unused parameters": (replicated(find_unused_parameters=True), {"all_used": False}),
        # In float64, where no last place decides which way bfloat16 rounds.
        "DDP, bf16 compression": (compressed, {"dtype": torch.float64}),
        "DDP, ZeroRedundancyOptimizer": (zero, {}),
        "FSDP2, the cell": (sharded(mesh, "cell"), {}),
        "FSDP2, the cell and the layer below": (sharded(mesh, "cell", "below"), {"saved": True}),
        "FSDP2, the root": (sharded(mesh), {}),
        "FSDP1": (flat(original=True), {}),
        "FSDP1, flat parameters": (flat(original=False), {}),
        "DTensor, replicated": (distributed(mesh, Replicate()), {}),
        "DTensor, sharded": (distributed(mesh, Shard(0)), {}),
    }


def whole(model: Any) -> dict[str, Tensor]:
    """Return all parameters, in one piece each, on every rank."""
    inner = model.module if hasattr(model, "module") else getattr(model, "model", model)
    is_flat = isinstance(model, FullyShardedDataParallel)
    with (
        FullyShardedDataParallel.summon_full_params(model) if is_flat else contextlib.nullcontext()
    ):
        named = {
            name: p.full_tensor() if isinstance(p, DTensor) else p
            for name, p in inner.named_parameters()
        }
        return {name: p.detach().clone() for name, p in named.items()}


def train(
    kind: type[nn.LSTMCell],
    run: Any,
    make: Make,
    *,
    passes: int = 1,
    dtype: torch.dtype = torch.float32,
    all_used: bool = True,
    saved: bool = False,
) -> tuple[dict[str, Tensor], float]:
    """Return the parameters after some steps, and how far those moved the cell's."""
    model, optimizer = make(Model(kind, run, dtype, all_used=all_used))
    begun = whole(model)
    rows = torch.Generator().manual_seed(100 + dist.get_rank())
    for _ in range(ROUNDS):
        for place in range(passes):
            x = torch.randn(STEPS, ROWS, WIDTH, dtype=dtype, generator=rows)
            with model.no_sync() if place + 1 < passes else contextlib.nullcontext():
                model(x).backward()
        optimizer.step()
        optimizer.zero_grad()
    found = whole(model)
    if saved:
        folder = Path(sys.argv[1])
        name = kind.__module__.partition(".")[0]
        save({"model": model.state_dict()}, checkpoint_id=folder / f"saved-{name}")
        if dist.get_rank() == 0:
            torch.save(found, folder / f"whole-{name}.pt")
    return found, furthest(begun["cell.weight_hh"], found["cell.weight_hh"])


def furthest(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max())


def outcome(make: Make, run: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Train with torch's cell and with ours, and compare."""
    cells = ((nn.LSTMCell, by_loop), (onecell.torch.LSTMCell, run))
    made, raised = [], []
    for kind, way in cells:
        try:
            made.append(train(kind, way, make, **options))
        except Exception as error:
            raised.append((kind.__module__, type(error).__name__, traceback.format_exc()))
    if raised:
        return {"raised": raised}
    (want, moved), (got, _) = made
    apart = max(furthest(got[name], one) for name, one in want.items())
    between = 0.0
    for one in got.values():
        other = one.clone()
        dist.broadcast(other, 0)
        between = max(between, furthest(one, other))
    total = torch.tensor([apart, between], dtype=torch.float64)
    dist.all_reduce(total, dist.ReduceOp.MAX)
    return {"apart": float(total[0]), "between": float(total[1]), "moved": moved}


def outcomes(mesh: DeviceMesh) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, (make, options) in ways(mesh).items():
        yield name, {run.__name__: outcome(make, run, options) for run in (by_loop, by_unroll)}


def main() -> None:
    """Do all of it, and let rank 0 write."""
    warnings.simplefilter("ignore")  # what torch says of its own FSDP and gloo
    dist.init_process_group("gloo")
    mesh = init_device_mesh("cpu", (dist.get_world_size(),))
    found: dict[str, Any] = dict(outcomes(mesh))
    found["threads"] = {"torch": torch.get_num_threads(), "onecell": onecell.get_num_threads()}
    if dist.get_rank() == 0:
        Path(sys.argv[1], "found.json").write_text(json.dumps(found))
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
