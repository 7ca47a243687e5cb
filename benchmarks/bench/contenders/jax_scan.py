"""JAX: the cell jitted, over time by `lax.scan`, the input product taken out of the loop."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import numpy as np

from bench.contenders import Prepared
from bench.problem import Outputs, Problem, Work


def scan(p: Problem, work: Work, threads: int) -> Prepared:
    """A jitted function on JAX's own arrays, waited for; kernels (I, 4H) as Flax keeps them."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    # XLA sizes its pool by the CPUs that the process may use; no flag of this release does.
    jax: Any = import_module("jax")
    jnp, lax = jax.numpy, jax.lax
    w = p.weights.arrays()
    weights = [jnp.asarray(a) for a in (w["weight_ih"].T, w["weight_hh"].T)]
    weights.append(jnp.asarray(w["bias_ih"] + w["bias_hh"]))
    both_weights = jnp.concatenate(weights[:2])
    x, h, c, grad = (jnp.asarray(a) for a in (p.x, p.h, p.c, p.grad_h_all))

    def after(z: Any, c: Any) -> Any:  # noqa: ANN401
        i, f, g, o = jnp.split(z, 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return jax.nn.sigmoid(o) * jnp.tanh(c), c

    def unroll(weights: Any, x: Any, h: Any, c: Any) -> Any:  # noqa: ANN401
        by_x, by_h, bias = weights

        def step(state: Any, z: Any) -> Any:  # noqa: ANN401
            state = after(z + state[0] @ by_h, state[1])
            return state, state[0]

        (_, c), h_all = lax.scan(step, (h, c), x @ by_x + bias)
        return h_all, c

    def train(weights: Any, x: Any, h: Any, c: Any, grad: Any) -> Any:  # noqa: ANN401
        h_all, pull = jax.vjp(lambda weights, x: unroll(weights, x, h, c)[0], weights, x)
        return h_all, pull(grad)

    settings = f"{threads} CPUs, jit, block_until_ready"
    if work == "train":
        both = jax.jit(train)

        def read_train() -> Outputs:
            h_all, (by_weights, by_x) = both(weights, x, h, c, grad)
            found = {"h": h_all, "x": by_x}
            found |= {"weight_ih": by_weights[0].T, "weight_hh": by_weights[1].T}
            return {name: np.asarray(array) for name, array in found.items()}

        return Prepared(
            lambda: jax.block_until_ready(both(weights, x, h, c, grad)), read_train, settings
        )

    def step_once(both_weights: Any, bias: Any, x: Any, h: Any, c: Any) -> Any:  # noqa: ANN401
        # One product over (x, h), as Haiku has it, is XLA's quickest for a single step.
        return after(jnp.concatenate([x, h], axis=1) @ both_weights + bias, c)

    if work == "step":
        arguments: tuple[Any, ...] = (both_weights, weights[2], x[0], h, c)
        forward = jax.jit(step_once)
    else:
        forward, arguments = jax.jit(unroll), (weights, x, h, c)

    def read() -> Outputs:
        h_all, c_last = (np.asarray(a) for a in forward(*arguments))
        return {"h": h_all[None] if work == "step" else h_all, "c": c_last}

    return Prepared(lambda: jax.block_until_ready(forward(*arguments)), read, settings)
