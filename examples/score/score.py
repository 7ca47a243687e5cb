"""Score sequences in Parquet files with a frozen cell: on a laptop, or on a cluster.

    python score.py sequences/ scores/ --cell cell.safetensors
    python score.py sequences/ scores/ --cell /shared/cell.safetensors --address auto

Every row of the input has `sequence`, its T inputs one after another, T times I numbers, T as it
likes. In the output stands `h` instead, the state after the last one, beside the other columns.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import ray
from scorer import Scorer


def score(
    source: str, target: str, cell: str, *, actors: int, batch: int = 512, kind: type = Scorer
) -> None:
    """Read Parquet from `source`, score it with up to `actors` actors, write Parquet to `target`.

    An actor that dies is started anew by Ray, as often as it takes, and gets its batch again;
    nothing is written twice.
    """
    found = ray.data.read_parquet(source).map_batches(
        kind,
        fn_constructor_args=(cell,),  # a path, not weights, is what travels
        batch_size=batch,
        # From one on, as CPUs are left by the tasks that read and write.
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=actors),
        num_cpus=1,
    )
    found.write_parquet(target)


def whole(path: str) -> str:
    """Return a path that means the same to a worker, who is in another folder."""
    return path if "://" in path else str(Path(path).resolve())


def main() -> None:
    """Score what the command line says."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("source")
    arguments.add_argument("target")
    arguments.add_argument("--cell", required=True, help="what FrozenCell.save wrote")
    arguments.add_argument("--actors", type=int, help="default: one a CPU of the cluster")
    arguments.add_argument("--address", help="Ray's: auto, or ray://HOST:PORT; default: here")
    options = arguments.parse_args()
    source, target, cell = map(whole, (options.source, options.target, options.cell))
    if Path(target).exists():
        raise SystemExit(f"{options.target} is there already")
    for path in (source, cell):
        if "://" not in path and not Path(path).exists():
            raise SystemExit(f"{path} is not there")
    # The cluster need not have this file: Ray sends it along.
    ray.init(options.address, runtime_env={"working_dir": str(Path(__file__).parent)})
    actors = options.actors or int(ray.cluster_resources()["CPU"])
    score(source, target, cell, actors=actors)


if __name__ == "__main__":
    main()
