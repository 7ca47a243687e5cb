"""`onecell.torch.LSTM` beside `torch.nn.LSTM`: the same calls, numbers, errors and surroundings."""

from __future__ import annotations

import copy
import pickle
import re
import warnings
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.utils import parametrizations
from torch.nn.utils.rnn import PackedSequence, pack_sequence

import onecell.torch
import onecell.torch.lstm as lstm_module
from onecell.torch import LSTM, LSTMCell
from onecell.torch.routes import quick_step

I, H = 5, 7  # noqa: E741
OPTIONS = st.fixed_dictionaries(
    {
        "num_layers": st.integers(1, 3),
        "bias": st.booleans(),
        "batch_first": st.booleans(),
        "dropout": st.sampled_from([0.0, 0.4]),
        "bidirectional": st.booleans(),
    }
)
PACK = pack_sequence([torch.ones(n, I) for n in (4, 2, 1)])
FORMS = st.one_of(
    st.tuples(st.just("padded"), st.integers(1, 6), st.integers(1, 4)),
    st.tuples(st.just("one row"), st.integers(1, 6), st.none()),
    st.tuples(st.just("packed"), st.lists(st.integers(1, 6), min_size=1, max_size=5), st.none()),
)


def pair(dtype: torch.dtype = torch.float32, **options: Any) -> tuple[torch.nn.LSTM, LSTM]:
    """Return torch's and ours, with the same parameters."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # dropout with one layer
        theirs, ours = (
            torch.nn.LSTM(I, H, dtype=dtype, **options),
            LSTM(I, H, dtype=dtype, **options),
        )
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours


def everything(module: torch.nn.LSTM, x: Any, state: Any) -> list[Tensor]:
    """Return outputs, and gradients by all that goes in."""
    torch.manual_seed(3)
    leaves = [x] if isinstance(x, Tensor) else x
    leaves = [leaf.clone().requires_grad_() for leaf in leaves]
    begin = None if state is None else tuple(t.clone().requires_grad_() for t in state)
    module.zero_grad()
    packed = not isinstance(x, Tensor)
    h_all, (h, c) = module(
        pack_sequence(leaves, enforce_sorted=False) if packed else leaves[0], begin
    )
    assert isinstance(h_all, PackedSequence) == packed
    out = h_all.data if packed else h_all
    (out.sin().sum() + h.cos().sum() + c.square().sum()).backward()
    grads = [p.grad for p in module.parameters()]
    found = [out, h, c, *(t.grad for t in (*leaves, *(begin or ()))), *grads]
    assert all(t is not None for t in found)
    return [t.detach().clone() for t in found if t is not None]


@given(OPTIONS, FORMS, st.booleans(), st.integers(0, 2**20))
@settings(max_examples=40)
def test_outputs_and_gradients_are_torchs(
    options: dict[str, Any], form: tuple[str, Any, Any], has_state: bool, seed: int
) -> None:
    kind, length, rows = form
    theirs, ours = pair(torch.float64, **options)
    torch.manual_seed(seed)
    lead: tuple[int, ...] = (len(length),) if kind == "packed" else () if rows is None else (rows,)
    size = (options["num_layers"] * (1 + options["bidirectional"]), *lead, H)
    x: Any
    if kind == "packed":
        x = [torch.randn(n, I, dtype=torch.float64) for n in length]
    else:
        shape = (rows, length) if options["batch_first"] and rows else (length, *lead)
        x = torch.randn(*shape, I, dtype=torch.float64)
    state = tuple(torch.randn(2, *size, dtype=torch.float64)) if has_state else None
    for one, other in zip(everything(ours, x, state), everything(theirs, x, state), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("steps", [1, 6])
def test_the_bits_are_those_of_stepping_the_cell_layer_by_layer(steps: int) -> None:
    lstm = LSTM(I, H, num_layers=2, bidirectional=True)
    x = torch.randn(steps, 3, I)
    below, last = x, []
    for layer in range(2):
        both = []
        for suffix in (f"_l{layer}", f"_l{layer}_reverse"):
            cell = LSTMCell(below.shape[-1], H)
            cell.load_state_dict(
                {
                    n: getattr(lstm, n + suffix)
                    for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
                }
            )
            rows = below.flip(0) if "reverse" in suffix else below
            state, every = (torch.zeros(3, H), torch.zeros(3, H)), []
            for row in rows:
                state = cell(row, state)
                every.append(state[0])
            last.append(state[0])
            both.append(torch.stack(every[::-1] if "reverse" in suffix else every))
        below = torch.cat(both, -1)
    h_all, (h, _) = lstm(x)
    assert torch.equal(h_all, below)
    assert torch.equal(h, torch.stack(last))


def test_the_kernel_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows would all hold if torch's operator ran: see that it does not."""
    lstm, x = LSTM(I, H, 2, bidirectional=True), torch.randn(4, 3, I)

    def never(*_: object) -> None:
        raise AssertionError("torch's operator")

    monkeypatch.setattr(torch._VF, "lstm", never)
    lstm(x)[0].sum().backward()
    lstm(pack_sequence([x[:, 0], x[:2, 1]]))
    for module in (lstm.bfloat16(), LSTM(I, H, proj_size=3).bfloat16()):
        with pytest.raises(AssertionError, match="torch's operator"):
            module(x.bfloat16())


@pytest.mark.parametrize("options", [{}, {"batch_first": True}, {"bias": False}])
def test_one_step_goes_the_way_of_a_step(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[Any] = []

    def seen(*given: Any) -> Any:
        steps.append(given)
        return quick_step(*given)

    monkeypatch.setattr(lstm_module, "quick_step", seen)
    (theirs, ours), x = pair(**options), torch.randn(1, 1, I)
    state = (torch.randn(1, 1, H), torch.randn(1, 1, H))
    for begin in (None, state):
        torch.testing.assert_close(ours(x, begin), theirs(x, begin), rtol=1e-5, atol=1e-6)
    assert len(steps) == 2


@pytest.mark.parametrize(
    ("options", "x", "state"),
    [
        ({}, torch.ones(4, 3, I + 1), None),
        ({}, torch.ones(4), None),
        ({}, torch.ones(0, 3, I), None),
        ({}, torch.ones(4, 3, I, dtype=torch.float64), None),
        ({}, torch.ones(4, 3, I), (torch.ones(1, 3, H), torch.ones(1, 3, H + 1))),
        ({}, torch.ones(4, 3, I), (torch.ones(3, H), torch.ones(3, H))),
        ({"num_layers": 2}, torch.ones(4, 3, I), (torch.ones(1, 3, H), torch.ones(1, 3, H))),
        ({}, torch.ones(4, 3, I), (torch.ones(1, 3, H),) * 3),
        ({}, PACK, (torch.ones(1, 2, H),) * 2),
        ({}, PACK, (torch.ones(1, 5, H),) * 2),
        ({}, PACK, (torch.ones(2, 3, H),) * 2),
        ({}, PACK, (torch.ones(1, 3, H + 1),) * 2),
        ({}, PACK, (torch.ones(3, H),) * 2),
        ({}, PACK, torch.ones(1, 3, H)),
        ({"bidirectional": True}, PACK, (torch.ones(3, 3, H),) * 2),
        ({}, PackedSequence(torch.ones(6, I), torch.tensor([1, 2, 3])), None),
        ({}, PackedSequence(torch.ones(5, I), torch.tensor([3, 2, 1])), None),
    ],
)
def test_errors_are_torchs(options: dict[str, Any], x: Any, state: Any) -> None:
    raised = []
    for module in pair(**options):
        with pytest.raises(Exception) as caught:  # noqa: PT011 - compared below
            module(x, state)
        raised.append((type(caught.value), str(caught.value)))
    assert raised[0] == raised[1]


def test_what_torchs_operator_would_read_past_is_refused() -> None:
    """Torch answers both, with numbers that are nobody's."""
    lstm = LSTM(I, H, num_layers=2)
    with pytest.raises(RuntimeError, match=rf"Expected {I}, got {I + 1}"):
        lstm(pack_sequence([torch.ones(3, I + 1)]))
    lstm.weight_hh_l1 = torch.nn.Parameter(torch.ones(4, 4))
    with pytest.raises(RuntimeError, match=r"weights of layer 1 .* got \[\(28, 7\), \(4, 4\)"):
        lstm(torch.ones(4, 3, I))


@pytest.mark.parametrize(
    "sizes", [[3, 2, 0], [3, 2]], ids=["steps of no sequence", "rows of no step"]
)
def test_a_pack_that_was_made_by_hand(sizes: list[int]) -> None:
    packed = PackedSequence(torch.randn(6, I), torch.tensor(sizes))
    theirs, ours = pair()
    torch.testing.assert_close(ours(packed)[0].data, theirs(packed)[0].data)


@pytest.mark.parametrize("learns", [True, False])
@pytest.mark.parametrize("form", ["padded", "one row", "packed"])
def test_to_write_in_the_last_state_changes_no_output(form: str, learns: bool) -> None:
    x: Any = torch.randn(1, 1, I)
    x = {"padded": x, "one row": x[:, 0], "packed": pack_sequence([x[:, 0]])}[form]
    with torch.set_grad_enabled(learns):
        h_all, (h, _) = LSTM(I, H)(x)
        given: Tensor = h_all.data if form == "packed" else h_all
        before = given.detach().clone()
        h.zero_()
    assert torch.equal(given, before)


def test_where_the_kernel_cannot_go_torchs_operator_computes() -> None:
    x = torch.randn(4, 3, I)
    for dtype in (torch.bfloat16, torch.float16):
        theirs, ours = pair(dtype)
        assert torch.equal(ours(x.to(dtype))[0], theirs(x.to(dtype))[0])
    theirs, ours = pair(proj_size=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that projections are slow
        assert torch.equal(ours(x)[0], theirs(x)[0])
    theirs, ours = pair()
    with torch.autocast("cpu", torch.bfloat16):
        try:
            right = theirs(x)[0]
        except RuntimeError as fault:  # it has no such operator for this processor
            with pytest.raises(RuntimeError, match=re.escape(str(fault))):
                ours(x)
        else:
            assert torch.equal(ours(x)[0], right)
    with torch.inference_mode():
        made = torch.randn(4, 3, I)
    with torch.no_grad():
        assert torch.allclose(ours(made)[0], theirs(made)[0], atol=1e-6)
    for module in (theirs, ours):
        with pytest.raises(RuntimeError, match="Inference tensors"):
            module(made)


def test_second_gradients() -> None:
    x = torch.randn(3, 2, I, dtype=torch.float64, requires_grad=True)
    found = []
    for module in pair(torch.float64, num_layers=2):
        (first,) = torch.autograd.grad(module(x)[0].square().sum(), x, create_graph=True)
        found.append(torch.autograd.grad(first.square().sum(), [x, *module.parameters()]))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-10)


def test_parameters_are_read_live_however_they_are_computed() -> None:
    theirs, ours = pair()
    x = torch.randn(4, 3, I)
    for module in (theirs, ours):
        torch.manual_seed(0)
        parametrizations.weight_norm(module, "weight_hh_l0")
        with torch.no_grad():
            module.parametrizations["weight_hh_l0"].original0.mul_(2)  # type: ignore[union-attr,index]
            next(p for n, p in module.named_parameters() if n == "bias_ih_l0").add_(0.5)
    torch.testing.assert_close(ours(x)[0], theirs(x)[0], rtol=1e-5, atol=1e-6)


def test_sharing_copying_and_saving() -> None:
    source = torch.nn.LSTM(I, H, 2, batch_first=True, bidirectional=True).eval()
    x = torch.randn(3, 4, I)
    ours = LSTM.from_torch(source)
    assert not ours.training
    assert all(a is b for a, b in zip(source.parameters(), ours.parameters(), strict=True))
    with torch.no_grad():
        dict(source.named_parameters())["weight_hh_l1"].mul_(0.5)
    want = ours(x)[0]
    torch.testing.assert_close(want, source(x)[0], rtol=1e-5, atol=1e-6)
    for again in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert type(again) is onecell.torch.LSTM
        assert torch.equal(again(x)[0], want)
    with pytest.raises(TypeError, match=r"torch\.nn\.LSTM, got"):
        LSTM.from_torch(torch.nn.GRU(I, H))  # type: ignore[arg-type]
    parametrizations.weight_norm(source, "weight_hh_l0")
    with pytest.raises(TypeError, match=r"`weight_hh_l0`"):
        LSTM.from_torch(source)


class Reader(torch.nn.Module):
    """A model that holds an LSTM."""

    def __init__(self, lstm: torch.nn.LSTM) -> None:
        super().__init__()
        self.lstm = lstm

    def forward(self, x: Tensor) -> Tensor:
        """Return twice what the LSTM gives."""
        h_all: Tensor = self.lstm(x)[0]
        return h_all * 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
@pytest.mark.filterwarnings("ignore:The tensor attributes:UserWarning")  # as with torch's
def test_tools_that_take_programs_apart() -> None:
    model, x = Reader(LSTM(I, H, 2, bidirectional=True)), torch.randn(4, 3, I)
    want = model(x)
    assert torch.allclose(torch.jit.trace(model, (x,))(x), want, atol=1e-6)
    graph = torch.fx.symbolic_trace(model)
    assert [n.target for n in graph.graph.nodes if n.op == "call_module"] == ["lstm"]
    assert torch.equal(graph(x), want)
    exported = torch.export.export(model, (x,))
    assert not any("onecell" in str(n.target) for n in exported.graph.nodes)
    assert torch.allclose(exported.module()(x), want, atol=1e-6)
    assert torch.allclose(torch.jit.script(model)(x), want, atol=1e-6)
    # torch puts what it compiles in its place: the same parameters.
    assert type(model.lstm) is torch.nn.LSTM
    assert torch.allclose(model(x), want, atol=1e-6)


def test_inside_a_compiled_model() -> None:
    model = Reader(LSTM(I, H, 2))
    compiled = torch.compile(model, backend="eager")
    for steps in (3, 5):
        x = torch.randn(steps, 2, I)
        assert torch.equal(compiled(x), model(x))
        compiled(x).sum().backward()
    assert model.lstm.weight_ih_l0.grad is not None
