"""Rows: data sets, loaders and distributions, which onecell has for MindSpore as torch has them."""

from __future__ import annotations

from typing import Final

from onecell.migrate.rules.table.row import Row, row

_HOME: Final = "torch.utils.data"
_THERE: Final = "onecell.mindspore.data"
_LOADER: Final = (
    "(dataset, batch_size=1, shuffle=None, sampler=None, batch_sampler=None, num_workers=0,"
    " collate_fn=None, pin_memory=False, drop_last=False, timeout=0, worker_init_fn=None, *,"
    " prefetch_factor=None, persistent_workers=False)"
)
_ARGUMENTS: Final = {
    "DataLoader": _LOADER,
    "TensorDataset": "(*tensors)",
    "Subset": "(dataset, indices)",
    "ConcatDataset": "(datasets)",
    "random_split": "(dataset, lengths)",
    "SequentialSampler": "(data_source)",
    "RandomSampler": "(data_source)",
    "SubsetRandomSampler": "(indices)",
    "default_collate": "(batch)",
}
_PADDING: Final = "(sequences, batch_first=False, padding_value=0.0, padding_side='right')"
_CLASSES: Final = ("Dataset", "IterableDataset", "Sampler")


def _row(name: str, arguments: str = "", home: str = _HOME) -> Row:
    return row(
        "data",
        f"{home}.{name}{arguments}",
        f"{_THERE}.{name}{arguments}",
        gives="tensor" if name == "pad_sequence" else "",
        proof="run" if arguments else "named",
    )


DATA: Final = (
    *(_row(name, arguments) for name, arguments in _ARGUMENTS.items()),
    *(_row(name) for name in _CLASSES),
    _row("pad_sequence", _PADDING, "torch.nn.utils.rnn"),
)
_DRAWN: Final = {
    "Normal": "(loc, scale)",
    "Categorical": "(probs=None, logits=None)",
    "Bernoulli": "(probs=None, logits=None)",
}
DISTRIBUTIONS: Final = tuple(
    row(
        "distribution",
        f"torch.distributions.{name}{arguments}",
        f"onecell.mindspore.distributions.{name}{arguments}",
        proof="run",
    )
    for name, arguments in _DRAWN.items()
)
DATA_SYNONYMS: Final = {
    **{f"torch.distributions.{n.lower()}.{n}": f"torch.distributions.{n}" for n in _DRAWN},
    **{f"{_HOME}.dataset.{name}": f"{_HOME}.{name}" for name in ("Dataset", "TensorDataset")},
    **{f"{_HOME}.dataset.{n}": f"{_HOME}.{n}" for n in ("Subset", "random_split", "ConcatDataset")},
    **{f"{_HOME}.dataloader.{n}": f"{_HOME}.{n}" for n in ("DataLoader", "default_collate")},
    **{f"{_HOME}.sampler.{n}": f"{_HOME}.{n}" for n in _ARGUMENTS if n.endswith("Sampler")},
    f"{_HOME}.sampler.Sampler": f"{_HOME}.Sampler",
}
"""Another import path → the path of a row above."""
