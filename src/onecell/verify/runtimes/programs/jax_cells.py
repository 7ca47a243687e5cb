"""The cells of JAX: Flax' linen and nnx, Haiku and Equinox, with 64-bit numbers allowed.

Each is a function of its arrays, `apply(arrays, x, h, c) -> (h', c')`, which JAX differentiates.
"""

import importlib
import importlib.metadata
import os

LIBRARIES = {"haiku": "dm-haiku", "equinox": "equinox"}
COMPILED = {}
"""Names, shapes and types → what is compiled: it takes the arrays, and cells of one form share it.
"""


def load(dialect):
    """Import JAX and the dialect's library; return their versions."""
    global jax
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    import jax

    jax.config.update("jax_enable_x64", True)
    library = LIBRARIES.get(dialect, "flax")
    importlib.import_module("haiku" if dialect == "haiku" else library)
    version = importlib.metadata.version
    return f"{library} {version(library)} (jax {version('jax')})"


class Cell:
    """One cell and what differentiates it."""

    def __init__(self, dialect, arrays, dtype):
        self.arrays = {name: jax.numpy.asarray(array, dtype) for name, array in arrays.items()}
        form = tuple((name, array.shape, dtype) for name, array in arrays.items())
        if form not in COMPILED:
            functions = _functions(APPLIES[dialect](arrays, dtype))
            COMPILED[form] = [jax.jit(each) for each in functions]
        self._step, self._rollout, self._gradients = COMPILED[form]

    def step(self, x, h, c):
        """Return (h', c')."""
        return self._step(self.arrays, x, h, c)

    def rollout(self, x, h, c):
        """Return the states after each step, scanned by JAX."""
        return self._rollout(self.arrays, x, h, c)

    def gradients(self, x, h, c, grad_h_all, grad_c_last):
        """Return what jax.grad gives."""
        arrays, *given = self._gradients(self.arrays, x, h, c, grad_h_all, grad_c_last)
        return {**dict(zip("xhc", given)), **arrays}


def _functions(apply):
    """Return the step, the rollout and the gradients of a cell, as functions of its arrays."""

    def rollout(arrays, x, h, c):
        def body(state, row):
            state = apply(arrays, row, *state)
            return state, state

        return jax.lax.scan(body, (h, c), x)[1]

    def loss(arrays, x, h, c, grad_h_all, grad_c_last):
        total = 0.0
        for row, up in zip(x, grad_h_all):
            h, c = apply(arrays, row, h, c)
            total += (h * up).sum()
        return total + (c * grad_c_last).sum()

    return apply, rollout, jax.grad(loss, (0, 1, 2, 3))


def _linen(arrays, dtype):
    import flax.linen

    hidden = arrays["hi.kernel"].shape[1]
    cell = flax.linen.LSTMCell(hidden, dtype=dtype, param_dtype=dtype)

    def apply(arrays, x, h, c):
        (c, h), _ = cell.apply({"params": _nested(arrays)}, (c, h), x)
        return h, c

    return apply


def _nnx(arrays, dtype):
    from flax import nnx

    sizes = arrays["ii.kernel"].shape
    made = nnx.LSTMCell(*sizes, dtype=dtype, param_dtype=dtype, rngs=nnx.Rngs(0))
    return _applied(made)


def _nnx_optimized(arrays, dtype):
    from flax import nnx

    sizes = arrays["dense_i.kernel"].shape[0], arrays["dense_h.kernel"].shape[0]
    made = nnx.OptimizedLSTMCell(*sizes, dtype=dtype, param_dtype=dtype, rngs=nnx.Rngs(0))
    return _applied(made)


def _applied(made):
    from flax import nnx

    graph, state = nnx.split(made)

    def apply(arrays, x, h, c):
        cell = nnx.merge(graph, state)
        for name, array in arrays.items():
            layer, parameter = name.split(".")
            setattr(getattr(cell, layer), parameter, nnx.Param(array))
        (c, h), _ = cell((c, h), x)
        return h, c

    return apply


def _haiku(arrays, dtype):
    import haiku

    hidden = arrays["linear.b"].shape[0] // 4
    run = haiku.transform(lambda x, s: haiku.LSTM(hidden)(x, s))  # noqa: PLW0108 - made inside
    cell = haiku.without_apply_rng(run)

    def apply(arrays, x, h, c):
        held = {"lstm/linear": {"w": arrays["linear.w"], "b": arrays["linear.b"]}}
        _, state = cell.apply(held, x, haiku.LSTMState(h, c))
        return state.hidden, state.cell

    return apply


def _equinox(arrays, dtype):
    import equinox

    inputs, hidden = arrays["weight_ih"].shape[1], arrays["weight_hh"].shape[1]
    biased = "bias" in arrays
    made = equinox.nn.LSTMCell(
        inputs, hidden, use_bias=biased, dtype=dtype, key=jax.random.PRNGKey(0)
    )
    names = [name for name in ("weight_ih", "weight_hh", "bias") if name in arrays]

    def apply(arrays, x, h, c):
        cell = equinox.tree_at(
            lambda tree: [getattr(tree, name) for name in names],
            made,
            [arrays[name] for name in names],
        )
        return jax.vmap(lambda x, h, c: cell(x, (h, c)))(x, h, c)

    return apply


def _nested(arrays):
    tree = {}
    for name, array in arrays.items():
        *path, last = name.split(".")
        place = tree
        for each in path:
            place = place.setdefault(each, {})
        place[last] = array
    return tree


APPLIES = {
    "flax": _linen,
    "flax-nnx": _nnx,
    "flax-nnx-optimized": _nnx_optimized,
    "haiku": _haiku,
    "equinox": _equinox,
}
