"""`onecell.mindspore.LSTM` beside `mindspore.nn.LSTM`: the same calls, numbers and names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn, ops

from onecell.mindspore import LSTM, LSTMCell, routes

I, H, STEPS, ROWS = 5, 7, 4, 3  # noqa: E741
CLOSE = 2e-4
"""MindSpore's tanh on a CPU is off by up to 1e-4."""
OPTIONS = [
    {},
    {"num_layers": 2, "has_bias": False},
    {"num_layers": 2, "bidirectional": True, "batch_first": True},
]


def pair(**options: Any) -> tuple[nn.LSTM, LSTM]:
    """Return MindSpore's and ours, with the same parameters."""
    theirs, ours = nn.LSTM(I, H, **options), LSTM(I, H, **options)
    state = {p.name: p for p in theirs.get_parameters()}
    assert [p.name for p in ours.get_parameters()] == [*state]
    assert ms.load_param_into_net(ours, state) == ([], [])
    return theirs, ours


def inputs(**options: Any) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    rng = np.random.default_rng(1)
    lead = (ROWS, STEPS) if options.get("batch_first") else (STEPS, ROWS)
    places = options.get("num_layers", 1) * (1 + options.get("bidirectional", False))
    arrays = [
        rng.normal(size=size).astype(np.float32) for size in ((*lead, I), *[(places, ROWS, H)] * 2)
    ]
    x, h, c = map(Tensor, arrays)
    return x, (h, c)


def numbers(found: Any) -> list[Any]:
    h_all, (h, c) = found
    return [t.asnumpy() for t in (h_all, h, c)]


def close(got: list[Any], want: list[Any]) -> None:
    for a, b in zip(got, want, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=0, atol=CLOSE)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_outputs_and_gradients_are_mindspores(options: dict[str, Any]) -> None:
    x, state = inputs(**options)
    found = []
    for net in pair(**options):

        def loss(x: Tensor, h: Tensor, c: Tensor, net: Any = net) -> Any:
            h_all, (h, c) = net(x, (h, c))
            return ops.sin(h_all).sum() + ops.cos(h).sum() + (c * c).sum()

        pull = ms.grad(loss, (0, 1, 2), net.trainable_params())
        by_inputs, by_weights = pull(x, *state)
        found.append([*numbers(net(x, state)), *(g.asnumpy() for g in (*by_inputs, *by_weights))])
    theirs, ours = found
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=10 * CLOSE)


def test_the_bits_are_those_of_stepping_the_cell_in_every_mode() -> None:
    options = {"num_layers": 2, "bidirectional": True}
    _, ours = pair(**options)
    x, (h, c) = inputs(**options)
    below, last = x, []
    for layer in range(2):
        both = []
        for direction, suffix in enumerate((f"_l{layer}", f"_l{layer}_reverse")):
            named = {p.name: p for p in ours.get_parameters()}
            cell = LSTMCell(below.shape[-1], H)
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                getattr(cell, name).set_data(named[name + suffix])
            order = range(STEPS)[:: -1 if direction else 1]
            place, every = 2 * layer + direction, {}
            state = (h[place], c[place])
            for t in order:
                state = cell(below[t], state)
                every[t] = state[0]
            both.append(ops.stack([every[t] for t in range(STEPS)]))
            last.append(state[0])
        below = ops.concat(both, -1)
    want = [below.asnumpy(), ops.stack(last).asnumpy()]
    compiled = ms.jit(ours)
    for found in (ours(x, (h, c)), compiled(x, (h, c))):
        for a, b in zip(numbers(found), want, strict=False):
            assert a.tobytes() == b.tobytes()


def test_the_kernel_computes_and_elsewhere_mindspore_does(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs, ours = pair()
    x, state = inputs()
    asked: list[Any] = []
    run = routes.run_layer

    def seen(*given: Any) -> Any:
        asked.append(run(*given))
        return asked[-1]

    monkeypatch.setattr(routes, "run_layer", seen)
    close(numbers(ours(x, state)), numbers(theirs(x, state)))
    assert asked[0] is not None
    lengths = Tensor([4, 1, 2], ms.int32)
    close(numbers(ours(x, state, lengths)), numbers(theirs(x, state, lengths)))
    assert len(asked) == 1


@pytest.mark.parametrize("mixed", ["to_float", "O2", "O3"])
def test_mixed_precision_gives_what_mindspores_gives(mixed: str) -> None:
    """MindSpore casts what its operators are given, and the kernel's has no 16-bit floats."""
    x, state = inputs()
    theirs, ours = (
        net.to_float(ms.float16) if mixed == "to_float" else ms.amp.auto_mixed_precision(net, mixed)
        for net in pair()
    )
    for a, b in zip(numbers(ours(x, state)), numbers(theirs(x, state)), strict=True):
        assert np.array_equal(a, b)
    weights = ours.trainable_params()
    pull = ms.value_and_grad(lambda x: ours(x, state)[0].sum(), None, weights)
    assert len(pull(x)[1]) == len(weights)


def test_errors_are_value_and_type_errors() -> None:
    x, state = inputs()
    for net in pair():
        with pytest.raises((ValueError, TypeError, RuntimeError)):
            net(x[:, :, :3], state)
        with pytest.raises(TypeError):
            net(x, list(state))


def test_checkpoints_and_exported_files(tmp_path: Path) -> None:
    theirs, ours = pair(num_layers=2)
    x, state = inputs(num_layers=2)
    ms.save_checkpoint(ours, str(tmp_path / "a.ckpt"))
    fresh = nn.LSTM(I, H, num_layers=2)
    assert ms.load_param_into_net(fresh, ms.load_checkpoint(str(tmp_path / "a.ckpt"))) == ([], [])
    close(numbers(fresh(x, state)), numbers(theirs(x, state)))
    ms.export(ours, x, state, file_name=str(tmp_path / "net"), file_format="MINDIR")
    assert b"_kernel" not in (tmp_path / "net.mindir").read_bytes()
