"""As many threads as torch uses: what a launcher or `torch.set_num_threads` says holds for both."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest
import torch

import onecell
import onecell.torch
from onecell.torch import library

pytestmark = pytest.mark.skipif(
    not library.address("_ZN2at15get_num_threadsEv"), reason="this torch does not say its number"
)


@pytest.fixture(autouse=True)
def _nobody_chose() -> Iterator[None]:
    """Begin where no number was chosen, and put both back."""
    theirs = torch.get_num_threads()
    onecell.set_num_threads(0)
    yield
    torch.set_num_threads(theirs)
    onecell.set_num_threads(0)


@pytest.mark.skipif("ONECELL_NUM_THREADS" in os.environ, reason="a number is chosen")
@pytest.mark.parametrize("count", [1, 2])
def test_torchs_number_is_ours(count: int) -> None:
    torch.set_num_threads(count)
    assert onecell.get_num_threads() == count


def test_a_number_of_our_own_goes_before_until_it_is_taken_back() -> None:
    onecell.set_num_threads(3)
    torch.set_num_threads(1)
    assert onecell.get_num_threads() == 3
    onecell.set_num_threads(0)
    assert onecell.get_num_threads() == 1


def test_every_thread_has_what_torch_has_there() -> None:
    torch.set_num_threads(1)
    found: list[tuple[int, int]] = []

    def ask() -> None:
        found.append((torch.get_num_threads(), onecell.get_num_threads()))
        torch.set_num_threads(2)
        found.append((torch.get_num_threads(), onecell.get_num_threads()))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert [ours for _, ours in found] == [theirs for theirs, _ in found]


def test_the_bits_are_the_same() -> None:
    cell = onecell.torch.LSTMCell(256, 256)
    x = torch.randn(20, 64, 256)
    found = []
    for count in (1, 2):
        torch.set_num_threads(count)
        h_all, _ = cell.unroll(x)
        h_all.sum().backward()
        grad = cell.weight_hh.grad
        assert grad is not None
        found.append((h_all.detach().clone(), grad.clone()))
        cell.zero_grad()
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))
