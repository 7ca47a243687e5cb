"""Batches of data sets: what `torch.utils.data` makes of the same samples, in the same order."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator
from typing import Any, cast

import mindspore as ms
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils import data as theirs

from onecell.mindspore import data as ours

Pair = namedtuple("Pair", "left right")
ROWS = np.arange(24, dtype=np.float32).reshape(8, 3)
SAMPLES: dict[str, Callable[[int, Callable[[Any], Any]], Any]] = {
    "tensors": lambda i, tensor: (tensor(ROWS[i]), tensor(np.int64(i))),
    "arrays": lambda i, tensor: [ROWS[i], np.float64(i), np.array([i, -i], np.int32)],
    "numbers": lambda i, tensor: (i, i / 3, i % 2 == 0),
    "text": lambda i, tensor: {"name": f"row {i}", "row": ROWS[i], "in": {"n": (i,)}},
    "named": lambda i, tensor: Pair(tensor(ROWS[i]), str(i)),
    "one": lambda i, tensor: tensor(ROWS[i]),
}


def plain(value: Any) -> Any:
    """Return tensors as their type and numbers, and the rest as it is nested."""
    if isinstance(value, ms.Tensor):
        return str(value.dtype).lower(), value.asnumpy().tolist()
    if isinstance(value, torch.Tensor):
        return str(value.dtype).removeprefix("torch."), value.tolist()
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value).__name__, [plain(each) for each in value]
    return type(value).__name__, value


class Samples:
    """A data set of either side."""

    def __init__(self, kind: str, count: int, tensor: Callable[[Any], Any]) -> None:
        self.kind, self.count, self.tensor = kind, count, tensor

    def __getitem__(self, index: int) -> Any:
        return SAMPLES[self.kind](index, self.tensor)

    def __len__(self) -> int:
        return self.count


def both(kind: str, count: int) -> tuple[Any, Any]:
    return (
        Samples(kind, count, lambda a: ms.Tensor(np.asarray(a))),
        Samples(kind, count, torch.tensor),
    )


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(sorted(SAMPLES)),
    count=st.integers(0, 8),
    size=st.one_of(st.none(), st.integers(1, 5)),
    drop=st.booleans(),
    order=st.sampled_from(("plain", "sampler", "batches", "collated")),
)
def test_batches_are_torchs(
    kind: str, count: int, size: int | None, drop: bool, order: str
) -> None:
    settings: dict[str, Any] = {"batch_size": size, "drop_last": drop and size is not None}
    if order == "sampler":
        settings["sampler"] = [i for i in range(count) if i % 3] * 2
    elif order == "batches":
        settings = {"batch_sampler": [[i, 0] for i in range(count)]}
    elif order == "collated":
        settings["collate_fn"] = repr if size is None else len
    mine, other = both(kind, count)
    got, want = ours.DataLoader(mine, **settings), theirs.DataLoader(other, **settings)
    assert len(got) == len(want)
    assert len(got.dataset) == len(cast("Any", want.dataset)) == count
    if order == "collated" and size is None:
        assert len(list(got)) == len(list(want))
        return
    assert [plain(batch) for batch in got] == [plain(batch) for batch in want]
    assert [plain(batch) for batch in got] == [plain(batch) for batch in want]  # begun anew


def test_rows_of_tensors_and_parts_of_sets() -> None:
    mine = ours.TensorDataset(ms.Tensor(ROWS), ms.Tensor(np.arange(8)))
    other = theirs.TensorDataset(torch.tensor(ROWS), torch.arange(8))
    assert len(mine) == len(other) == 8
    for indices in ([2, 0], [5]):
        got, want = ours.Subset(mine, indices), theirs.Subset(other, indices)
        assert [plain(s) for s in ours.DataLoader(got)] == [
            plain(s) for s in theirs.DataLoader(want)
        ]
        more, all_of = got + mine, want + other
        assert plain(more[len(indices)]) == plain(all_of[len(indices)])
        assert plain(more[-1]) == plain(all_of[-1])
        assert len(more) == len(all_of)
    assert plain(next(iter(ours.DataLoader(mine, 3)))) == plain(
        next(iter(theirs.DataLoader(other, 3)))
    )
    with pytest.raises(AssertionError, match="Size mismatch"):
        ours.TensorDataset(ms.Tensor(ROWS), ms.Tensor(ROWS[1:]))


class Mine(ours.IterableDataset):
    def __iter__(self) -> Iterator[int]:
        return iter(range(5))


class Other(theirs.IterableDataset[int]):
    def __iter__(self) -> Iterator[int]:
        return iter(range(5))


@pytest.mark.parametrize("size", [None, 2])
@pytest.mark.parametrize("drop", [False, True])
def test_samples_as_they_come(size: int | None, drop: bool) -> None:
    drops = drop and size is not None
    got = ours.DataLoader(Mine(), size, drop_last=drops)
    want = theirs.DataLoader(Other(), size, drop_last=drops)
    assert [plain(batch) for batch in got] == [plain(batch) for batch in want]


def test_a_random_order_has_each_sample_once_and_is_another_each_time() -> None:
    mine, _ = both("numbers", 8)
    loaders = [
        ours.DataLoader(mine, 3, shuffle=True),
        ours.DataLoader(mine, 3, sampler=ours.RandomSampler(mine)),
        ours.DataLoader(mine, 3, sampler=ours.SubsetRandomSampler(range(8))),
    ]
    for loader in loaders:
        ms.set_seed(3)
        orders = [[int(i) for batch in loader for i in batch[0]] for _ in range(4)]
        assert all(sorted(order) == list(range(8)) for order in orders)
        assert len({tuple(order) for order in orders}) > 1
        ms.set_seed(3)
        assert [int(i) for batch in loader for i in batch[0]] == orders[0]
    for lengths in ((5, 3), (0.5, 0.3, 0.2)):
        parts = ours.random_split(mine, lengths)
        wanted = theirs.random_split(both("numbers", 8)[1], lengths)
        assert [len(part) for part in parts] == [len(part) for part in wanted]
        assert sorted(int(s[0]) for part in parts for s in cast("Any", part)) == list(range(8))
    with pytest.raises(ValueError, match="does not equal"):
        ours.random_split(mine, (5, 4))


@pytest.mark.parametrize(
    "settings",
    [
        {"shuffle": True, "sampler": [0]},
        {"batch_size": 0},
        {"batch_size": None, "drop_last": True},
        {"batch_size": 2, "batch_sampler": [[0]]},
        {"batch_sampler": [[0]], "drop_last": True},
    ],
    ids=str,
)
def test_what_torch_refuses_is_refused(settings: dict[str, Any]) -> None:
    mine, other = both("one", 3)
    for loader, samples in ((ours.DataLoader, mine), (theirs.DataLoader, other)):
        with pytest.raises(ValueError, match=r"mutually exclusive|positive"):
            loader(samples, **settings)


def test_what_makes_no_batch_is_an_error() -> None:
    for collate in (ours.default_collate, theirs.default_collate):
        with pytest.raises(TypeError):
            collate([object(), object()])
        with pytest.raises(TypeError):
            collate([np.array(["a"]), np.array(["b"])])
        with pytest.raises(RuntimeError):
            collate([[1, 2], [3]])


@settings(max_examples=30, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 4), min_size=1, max_size=4),
    rest=st.sampled_from([(), (3,), (2, 3)]),
    kind=st.sampled_from(["float32", "float64", "int64", "bool"]),
    how=st.fixed_dictionaries(
        {"batch_first": st.booleans(), "padding_side": st.sampled_from(["left", "right"])}
    ),
    value=st.sampled_from([0.0, 2, -1.5]),
)
def test_rows_are_padded_as_torchs(
    lengths: list[int], rest: tuple[int, ...], kind: str, how: dict[str, Any], value: float
) -> None:
    rng = np.random.default_rng(sum(lengths))
    value = value if kind.startswith("float") else int(value) % 2
    rows = [rng.integers(0, 3, (n, *rest)).astype(kind) for n in lengths]
    want = torch.nn.utils.rnn.pad_sequence(
        [torch.tensor(row) for row in rows], padding_value=value, **how
    )
    got = ours.pad_sequence((ms.Tensor(row) for row in rows), padding_value=value, **how)
    assert plain(got) == plain(want)
    assert got.shape == tuple(want.shape)


def test_padding_has_torchs_gradient() -> None:
    arrays = [ROWS[:3], ROWS[3:4]]
    factors = np.arange(18, dtype=np.float32).reshape(3, 2, 3)
    rows = [torch.tensor(array, requires_grad=True) for array in arrays]
    (torch.nn.utils.rnn.pad_sequence(rows) * torch.tensor(factors)).sum().backward()

    def total(a: ms.Tensor, b: ms.Tensor) -> ms.Tensor:
        return (ours.pad_sequence([a, b]) * ms.Tensor(factors)).sum()

    found = ms.grad(total, (0, 1))(*map(ms.Tensor, arrays))
    assert [each.asnumpy().tolist() for each in found] == [
        row.grad.tolist() for row in rows if row.grad is not None
    ]
    with pytest.raises(ValueError, match="padding_side"):
        ours.pad_sequence([ms.Tensor(ROWS)], padding_side="up")
