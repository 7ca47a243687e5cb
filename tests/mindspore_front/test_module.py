"""The cell as a MindSpore citizen: parameters, checkpoints, training, hooks, mixed precision."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
import pytest
from mindspore import Parameter, Tensor, nn, ops

from mindspore_cells import by_loop, by_unroll, of_mindspore, ours, step_inputs, tensor
from onecell.errors import DtypeError
from onecell.mindspore import LSTMCell
from problems import Problem, problem

P = problem(4)
CLOSE_TO_MINDSPORE = 1e-4  # What its CPU tanh is off by.


def bits(arrays: Any) -> list[bytes]:
    return [array.asnumpy().tobytes() for array in arrays]


def fresh(p: Problem, cell: LSTMCell) -> list[bytes]:
    """Return what the cell over arrays makes of a step with the parameters that `cell` has now."""
    over_arrays = p.cell
    for name, parameter in cell.parameters_and_names():
        setattr(over_arrays, name, parameter.asnumpy().copy())
    return [array.tobytes() for array in over_arrays(p.x[0], p.state)]


class Reader(nn.Cell):  # type: ignore[misc]
    """A network that holds cells at several depths."""

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.cell = kind(10, 16)
        self.others = nn.CellList([kind(16, 8), kind(8, 4, has_bias=False)])
        self.head = nn.Dense(16, 1)

    def construct(self, x: Tensor, h: Tensor, c: Tensor) -> Tensor:
        for t in range(4):
            h, c = self.cell(x[t], (h, c))
        return self.head(h)


def test_it_is_one_of_mindspores() -> None:
    cell = LSTMCell(3, 4)
    assert isinstance(cell, nn.LSTMCell)
    assert repr(cell) == repr(nn.LSTMCell(3, 4))
    assert (cell.input_size, cell.hidden_size, cell.has_bias) == (3, 4, True)


def test_names_are_the_frameworks_at_any_depth() -> None:
    mine, own = Reader(LSTMCell), Reader(nn.LSTMCell)
    names = [(p.name, p.shape, p.dtype) for p in own.get_parameters()]
    assert [(p.name, p.shape, p.dtype) for p in mine.get_parameters()] == names
    assert "others.1.weight_hh" in mine.parameters_dict()


@pytest.mark.parametrize("bias", [True, False])
def test_fresh_parameters_are_the_frameworks_under_the_same_seed(bias: bool) -> None:
    drawn = []
    for kind in (nn.LSTMCell, LSTMCell):
        np.random.seed(7)  # noqa: NPY002 - what MindSpore draws from
        ms.set_seed(7)
        drawn.append(bits(kind(3, 4, bias).get_parameters()))
    assert drawn[0] == drawn[1]


def test_construction_logs_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    LSTMCell(3, 4)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("arguments", [{"has_bias": False}, {"bias": False}])
def test_both_names_of_the_bias_argument(arguments: dict[str, bool]) -> None:
    cell = LSTMCell(3, 4, **arguments)
    assert not cell.has_bias
    assert cell.bias_ih is cell.bias_hh is None


@pytest.mark.parametrize("suffix", ["ckpt", "safetensors"])
@pytest.mark.parametrize("kinds", [(LSTMCell, nn.LSTMCell), (nn.LSTMCell, LSTMCell)])
def test_checkpoints_move_both_ways(suffix: str, kinds: Any, tmp_path: Path) -> None:
    source, target = Reader(kinds[0]), Reader(kinds[1])
    path = str(tmp_path / f"reader.{suffix}")
    ms.save_checkpoint(source, path, format=suffix)
    loaded = ms.load_param_into_net(target, ms.load_checkpoint(path, format=suffix))
    assert loaded == ([], [])
    assert bits(target.get_parameters()) == bits(source.get_parameters())


@pytest.mark.parametrize("make", [copy.deepcopy, lambda cell: pickle.loads(pickle.dumps(cell))])
@pytest.mark.parametrize("bias", [True, False])
def test_copies_and_pickles(make: Callable[[Any], Any], bias: bool) -> None:
    p = problem(bias=bias)
    cell = ours(p)
    twin = make(cell)
    assert bits(twin(*step_inputs(p))) == bits(cell(*step_inputs(p)))
    twin.weight_ih.set_data(ops.zeros_like(twin.weight_ih))
    assert bits(cell(*step_inputs(p))) == fresh(p, cell)


def test_a_wrapped_cell_shares_its_parameters() -> None:
    own = of_mindspore(P)
    cell = LSTMCell.from_mindspore(own)
    own.weight_ih.set_data(own.weight_ih * 2)
    assert cell.weight_ih is own.weight_ih
    assert bits(cell(*step_inputs(P))) == fresh(P, cell)
    with pytest.raises(DtypeError, match="`cell`"):
        LSTMCell.from_mindspore(nn.GRUCell(3, 4))


def set_data(cell: LSTMCell, value: Tensor) -> None:
    cell.weight_hh.set_data(value)


def assign_value(cell: LSTMCell, value: Tensor) -> None:
    cell.weight_hh.assign_value(value)


def assign(cell: LSTMCell, value: Tensor) -> None:
    ops.assign(cell.weight_hh, value)


def write_item(cell: LSTMCell, value: Tensor) -> None:
    cell.weight_hh[0] = value[0]


def write_view(cell: LSTMCell, value: Tensor) -> None:
    cell.weight_hh.asnumpy()[...] = value.asnumpy()


def load(cell: LSTMCell, value: Tensor) -> None:
    ms.load_param_into_net(cell, {"weight_hh": Parameter(value, name="weight_hh")})


def optimize(cell: LSTMCell, value: Tensor) -> None:
    nn.SGD([cell.weight_hh], 0.1)((value,))


def set_attribute(cell: LSTMCell, value: Tensor) -> None:
    cell.weight_hh = Parameter(value, name="weight_hh")


WRITES = [set_data, assign_value, assign, write_item, write_view, load, optimize, set_attribute]


@pytest.mark.parametrize("write", WRITES)
def test_what_was_written_is_what_the_next_call_reads(write: Any) -> None:
    cell = ours(P)
    before = bits(cell(*step_inputs(P)))
    write(cell, tensor(P.weights.weight_hh + 1))
    after = bits(cell(*step_inputs(P)))
    assert after != before
    assert after == fresh(P, cell)


@pytest.mark.parametrize("write", [assign, write_item, optimize])
def test_what_was_written_in_place_is_what_a_compiled_call_reads(write: Any) -> None:
    # And no more than this: a graph of MindSpore 2.10 overlooks what replaces a parameter's memory.
    cell, (x, (h, c)) = ours(P), step_inputs(P)

    def call(x: Tensor, h: Tensor, c: Tensor) -> Any:
        return cell(x, (h, c))

    compiled = ms.jit(call)
    compiled(x, h, c)
    write(cell, tensor(P.weights.weight_hh + 1))
    assert bits(compiled(x, h, c)) == fresh(P, cell)


QUEUED = """
import mindspore as ms
import numpy as np
from mindspore import nn, ops
from onecell import LSTMCell as OverArrays
from onecell.mindspore import LSTMCell

cell, over_arrays = LSTMCell(10, 16), OverArrays(10, 16)
x, h, c = (ms.Tensor(np.full((3, size), 0.5, np.float32)) for size in (10, 16, 16))
try:
    x + 1
except SystemError:  # Once in a process, on NumPy 2.
    pass
ones = tuple(ms.Tensor(np.ones(p.shape, np.float32)) for p in cell.trainable_params())
update = nn.SGD(cell.trainable_params(), 0.01)
for round in range(4):
    update(ones)
    scaled = ops.mul(x, float(round))
    got = cell(scaled, (h, c))
    later = ops.mul(got[0], 1.0), ops.mul(got[1], 1.0)
    del got
    for name, parameter in cell.parameters_and_names():
        setattr(over_arrays, name, parameter.asnumpy())
    want = over_arrays(scaled.asnumpy(), (h.asnumpy(), c.asnumpy()))
    assert [a.asnumpy().tobytes() for a in later] == [a.tobytes() for a in want], round
"""


def test_what_the_frameworks_threads_have_yet_to_write_is_waited_for(tmp_path: Path) -> None:
    # In a process of its own, where MindSpore runs operators in its threads, as by default.
    script = tmp_path / "queued.py"
    script.write_text(QUEUED)
    subprocess.run([sys.executable, script], check=True, capture_output=True, timeout=300)


@pytest.mark.parametrize("optimizer", [nn.Adam, nn.SGD])
@pytest.mark.parametrize("compiled", [False, True])
def test_training_follows_mindspores_own_cell(optimizer: Any, compiled: bool) -> None:
    own, mine = Reader(nn.LSTMCell), Reader(LSTMCell)
    start(mine, own)
    losses = []
    for net in (own, mine):
        trained = [p for p in net.trainable_params() if not p.name.startswith("others")]
        update = optimizer(trained, learning_rate=0.05)
        losses.append(train(net, trained, update, compiled=compiled))
    assert losses[0][-1] < losses[0][0]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-3)


def start(net: nn.Cell, other: nn.Cell) -> None:
    """Give `net` copies of the parameters of `other`; MindSpore's own ways share memory."""
    both = zip(net.get_parameters(), other.get_parameters(), strict=True)
    for mine, theirs in both:
        mine.set_data(tensor(theirs.asnumpy()))


def train(net: nn.Cell, parameters: Any, update: Any, *, compiled: bool) -> list[float]:
    x, h, c = tensor(P.x), tensor(P.h), tensor(P.c)

    def value(x: Tensor, h: Tensor, c: Tensor) -> Tensor:
        return ((net(x, h, c) - 1) ** 2).mean()

    pull = ms.value_and_grad(value, None, parameters)

    def step(x: Tensor, h: Tensor, c: Tensor) -> Tensor:
        loss, grads = pull(x, h, c)
        update(grads)
        return loss

    run = ms.jit(step) if compiled else step
    return [float(run(x, h, c).asnumpy()) for _ in range(4)]


def test_hooks_run_and_change_no_bit() -> None:
    cell, (x, state) = ours(P), step_inputs(P)
    want, ran = bits(cell(x, state)), []
    hooks = [
        cell.register_forward_pre_hook(lambda *_: ran.append("before")),
        cell.register_forward_hook(lambda *_: ran.append("after")),
    ]
    assert bits(cell(x, state)) == want
    assert ran == ["before", "after"]
    for hook in hooks:
        hook.remove()
    assert bits(cell(x, state)) == want
    assert len(ran) == 2


def test_a_hook_may_replace_the_results() -> None:
    cell, (x, (h, c)) = ours(P), step_inputs(P)
    cell.register_forward_hook(lambda _cell, _arguments, results: (results[0] * 0, results[1]))
    assert not cell(x, (h, c))[0].asnumpy().any()


def test_a_backward_hook_sees_the_gradient() -> None:
    cell, (x, state) = ours(P), step_inputs(P)
    seen: list[Any] = []
    cell.register_backward_hook(lambda _cell, _to, given: seen.append(given))
    ms.grad(lambda x: cell(x, state)[0].sum())(x)
    assert len(seen) == 1


def test_set_grad_changes_no_gradient() -> None:
    cell, (x, state) = ours(P), step_inputs(P)

    def pull() -> list[bytes]:
        parameters = cell.trainable_params()
        by_x, by_parameters = ms.grad(lambda x: cell(x, state)[0].sum(), 0, parameters)(x)
        return bits((by_x, *by_parameters))

    want = pull()
    cell.set_train().set_grad()
    assert pull() == want


class Doubled(LSTMCell):
    """What a user may build on the cell."""

    def construct(self, x: Tensor, hx: Any) -> Any:  # type: ignore[override]
        h, c = super().construct(x, hx)
        return h * 2, c


class Lifted(nn.LSTMCell):  # type: ignore[misc]
    """A step of somebody's own on MindSpore's cell."""

    def construct(self, x: Tensor, hx: Any) -> Any:
        h, c = super().construct(x, hx)
        return h + 1, c


def test_what_a_call_runs_is_not_dropped_in_wrapping() -> None:
    lifted, hooked = Lifted(3, 4), nn.LSTMCell(3, 4)
    replaced, mixed = nn.LSTMCell(3, 4), nn.LSTMCell(3, 4).to_float(ms.float16)
    hooked.register_forward_hook(lambda *_: None)
    replaced.construct = lambda x, hx: hx
    for cell, name in (
        (lifted, "`construct`"),
        (replaced, "`construct`"),
        (hooked, "`_lazy_forward_hook`"),
        (mixed, "`mixed_precision_type`"),
    ):
        with pytest.raises(DtypeError, match=name):
            LSTMCell.from_mindspore(cell)
    Doubled.from_mindspore(of_mindspore(P))


@pytest.mark.parametrize("mode", [None, "ast", "bytecode"])
def test_a_subclass_may_override_construct(mode: str | None) -> None:
    cell = Doubled(10, 16)
    for name, array in P.weights.arrays().items():
        getattr(cell, name).set_data(tensor(array))

    def call(x: Tensor, h: Tensor, c: Tensor) -> Any:
        return cell(x, (h, c))

    x, (h, c) = step_inputs(P)
    got = (ms.jit(call, capture_mode=mode) if mode else call)(x, h, c)
    want = ours(P)(x, (h, c))
    assert bits(got) == bits((want[0] * 2, want[1]))


def tripling(kind: Any) -> Any:
    """Return a class of cells whose way back is three times x, whatever comes in."""

    class Tripling(kind):  # type: ignore[misc]
        def bprop(self, x: Tensor, hx: Any, out: Any, dout: Any) -> Any:
            return x * 3, (hx[0], hx[1])

    return Tripling(10, 16)


class Network(nn.Cell):  # type: ignore[misc]
    """A cell in a network."""

    def __init__(self, cell: Any) -> None:
        super().__init__()
        self.cell = cell

    def construct(self, x: Tensor, h: Tensor, c: Tensor) -> Tensor:
        return self.cell(x, (h, c))[0].sum()


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("kind", [nn.LSTMCell, LSTMCell])
def test_a_subclass_may_have_its_own_way_back(kind: Any, compiled: bool) -> None:
    x, (h, c) = step_inputs(P)
    network = Network(tripling(kind))

    def pull(x: Tensor) -> Tensor:
        return ms.grad(network)(x, h, c)

    assert np.array_equal((ms.jit(pull) if compiled else pull)(x).asnumpy(), 3 * x.asnumpy())


def test_a_way_back_of_its_own_is_that_of_every_step() -> None:
    cell, x, (h, c) = tripling(LSTMCell), tensor(P.x), step_inputs(P)[1]
    found = ms.grad(lambda x: cell.unroll(x, (h, c))[0].sum())(x)
    assert np.array_equal(found.asnumpy(), 3 * P.x)
    assert bits(cell(x[0], (h, c))) == fresh(P, cell)
    with pytest.raises(DtypeError, match="`bprop`"):
        LSTMCell.from_mindspore(tripling(nn.LSTMCell))


def shadowed(cell: Any) -> Any:
    cell.__dict__["weight_hh"] = cell.weight_hh * 2
    return cell


def with_property(cell: Any) -> Any:
    class Twice(type(cell)):  # type: ignore[misc]
        @property
        def weight_hh(self) -> Tensor:
            return self._params["weight_hh"] * 2

    cell.__class__ = Twice
    return cell


def with_getattr(cell: Any) -> Any:
    class Twice(type(cell)):  # type: ignore[misc]
        def __getattr__(self, name: str) -> Any:
            found = super().__getattr__(name)
            return found * 2 if name == "weight_hh" else found

    cell.__class__ = Twice
    return cell


@pytest.mark.parametrize("change", [shadowed, with_property, with_getattr])
def test_what_a_weight_is_read_as_is_what_computes(change: Any) -> None:
    x, state = step_inputs(P)
    doubled = ours(P)
    doubled.weight_hh.set_data(doubled.weight_hh * 2)
    cell = change(ours(P))
    assert bits(cell(x, state)) == bits(doubled(x, state))
    assert bits(cell.unroll(x[None], state)[1]) == bits(doubled(x, state))


def test_a_bias_that_is_hidden_is_not_what_computes() -> None:
    x, state = step_inputs(P)
    cells = [ours(P), of_mindspore(P)]
    with_biases = cells[0](x, state)
    for cell in cells:
        cell.__dict__.update(bias_ih=None, bias_hh=None)
    (h, _), (want, _) = (cell(x, state) for cell in cells)
    np.testing.assert_allclose(h.asnumpy(), want.asnumpy(), atol=CLOSE_TO_MINDSPORE)
    assert bits([h]) != bits(with_biases[:1])


def test_unroll_is_a_loop_over_a_subclass_own_step() -> None:
    cell = Doubled(10, 16)
    h, c = step_inputs(P)[1]
    x, state, every = tensor(P.x), (h, c), []
    for t in range(len(P.x)):
        state = cell(x[t], state)
        every.append(state[0].asnumpy())

    def unroll(x: Tensor, h: Tensor, c: Tensor) -> Any:
        return cell.unroll(x, (h, c))

    for run in (unroll, ms.jit(unroll)):
        h_all, last = run(x, h, c)
        assert np.array_equal(h_all.asnumpy(), np.stack(every))
        assert np.array_equal(last[1].asnumpy(), state[1].asnumpy())


@pytest.mark.parametrize("dtype", [ms.float16, ms.float32])
def test_to_float_gives_what_mindspores_own_cell_gives(dtype: Any) -> None:
    x, state = step_inputs(P)
    own, mine = of_mindspore(P).to_float(dtype), ours(P).to_float(dtype)
    assert bits(mine(x, state)) == bits(own(x, state))


@pytest.mark.parametrize("level", ["O2", "O3"])
def test_automatic_mixed_precision(level: str) -> None:
    x, h, c = tensor(P.x), tensor(P.h), tensor(P.c)
    own, mine = Reader(nn.LSTMCell), Reader(LSTMCell)
    ms.load_param_into_net(mine, own.parameters_dict())
    want = ms.amp.auto_mixed_precision(own, level)(x, h, c)
    got = ms.amp.auto_mixed_precision(mine, level)(x, h, c)
    assert bits([got]) == bits([want])


def test_half_precision_is_mindspores() -> None:
    own = nn.LSTMCell(10, 16, dtype=ms.float16)
    mine = LSTMCell.from_mindspore(own)
    x, h, c = (tensor(a.astype(np.float16)) for a in (P.x[0], P.h, P.c))
    assert bits(mine(x, (h, c))) == bits(own(x, (h, c)))
    h_all, (h_last, _) = mine.unroll(x[None], (h, c))
    assert bits([h_all[0]]) == bits([h_last]) == bits(own(x, (h, c))[:1])
    by_mine = ms.grad(lambda x: mine(x, (h, c))[0].sum())(x)
    assert bits([by_mine]) == bits([ms.grad(lambda x: own(x, (h, c))[0].sum())(x)])


def test_mixed_types_are_mindspores() -> None:
    own, mine = of_mindspore(P), ours(P)
    x, (h, c) = step_inputs(P)
    assert bits(mine(x, (h, c.half()))) == bits(own(x, (h, c.half())))
    with pytest.raises(TypeError):
        mine(x.half(), (h, c))


def test_double_precision_computes() -> None:
    p = problem(dtype=np.float64)
    got, want = ours(p)(*step_inputs(p)), p.cell(p.x[0], p.state)
    assert bits(got) == [array.tobytes() for array in want]


class Step(nn.Cell):  # type: ignore[misc]
    """One step with the state apart, as exporters want it."""

    def __init__(self, cell: Any) -> None:
        super().__init__()
        self.cell = cell

    def construct(self, x: Tensor, h: Tensor, c: Tensor) -> Any:
        return self.cell(x, (h, c))


def dynamic() -> nn.Cell:
    net = Step(ours(P))
    shapes = ([None, width] for width in (10, 16, 16))
    net.set_inputs(*(Tensor(shape=shape, dtype=ms.float32) for shape in shapes))
    return ms.jit(net)


def test_dynamic_batches() -> None:
    run, (x, (h, c)) = dynamic(), step_inputs(P)
    want = of_mindspore(P)(x, (h, c))
    for rows in (3, 2):
        h_next, c_next = run(x[:rows], h[:rows], c[:rows])
        for got, full in ((h_next, want[0]), (c_next, want[1])):
            np.testing.assert_allclose(
                got.asnumpy(), full[:rows].asnumpy(), rtol=0, atol=CLOSE_TO_MINDSPORE
            )


@pytest.mark.parametrize("wrong", ["h", "c"])
def test_dynamic_batches_are_not_broadcast(wrong: str) -> None:
    run, (x, (h, c)) = dynamic(), step_inputs(P)
    state = (h[:1], c) if wrong == "h" else (h, c[:1])
    with pytest.raises((ValueError, RuntimeError)):
        run(x, *state)[0].asnumpy()


@pytest.mark.parametrize("run", [by_loop, by_unroll])
def test_results_outlive_the_cell(run: Any) -> None:
    h_all, (h, c) = run(ours(P), tensor(P.x), (tensor(P.h), tensor(P.c)))
    later = ops.mul(h_all, 1.0), ops.mul(c, 1.0)
    want = P.cell.unroll(P.x, P.state)
    del h_all, h, c
    assert bits(later) == [want[0].tobytes(), want[1][1].tobytes()]
