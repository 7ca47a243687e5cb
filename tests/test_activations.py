"""sigmoid and tanh of the kernel: within 2 ulp over the whole range, exact at the ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from onecell import _kernel
from problems import Array

KERNEL = Path(__file__).parents[1] / "kernel"


def activate(name: str, x: Array) -> Array:
    function = getattr(_kernel, f"{name}_f{x.dtype.itemsize * 8}")
    y = np.empty_like(x)
    function(x.size, _kernel.address(x), _kernel.address(y))
    return y


def exact(name: str, x: Array) -> Array:
    """Return the function in float64, which is exact beside float32."""
    wide = x.astype(np.float64)
    if name == "tanh":
        return np.tanh(wide)
    e = np.exp(-np.abs(wide))
    return np.where(wide < 0, e, 1.0) / (1.0 + e)


def ulps(got: Array, want: Array) -> Array:
    """Return the error in units of the gap below the right answer."""
    near = np.abs(want).astype(np.float32)
    gap = (near - np.nextafter(near, np.float32(0))).astype(np.float64)
    error: Array = np.abs(got - want) / np.maximum(gap, 2.0**-149)
    return error


def worst(name: str, stride: int) -> float:
    """Return the largest error over every `stride`th float32."""
    largest, chunk = 0.0, 2**25
    for start in range(0, 2**32, chunk):
        bits = np.arange(start, start + chunk, stride, dtype=np.uint64).astype(np.uint32)
        x = bits.view(np.float32)
        x = x[np.isfinite(x)]
        if x.size:
            largest = max(largest, float(ulps(activate(name, x), exact(name, x)).max()))
    return largest


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_within_two_ulp_over_all_exponents(name: str) -> None:
    assert worst(name, stride=1009) <= 2.0


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_within_two_ulp_at_every_float32(name: str) -> None:
    assert worst(name, stride=1) <= 2.0


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_double_is_within_two_ulp_of_longdouble(name: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.choice([-1.0, 1.0], 200_000) * np.exp2(rng.uniform(-40, 9.6, 200_000))
    wide = x.astype(np.longdouble)
    e = np.exp(-np.abs(wide))
    want = np.tanh(wide) if name == "tanh" else np.where(wide < 0, e, 1) / (1 + e)
    near = np.abs(want.astype(np.float64))
    gap = np.maximum(near - np.nextafter(near, 0.0), 2.0**-1074)
    assert float((np.abs(activate(name, x) - want) / gap).max()) <= 2.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_ends_are_exact(dtype: type[np.floating]) -> None:
    x = np.array([-np.inf, -1e4, -0.0, 0.0, 1e4, np.inf, np.nan], dtype)
    assert activate("sigmoid", x)[:6].tolist() == [0.0, 0.0, 0.5, 0.5, 1.0, 1.0]
    assert activate("tanh", x)[:6].tolist() == [-1.0, -1.0, 0.0, 0.0, 1.0, 1.0]
    assert np.signbit(activate("tanh", x))[:4].tolist() == [True, True, True, False]
    assert np.isnan(activate("sigmoid", x)[6])
    assert np.isnan(activate("tanh", x)[6])


def test_the_coefficients_are_what_their_program_prints() -> None:
    program = KERNEL / "tools" / "expm1_coefficients.py"
    printed = subprocess.run([sys.executable, program], check=True, capture_output=True, text=True)
    source = "".join((KERNEL / "src" / "gates.h").read_text().split())
    for line in printed.stdout.splitlines():
        numbers = "".join(line.split(":")[1].split())
        assert f"{{{numbers},}}" in source
