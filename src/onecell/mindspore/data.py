"""Data sets and their batches, as `torch.utils.data` has them, for programs that come from torch.

The batches are those of torch: the same samples in the same order, put together alike, with the
same element types. Where torch draws an order at random, another is drawn here, by NumPy, which
`mindspore.set_seed` and `numpy.random.seed` start. Everything runs in the caller's thread:
`num_workers` and what belongs to it change nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import mindspore as ms
import numpy as np

from onecell.mindspore.collate import default_collate, one_sample, pad_sequence

__all__ = [
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "IterableDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "default_collate",
    "pad_sequence",
    "random_split",
]


def __dir__() -> list[str]:
    return list(__all__)


class Dataset:
    """Samples by their numbers: a subclass has `__getitem__` and `__len__`."""

    def __class_getitem__(cls, item: object) -> type[Dataset]:
        """Take the type of a sample, which is for readers."""
        del item
        return cls

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 - a sample is what the user makes it
        """Return a sample."""
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Dataset) -> ConcatDataset:
        """Return both, one after the other."""
        return ConcatDataset([self, other])


class IterableDataset(Dataset):
    """Samples in the order in which they come: a subclass has `__iter__`."""

    def __iter__(self) -> Iterator[Any]:
        """Yield the samples."""
        raise NotImplementedError("Subclasses of IterableDataset should implement __iter__.")


class TensorDataset(Dataset):
    """Rows of tensors that have equally many."""

    def __init__(self, *tensors: ms.Tensor) -> None:
        if any(len(tensor) != len(tensors[0]) for tensor in tensors):
            raise AssertionError("Size mismatch between tensors")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[ms.Tensor, ...]:  # noqa: ANN401
        """Return a row of each tensor."""
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.tensors[0])


class Subset(Dataset):
    """The samples of `dataset` that `indices` names."""

    def __init__(self, dataset: Dataset, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401
        """Return the sample that stands at this place among the indices."""
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        """Return how many of the samples there are."""
        return len(self.indices)


class ConcatDataset(Dataset):
    """Several data sets, one after the other, in the order of `datasets`."""

    def __init__(self, datasets: Iterable[Dataset]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")

    def __getitem__(self, index: int) -> Any:  # noqa: ANN401
        """Return a sample by its number among all."""
        place = index + len(self) if index < 0 else index
        if place < 0:
            raise ValueError("absolute value of index should not exceed dataset length")
        for each in self.datasets:
            if place < (count := _count(each)):
                return each[place]
            place -= count
        raise IndexError(f"index {index} is out of range")

    def __len__(self) -> int:
        """Return how many samples there are in all."""
        return sum(_count(each) for each in self.datasets)


def random_split(dataset: Dataset, lengths: Sequence[float]) -> list[Subset]:
    """Return parts of `dataset` in a random order, of these `lengths`, or shares that sum to 1."""
    count = _count(dataset)
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        whole = [math.floor(count * share) for share in lengths]
        for i in range(count - sum(whole)):
            whole[i % len(whole)] += 1
    else:
        whole = [int(length) for length in lengths]
    if sum(whole) != count:
        raise ValueError("Sum of input lengths does not equal the length of the input dataset!")
    order = _drawn(count)
    ends = np.cumsum(whole).tolist()
    return [Subset(dataset, order[e - n : e]) for e, n in zip(ends, whole, strict=True)]


class Sampler:
    """The numbers of samples in some order: a subclass has `__iter__`, and mostly `__len__`.

    `data_source` is for the subclass, and not kept.
    """

    def __init__(self, data_source: object = None) -> None:
        del data_source

    def __class_getitem__(cls, item: object) -> type[Sampler]:
        """Take the type of a number, which is for readers."""
        del item
        return cls

    def __iter__(self) -> Iterator[Any]:
        """Yield the numbers."""
        raise NotImplementedError


class SequentialSampler(Sampler):
    """The numbers of all samples of `data_source`, in order."""

    def __init__(self, data_source: Any) -> None:  # noqa: ANN401 - whatever has a length
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        """Yield 0, 1, 2 and so on."""
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.data_source)


class RandomSampler(SequentialSampler):
    """The numbers of all samples of `data_source`, in an order that is drawn anew each time."""

    def __iter__(self) -> Iterator[int]:
        """Yield each number once."""
        return iter(_drawn(len(self.data_source)))


class SubsetRandomSampler(Sampler):
    """The numbers in `indices`, in an order that is drawn anew each time."""

    def __init__(self, indices: Sequence[int]) -> None:
        self.indices = indices

    def __iter__(self) -> Iterator[int]:
        """Yield each index once."""
        return (self.indices[i] for i in _drawn(len(self.indices)))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.indices)


class DataLoader:
    """The batches of a data set, begun anew by each loop.

    Args:
        dataset: has `__getitem__` and `__len__`, or derives from `IterableDataset`.
        batch_size: how many samples a batch has; None for samples one by one.
        shuffle: whether the order is drawn at random, anew each time.
        sampler: yields the numbers of samples in order.
        batch_sampler: yields lists of them.
        num_workers: for torch's sake, like `pin_memory`, `timeout`, `worker_init_fn`,
            `prefetch_factor` and `persistent_workers`: all runs in the caller's thread.
        collate_fn: makes a batch of a list of samples.
        drop_last: whether a last batch of fewer samples is left out.

    Raises:
        ValueError: arguments exclude each other.
    """

    def __init__(
        self,
        dataset: Any,  # noqa: ANN401 - whatever has the two methods
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Sequence[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
    ) -> None:
        del pin_memory, timeout, worker_init_fn, prefetch_factor, persistent_workers
        self._streams = isinstance(dataset, IterableDataset)
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if self._streams and (shuffle or sampler is not None or batch_sampler is not None):
            raise ValueError(
                "an `IterableDataset` takes no `shuffle`, `sampler` or `batch_sampler`"
            )
        if batch_sampler is not None and (
            batch_size != 1 or shuffle or sampler is not None or drop_last
        ):
            raise ValueError(
                "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler,"
                " and drop_last"
            )
        if batch_size is None and drop_last:
            raise ValueError("batch_size=None is mutually exclusive with drop_last")
        if batch_size is not None and batch_size <= 0:
            raise ValueError(f"batch_size should be a positive integer value, but got {batch_size}")
        self.dataset = dataset
        self.batch_size = None if batch_sampler is not None else batch_size
        self.num_workers = num_workers
        self.drop_last = drop_last
        if sampler is None and not self._streams:
            sampler = RandomSampler(dataset) if shuffle else SequentialSampler(dataset)
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        one_by_one = self.batch_size is None and batch_sampler is None
        self.collate_fn = collate_fn or (one_sample if one_by_one else default_collate)

    def __iter__(self) -> Iterator[Any]:
        """Yield the batches."""
        source = iter(self.dataset) if self._streams else iter(self.sampler or ())
        if self.batch_sampler is not None:
            for numbers in self.batch_sampler:
                yield self.collate_fn(self._samples(list(numbers)))
            return
        if self.batch_size is None:
            for each in source:
                yield self.collate_fn(each if self._streams else self.dataset[each])
            return
        batch: list[Any] = []
        for each in source:
            batch.append(each)
            if len(batch) == self.batch_size:
                yield self.collate_fn(self._samples(batch))
                batch = []
        if batch and not self.drop_last:
            yield self.collate_fn(self._samples(batch))

    def _samples(self, batch: list[Any]) -> list[Any]:
        """Return the samples of these numbers."""
        if self._streams:
            return batch
        if getattr(self.dataset, "__getitems__", None):
            several: list[Any] = self.dataset.__getitems__(batch)
            return several
        return [self.dataset[number] for number in batch]

    def __len__(self) -> int:
        """Return how many batches there are."""
        if self.batch_sampler is not None:
            return _count(self.batch_sampler)
        count = _count(self.dataset if self._streams else self.sampler)
        if self.batch_size is None:
            return count
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)


def _drawn(count: int) -> list[int]:
    """Return the numbers below `count` in a random order, of the stream that seeds start."""
    order: list[int] = np.random.permutation(count).tolist()  # noqa: NPY002
    return order


def _count(held: Any) -> int:  # noqa: ANN401 - whatever has a length
    return len(held)
