"""Train the character model of examples/charlm on several workers: Ray Train, and DDP within.

    python train_charlm.py charlm.pt --workers 2

Its cells are exchanged for onecell's by one line; `examples/charlm/generate.py` reads the result.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

import ray
from ray.train import Checkpoint, RunConfig, ScalingConfig, get_context, report
from ray.train.torch import TorchConfig, TorchTrainer, prepare_model

CHARLM = Path(__file__).parents[1] / "charlm"


def train(options: dict[str, Any]) -> None:
    """Train on one worker; DDP averages the gradients of all."""
    import random  # noqa: PLC0415 - a worker's imports, from the folder that Ray sends along

    import torch  # noqa: PLC0415
    from data import Vocabulary, load_text  # noqa: PLC0415
    from model import CharLM  # noqa: PLC0415

    from onecell.torch import LSTMCell  # noqa: PLC0415

    torch.manual_seed(0)
    draw = random.Random(get_context().get_world_rank())  # noqa: S311 - no secrets
    text = load_text()
    vocabulary = Vocabulary(text)
    numbers = vocabulary.encode(text)
    model = CharLM(len(vocabulary))
    if options["cell"] == "onecell":
        for name, cell in model.layers.named_children():
            model.layers.register_module(name, LSTMCell.from_torch(cell))  # type: ignore[arg-type]
    spread = prepare_model(model)
    optimizer = torch.optim.Adam(spread.parameters(), lr=5e-3)
    for step in range(options["steps"]):
        starts = [draw.randrange(len(numbers) - 128) for _ in range(8)]
        windows = torch.tensor([numbers[start : start + 129] for start in starts]).T
        scores = spread(windows[:-1])
        loss = torch.nn.functional.cross_entropy(scores.flatten(0, 1), windows[1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 10 == 9 or step + 1 == options["steps"]:
            keep(model.state_dict(), loss.item(), last=step + 1 == options["steps"])


def keep(state: dict[str, Any], loss: float, *, last: bool) -> None:
    """Report the loss, which every worker must, and at the end the weights, which one does."""
    import torch  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        checkpoint = None
        if last and get_context().get_world_rank() == 0:
            torch.save(state, f"{folder}/charlm.pt")
            checkpoint = Checkpoint.from_directory(folder)
        report({"loss": loss}, checkpoint=checkpoint)


def start(address: str | None = None) -> None:
    """Reach Ray, or start it, with the model's folder on every worker."""
    ray.init(address, runtime_env={"working_dir": str(CHARLM)})


def fit(config: dict[str, Any], workers: int, storage: str, target: Path) -> float:
    """Train with so many workers, save the weights to `target` and return the last loss."""
    result = TorchTrainer(
        train,
        train_loop_config=config,
        torch_config=TorchConfig(backend="gloo"),
        scaling_config=ScalingConfig(num_workers=workers),
        run_config=RunConfig(storage_path=storage, name=target.stem),
    ).fit()
    with result.checkpoint.as_directory() as kept:
        shutil.copy(Path(kept) / "charlm.pt", target)
    loss: float = result.metrics["loss"]
    return loss


def main() -> None:
    """Train and save."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("checkpoint", type=Path, help="where to save the state_dict")
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--steps", type=int, default=300)
    arguments.add_argument("--cell", choices=["onecell", "torch"], default="onecell")
    arguments.add_argument("--storage", help="a folder that all machines see; default: here")
    arguments.add_argument("--address", help="Ray's: auto, or ray://HOST:PORT; default: here")
    options = arguments.parse_args()
    start(options.address)
    with tempfile.TemporaryDirectory() as folder:
        config = {"steps": options.steps, "cell": options.cell}
        loss = fit(config, options.workers, options.storage or folder, options.checkpoint)
    print(f"loss {loss:.3f}")


if __name__ == "__main__":
    main()
