"""How many sequences a second: our cell and torch's, each in the same pipeline on this machine."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import ray
import torch
from pyarrow import parquet, table
from score import score
from scorer import Batch, Scorer

from onecell import LSTMCell


class TorchLoop(Scorer):
    """The same work by a loop over `torch.nn.LSTMCell`; all sequences are of one length."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        torch.set_num_threads(1)
        weights = {n: torch.from_numpy(a) for n, a in self.cell.weights.arrays().items()}
        self.torch = torch.nn.LSTMCell(self.cell.input_size, self.cell.hidden_size)
        self.torch.load_state_dict(weights)

    def __call__(self, batch: Batch) -> Batch:
        """Return the last h of each sequence."""
        sequences = np.stack([np.asarray(s, np.float32) for s in batch["sequence"]])
        x = torch.from_numpy(sequences).reshape(len(sequences), -1, self.cell.input_size)
        with torch.inference_mode():
            return {"id": batch["id"], "h": self.run(x)}

    def run(self, x: torch.Tensor) -> np.ndarray:
        """Return the last h of x (N, T, I)."""
        state = None
        for now in x.unbind(1):
            state = self.torch(now, state)
        assert state is not None
        h: np.ndarray = state[0].numpy()
        return h


class TorchLayer(TorchLoop):
    """The same work by `torch.nn.LSTM`."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.layer = torch.nn.LSTM(self.cell.input_size, self.cell.hidden_size, batch_first=True)
        cell = self.torch.state_dict()
        self.layer.load_state_dict({f"{name}_l0": weight for name, weight in cell.items()})

    def run(self, x: torch.Tensor) -> np.ndarray:
        """Return the last h of x (N, T, I)."""
        h: np.ndarray = self.layer(x)[1][0][0].numpy()
        return h


class Nothing(Scorer):
    """What the pipeline costs by itself: read, hand out, write."""

    def __call__(self, batch: Batch) -> Batch:
        """Return zeros."""
        return {"id": batch["id"], "h": np.zeros((len(batch["id"]), self.cell.hidden_size), "f4")}


def main() -> None:
    """Write sequences, score them by each, and print how fast."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sequences", type=int, default=20_000)
    arguments.add_argument("--steps", type=int, default=100)
    arguments.add_argument("--inputs", type=int, default=16)
    arguments.add_argument("--units", type=int, default=256)
    arguments.add_argument("--actors", type=int, default=2)
    options = arguments.parse_args()
    ray.init(include_dashboard=False, runtime_env={"working_dir": str(Path(__file__).parent)})
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cell = folder / "cell.safetensors"
        LSTMCell(options.inputs, options.units, rng=0).freeze().save(cell)
        (folder / "in").mkdir()
        parts = 8
        for part in range(parts):
            ids = np.arange(part, options.sequences, parts)
            size = len(ids), options.steps * options.inputs
            drawn = list(rng.standard_normal(size, np.float32))
            columns = table({"id": ids, "sequence": drawn})
            parquet.write_table(columns, folder / f"in/{part}.parquet")
        # Nothing twice: the first run also starts Ray's workers.
        for number, kind in enumerate([Nothing, Nothing, Scorer, TorchLoop, TorchLayer]):
            start = time.perf_counter()
            target = str(folder / f"out{number}")
            score(str(folder / "in"), target, str(cell), actors=options.actors, kind=kind)
            spent = time.perf_counter() - start
            rate = f"{options.sequences / spent:9,.0f} sequences/s"
            print(f"{kind.__name__:12} {spent:6.1f} s  {rate}", flush=True)


if __name__ == "__main__":
    main()
