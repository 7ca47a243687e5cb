"""What Lightning and Accelerate start in two processes: training with both cells.

`trainers.py FOLDER TRAINER` leaves there `TRAINER.json`: {"apart": how far the parameters with our
cell end from those with torch's, "moved": how far training has moved them, "threads": of torch and
of onecell}.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import onecell
import onecell.torch

STEPS, ROWS, INPUT, HIDDEN = 4, 12, 5, 9


class Net(nn.Module):
    """A cell in a loop, and its loss."""

    def __init__(self, kind: type[nn.LSTMCell]) -> None:
        super().__init__()
        torch.manual_seed(7)
        self.cell = kind(INPUT, HIDDEN)

    def forward(self, x: Tensor) -> Tensor:
        state = (x.new_full((len(x), HIDDEN), 0.25), x.new_full((len(x), HIDDEN), -0.5))
        total = x.new_zeros(())
        for row in x.unbind(1):
            state = self.cell(row, state)
            total = total + state[0].square().mean() + state[1].sin().mean()
        return total


def data() -> DataLoader[Any]:
    rows = torch.randn(ROWS, STEPS, INPUT, generator=torch.Generator().manual_seed(3))
    return DataLoader(TensorDataset(rows), batch_size=2, shuffle=False)


def by_lightning(net: Net, folder: Path) -> None:
    import lightning

    class Module(lightning.LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def training_step(self, batch: Any, _: int) -> Tensor:
            loss: Tensor = self.net(batch[0])
            return loss

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.5)

    trainer = lightning.Trainer(
        accelerator="cpu",
        devices=2,
        strategy="ddp",
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
    )
    trainer.fit(Module(), data())


def by_accelerate(net: Net, _: Path) -> None:
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=True)
    model, optimizer, loader = accelerator.prepare(
        net, torch.optim.SGD(net.parameters(), lr=0.5), data()
    )
    for (x,) in loader:
        optimizer.zero_grad()
        accelerator.backward(model(x))
        optimizer.step()


def main() -> None:
    """Train with both cells, and let the first process write."""
    warnings.simplefilter("ignore")
    folder, trainer = Path(sys.argv[1]), sys.argv[2]
    train = {"lightning": by_lightning, "accelerate": by_accelerate}[trainer]
    begun = [p.detach().clone() for p in Net(nn.LSTMCell).parameters()]
    ends = []
    for kind in (nn.LSTMCell, onecell.torch.LSTMCell):
        net = Net(kind)
        train(net, folder)
        ends.append([p.detach() for p in net.parameters()])

    def furthest(one: list[Tensor], other: list[Tensor]) -> float:
        return max(float((a - b).abs().max()) for a, b in zip(one, other, strict=True))

    assert torch.distributed.get_world_size() == 2
    if torch.distributed.get_rank() == 0:
        threads = [torch.get_num_threads(), onecell.get_num_threads()]
        said = {"apart": furthest(*ends), "moved": furthest(begun, ends[0]), "threads": threads}
        (folder / f"{trainer}.json").write_text(json.dumps(said))


if __name__ == "__main__":
    main()
