"""Who looks on while gradients are made sees what torch's own cell would show, and when.

A program builds graphs over cells and walks them. It is run with torch's cells and with ours, and
every hook notes its name, the numbers it was given, and which gradients are there by then.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.utils import parametrize, weight_norm
from torch.nn.utils.parametrizations import weight_norm as parametrized
from torch.utils.checkpoint import checkpoint

from onecell.spec import PARAMETERS
from onecell.torch import LSTMCell

pytestmark = [
    pytest.mark.filterwarnings("ignore:Full backward hook is firing:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated:FutureWarning"),
]

I, H, N = 3, 4, 2  # noqa: E741 - as everywhere here


@dataclass(frozen=True)
class Program:
    """What is built and walked, and who looks on."""

    steps: int = 2
    layers: int = 1
    shared: bool = False
    """One cell in all layers."""
    x: Literal["data", "a leaf", "made below"] = "made below"
    state: Literal["left out", "data", "leaves"] = "data"
    passes: int = 2
    alive: bool = True
    """The losses of earlier passes are kept."""
    again: bool = False
    """Every pass walks its graph twice."""
    detached: bool = False
    """The state is cut off after the first step."""
    unbatched: bool = False
    checkpointed: bool = False
    module_hooks: bool = False
    by: Literal["everything", "some leaves", "grad"] = "everything"
    frozen: tuple[str, ...] = ()
    descends: bool = False
    """Each parameter is trained as soon as its gradient is there."""
    computed: Literal["", "weight norm", "parametrized", "parametrized once"] = ""
    """How the weights `norms` are made of others."""
    norms: tuple[str, ...] = ("weight_hh",)

    def __str__(self) -> str:
        mine, usual = vars(self), vars(Program())
        return ", ".join(f"{k}={v}" for k, v in mine.items() if v != usual[k]) or "as usual"


class Run:
    """One program with cells of one kind."""

    def __init__(self, kind: Any, program: Program) -> None:
        torch.manual_seed(0)
        self.program = program
        self.events: list[tuple[str, tuple[str, ...], Tensor | None]] = []
        self.below = torch.nn.Linear(I, I, dtype=torch.float64)
        cells = [kind(I if k == 0 else H, H, dtype=torch.float64) for k in range(program.layers)]
        if program.shared:
            cells = [kind(H, H, dtype=torch.float64)] * program.layers
            self.below = torch.nn.Linear(I, H, dtype=torch.float64)
        self.cells = cells
        for cell in dict.fromkeys(cells):
            for name in program.norms if program.computed else ():
                normed = weight_norm if program.computed == "weight norm" else parametrized
                normed(cell, name)
        self.named = {f"below.{n}": p for n, p in self.below.named_parameters()}
        for k, cell in enumerate(dict.fromkeys(cells)):
            self.named |= {f"{k}.{n}": p for n, p in cell.named_parameters()}
        self.watched: dict[str, Tensor] = dict(self.named)
        self.nodes: list[Any] = []
        for name, parameter in self.named.items():
            if name.partition(".")[2] in program.frozen and name[0] != "b":
                parameter.requires_grad_(False)
                continue
            self.watch_leaf(name, parameter)
            node = torch.autograd.graph.get_gradient_edge(parameter).node
            node.register_prehook(lambda g, name=name: self.note(f"{name} node before", g[0]))
            node.register_hook(lambda *_, name=name: self.note(f"{name} node after", None))
            self.nodes.append(node)
        self.below.register_full_backward_hook(lambda *_: self.note("below back", None))
        if program.module_hooks:
            for k, cell in enumerate(cells):
                cell.register_full_backward_hook(lambda *_, k=k: self.note(f"cell {k} back", None))
                cell.register_full_backward_pre_hook(lambda *_, k=k: self.note(f"to {k}", None))

    def note(self, name: str, value: Tensor | None) -> None:
        there = tuple(n for n, p in self.watched.items() if p.grad is not None)
        self.events.append((name, there, None if value is None else value.detach().clone()))

    def watch_leaf(self, name: str, leaf: Tensor) -> None:
        leaf.register_hook(lambda g: self.note(f"{name} before", g))

        def after(leaf: Tensor) -> None:
            self.note(f"{name} after", leaf.grad)
            descends = self.program.descends and not self.program.computed
            if descends and name in self.named and leaf.grad is not None:
                with torch.no_grad():
                    leaf.sub_(0.1 * leaf.grad)
                leaf.grad = None

        leaf.register_post_accumulate_grad_hook(after)
        self.watched[name] = leaf

    def data(self, name: str, width: int, *, leaf: bool) -> Tensor:
        shape = (width,) if self.program.unbatched else (N, width)
        made = torch.randn(shape, dtype=torch.float64)
        if leaf:
            self.watch_leaf(name, made.requires_grad_())
        return made

    def loss(self) -> Tensor:
        program, width = self.program, H if self.program.shared else I
        leaves = program.state == "leaves"
        states: list[Any] = [None] * program.layers
        if program.state != "left out":
            states = [
                (self.data(f"h {k}", H, leaf=leaves), self.data(f"c {k}", H, leaf=leaves))
                for k in range(program.layers)
            ]
        loss = torch.zeros((), dtype=torch.float64)
        for t in range(program.steps):
            from_below = program.x == "made below"
            wide = I if from_below else width
            x = self.data(f"x at {t}", wide, leaf=program.x == "a leaf")
            x = self.below(x) if from_below else x
            for k, cell in enumerate(self.cells):
                given = (x,) if states[k] is None else (x, states[k])
                run = checkpoint if program.checkpointed else lambda f, *a, **_: f(*a)
                x, c = run(cell, *given, use_reentrant=False)
                if program.computed in {"weight norm", "parametrized once"}:
                    for name in program.norms:
                        weight = getattr(cell, name)
                        if weight.requires_grad:
                            weight.register_hook(
                                lambda g, k=k, t=t, name=name: self.note(f"{name} {k} {t}", g)
                            )
                if x.requires_grad:
                    x.register_hook(lambda g, k=k, t=t: self.note(f"h of {k} at {t}", g))
                states[k] = (x.detach(), c.detach()) if program.detached and t == 0 else (x, c)
            loss = loss + x.square().sum() + c.sin().sum()
        return loss

    def walk(self, loss: Tensor, **how: Any) -> None:
        leaves = [p for p in self.watched.values() if p.requires_grad]
        if self.program.by == "everything":
            loss.backward(**how)
        elif self.program.by == "some leaves":
            loss.backward(inputs=leaves[::2], **how)
        else:
            found = torch.autograd.grad(loss, leaves[1::2], allow_unused=True, **how)
            for grad in found:
                self.note("found", grad)

    def all(self) -> Run:
        kept = []
        for _ in range(self.program.passes):
            with parametrize.cached() if self.program.computed[-4:] == "once" else nullcontext():
                loss = self.loss()
            if loss.requires_grad:
                if self.program.again and not self.program.descends:
                    self.walk(loss, retain_graph=True)
                self.walk(loss)
            self.note("a pass", None)
            if self.program.alive:
                kept.append(loss)
            for parameter in self.named.values():
                parameter.grad = None
        return self


def assert_as_in_torch(program: Program) -> None:
    mine, theirs = (Run(kind, program).all() for kind in (LSTMCell, torch.nn.LSTMCell))
    assert [e[:2] for e in mine.events] == [e[:2] for e in theirs.events]
    for got, want in zip(mine.events, theirs.events, strict=True):
        torch.testing.assert_close(got[2], want[2], rtol=1e-9, atol=1e-12)
    trained = (list(run.named.values()) for run in (mine, theirs))
    torch.testing.assert_close(*trained, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "program",
    [
        Program(),
        Program(alive=False),
        Program(x="a leaf", state="leaves"),
        Program(state="left out", unbatched=True),
        Program(layers=2, state="leaves"),
        Program(layers=2, shared=True),
        Program(descends=True, passes=3),
        Program(again=True),
        Program(module_hooks=True),
        Program(checkpointed=True),
        Program(by="some leaves"),
        Program(by="grad"),
        Program(frozen=("weight_hh", "bias_ih")),
        Program(computed="weight norm"),
        Program(computed="weight norm", norms=("weight_ih", "bias_hh"), state="leaves"),
        Program(computed="parametrized", x="a leaf", layers=2),
        Program(computed="parametrized", state="leaves", unbatched=True),
        Program(computed="parametrized once", again=True),
        Program(computed="parametrized once", norms=("weight_ih", "weight_hh"), unbatched=True),
    ],
    ids=str,
)
def test_who_looks_on_sees_what_torch_s_cell_shows(program: Program) -> None:
    assert_as_in_torch(program)


def is_torch_s(program: Program) -> bool:
    """Whether torch's own cell can do it: what is checkpointed is not computed once for all."""
    return not (program.checkpointed and program.computed == "parametrized once")


programs = st.builds(
    Program,
    steps=st.integers(1, 3),
    layers=st.integers(1, 3),
    shared=st.booleans(),
    x=st.sampled_from(["data", "a leaf", "made below"]),
    state=st.sampled_from(["left out", "data", "leaves"]),
    passes=st.integers(1, 3),
    alive=st.booleans(),
    again=st.booleans(),
    detached=st.booleans(),
    unbatched=st.booleans(),
    checkpointed=st.booleans(),
    module_hooks=st.booleans(),
    by=st.sampled_from(["everything", "some leaves", "grad"]),
    frozen=st.sampled_from([(), ("weight_ih",), ("weight_hh", "bias_ih"), ("bias_ih", "bias_hh")]),
    descends=st.booleans(),
    computed=st.sampled_from(["", "weight norm", "parametrized", "parametrized once"]),
    norms=st.sets(st.sampled_from(PARAMETERS), min_size=1).map(lambda s: tuple(sorted(s))),
).filter(is_torch_s)


@settings(max_examples=100, deadline=None)
@given(program=programs)
def test_any_program_shows_what_torch_s_cell_shows(program: Program) -> None:
    assert_as_in_torch(program)
