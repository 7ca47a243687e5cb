"""Every row against the framework itself: its own cell, with the arrays that the row gives it.

torch and onnxruntime are there wherever the tests are; the others are run where they are installed.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np
import pytest

from onecell import Spec, Weights, reference

RTOL, ATOL = 2e-5, 2e-6
WEIGHTS = Weights.random(Spec(3, 4), 7)
RNG = np.random.default_rng(8)
X = RNG.standard_normal((5, 2, 3)).astype(np.float32)
"""Five steps of two rows."""
H, C = RNG.standard_normal((2, 2, 4)).astype(np.float32)


def rollout() -> tuple[np.ndarray, np.ndarray]:
    h, c = H, C
    for x in X:
        h, c = reference.step(WEIGHTS, x, h, c)
    return h, c


def check(h: Any, c: Any) -> None:
    for got, want in zip((h, c), rollout(), strict=True):
        np.testing.assert_allclose(np.asarray(got).reshape(want.shape), want, rtol=RTOL, atol=ATOL)


def imported(name: str) -> Any:
    """Return a module, or skip; its own warnings are not ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name)


def test_torch() -> None:
    torch = imported("torch")
    cell = torch.nn.LSTMCell(3, 4)
    cell.load_state_dict({n: torch.tensor(a) for n, a in WEIGHTS.to_dialect("torch").items()})
    state = torch.tensor(H), torch.tensor(C)
    for x in X:
        state = cell(torch.tensor(x), state)
    check(*(each.detach().numpy() for each in state))


@pytest.mark.parametrize("bias", [True, False])
def test_onnx(bias: bool) -> None:
    onnx, runtime = imported("onnx"), imported("onnxruntime")
    weights = Weights.random(Spec(3, 4, bias), 7)
    arrays = weights.to_dialect("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    names = ["X", "W", "R", *(["B"] if bias else [""]), "", "h", "c"]
    node = helper.make_node("LSTM", names, ["", "h1", "c1"], hidden_size=4)
    shapes = {"X": [5, 2, 3], "h": [1, 2, 4], "c": [1, 2, 4], "h1": [1, 2, 4], "c1": [1, 2, 4]}
    values = {n: helper.make_tensor_value_info(n, kind, shape) for n, shape in shapes.items()}
    graph = helper.make_graph(
        [node],
        "one",
        [values["X"], values["h"], values["c"]],
        [values["h1"], values["c1"]],
        [onnx.numpy_helper.from_array(a, n) for n, a in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    session = runtime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    got = session.run(None, {"X": X, "h": H[None], "c": C[None]})
    h, c = H, C
    for x in X:
        h, c = reference.step(weights, x, h, c)
    for array, want in zip(got, (h, c), strict=True):
        np.testing.assert_allclose(array[0], want, rtol=RTOL, atol=ATOL)


@pytest.mark.slow
def test_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    keras = imported("keras")
    cell = keras.layers.LSTMCell(4)
    cell.build((2, 3))
    cell.set_weights(list(WEIGHTS.to_dialect("keras").values()))
    assert [v.name for v in cell.weights] == list(WEIGHTS.to_dialect("keras"))
    state = [H, C]
    for x in X:
        _, state = cell(x, state)
    check(*(keras.ops.convert_to_numpy(each) for each in state))


def nested(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, array in arrays.items():
        *above, last = name.split(".")
        place = tree
        for part in above:
            place = place.setdefault(part, {})
        place[last] = array
    return tree


@pytest.mark.slow
@pytest.mark.parametrize("name", ["LSTMCell", "OptimizedLSTMCell"])
def test_flax_linen(name: str) -> None:
    linen = imported("flax.linen")
    cell = getattr(linen, name)(4)
    state: Any = (C, H)
    for x in X:
        state, _ = cell.apply({"params": nested(WEIGHTS.to_dialect("flax"))}, state, x)
    check(state[1], state[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "row"), [("LSTMCell", "flax-nnx"), ("OptimizedLSTMCell", "flax-nnx-optimized")]
)
def test_flax_nnx(name: str, row: str) -> None:
    nnx = imported("flax.nnx")
    jax = imported("jax")
    cell = getattr(nnx, name)(3, 4, rngs=nnx.Rngs(0))
    for path, array in WEIGHTS.to_dialect(row).items():
        *above, last = path.split(".")
        place = cell
        for part in above:
            place = getattr(place, part)
        assert getattr(place, last).shape == array.shape
        setattr(place, last, nnx.Param(jax.numpy.asarray(array)))
    state: Any = (C, H)
    for x in X:
        state, _ = cell(state, x)
    check(state[1], state[0])


@pytest.mark.slow
def test_haiku() -> None:
    haiku = imported("haiku")
    arrays = WEIGHTS.to_dialect("haiku")
    params = {"lstm/linear": {"w": arrays["lstm.linear.w"], "b": arrays["lstm.linear.b"]}}

    def call(x: Any, h: Any, c: Any) -> Any:
        return haiku.LSTM(4)(x, haiku.LSTMState(h, c))[1]

    run = haiku.without_apply_rng(haiku.transform(call)).apply
    state: Any = haiku.LSTMState(H, C)
    for x in X:
        state = run(params, x, state.hidden, state.cell)
    check(state.hidden, state.cell)


@pytest.mark.slow
def test_equinox() -> None:
    equinox, jax = imported("equinox"), imported("jax")
    cell = equinox.nn.LSTMCell(3, 4, key=jax.random.key(0))
    arrays = WEIGHTS.to_dialect("equinox")
    cell = equinox.tree_at(
        lambda c: [getattr(c, n) for n in arrays],
        cell,
        [jax.numpy.asarray(a) for a in arrays.values()],
    )
    state: Any = (H, C)
    for x in X:
        state = jax.vmap(cell)(x, state)
    check(*state)


@pytest.mark.slow
def test_paddle() -> None:
    if "mindspore" in sys.modules or "tensorflow" in sys.modules:
        pytest.skip("paddle cannot be loaded beside them")
    paddle = imported("paddle")
    cell = paddle.nn.LSTMCell(3, 4)
    cell.set_state_dict({n: paddle.to_tensor(a) for n, a in WEIGHTS.to_dialect("paddle").items()})
    state: Any = (paddle.to_tensor(H), paddle.to_tensor(C))
    for x in X:
        _, state = cell(paddle.to_tensor(x), state)
    check(*(each.numpy() for each in state))


@pytest.mark.slow
def test_openvino() -> None:
    openvino = imported("openvino")
    ops = imported("openvino.opset8")
    arrays = WEIGHTS.to_dialect("openvino")
    inputs = [ops.parameter(shape) for shape in ([2, 5, 3], [2, 1, 4], [2, 1, 4])]
    node = ops.lstm_sequence(
        *inputs,
        ops.constant(np.array([5, 5], np.int32)),
        *(ops.constant(arrays[name]) for name in "WRB"),
        4,
        "forward",
    )
    config = {"INFERENCE_PRECISION_HINT": "f32"}
    model = openvino.Core().compile_model(openvino.Model(node.outputs(), inputs), "CPU", config)
    got = list(model([X.transpose(1, 0, 2), H[:, None], C[:, None]]).values())
    check(got[1], got[2])


@pytest.mark.slow
def test_tinygrad() -> None:
    tinygrad = imported("tinygrad")
    if not list(tinygrad.Device.get_available_devices()):
        pytest.skip("tinygrad finds no compiler to run with")
    cell = imported("tinygrad.nn").LSTMCell(3, 4)
    for name, array in WEIGHTS.to_dialect("tinygrad").items():
        assert getattr(cell, name).shape == array.shape
        setattr(cell, name, tinygrad.Tensor(array))
    state: Any = (tinygrad.Tensor(H), tinygrad.Tensor(C))
    for x in X:
        state = cell(tinygrad.Tensor(x), state)
    check(*(each.numpy() for each in state))


@pytest.mark.slow
def test_mlx() -> None:
    mx, nn = imported("mlx.core"), imported("mlx.nn")
    layer = nn.LSTM(3, 4)
    layer.update({name: mx.array(a) for name, a in WEIGHTS.to_dialect("mlx").items()})
    h, c = layer(mx.array(X.transpose(1, 0, 2)), mx.array(H), mx.array(C))
    check(np.array(h)[:, -1], np.array(c)[:, -1])


@pytest.mark.slow
def test_tensorflow() -> None:
    """The cell of TensorFlow 1 is gone from Keras 3; the kernel that it calls is there."""
    tensorflow = imported("tensorflow")
    arrays = WEIGHTS.to_dialect("tensorflow")
    state = H, C
    zeros = np.zeros(4, np.float32)
    for x in X:
        _, c, _, _, _, _, h = tensorflow.raw_ops.LSTMBlockCell(
            x=x, cs_prev=state[1], h_prev=state[0], w=arrays["lstm.kernel"], wci=zeros, wcf=zeros,
            wco=zeros, b=arrays["lstm.bias"], forget_bias=1.0, cell_clip=-1.0,
        )  # fmt: skip
        state = h.numpy(), c.numpy()
    check(*state)
