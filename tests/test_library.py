"""The kernel as a library for C: installed, found by CMake, and of the bits that Python has."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from onecell import FrozenCell, LSTMCell
from onecell.checkpoint import load_checkpoint, save_checkpoint
from onecell.packed import WEIGHT_DTYPES, WeightDtype

ROOT = Path(__file__).parent.parent
KERNEL = ROOT / "kernel"
BIN = Path(sysconfig.get_path("scripts"))
X = np.random.default_rng(3).normal(size=(6, 3)).astype(np.float32)


def run(*command: object, text: str | None = None, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [*map(str, command)], check=False, capture_output=True, text=True, timeout=900,
        input=text, env=env,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def configured(source: Path, build: Path, *more: str) -> None:
    ninja = f"-DCMAKE_MAKE_PROGRAM={BIN / 'ninja'}"
    run(BIN / "cmake", "-S", source, "-B", build, "-G", "Ninja", ninja, *more)
    quiet = {k: v for k, v in os.environ.items() if k != "MAKEFLAGS"}
    run(BIN / "cmake", "--build", build, env=quiet)


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install where `make kernel-test` has built, which takes a minute where it has not."""
    build, prefix = ROOT / "build" / "kernel-plain", tmp_path_factory.mktemp("prefix")
    configured(
        KERNEL, build, "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS=-Werror",
        "-DONECELL_KERNEL_TESTS=ON", "-DONECELL_SANITIZE=",
    )  # fmt: skip
    run(BIN / "cmake", "--install", build, "--prefix", prefix)
    return prefix


@pytest.fixture(scope="module")
def shared(prefix: Path) -> Path:
    (found,) = prefix.glob("lib*/libonecell.so")
    return found


def cell_of(rng: int = 5, *, bias: bool = True) -> LSTMCell:
    return LSTMCell(3, 5, bias, rng=rng)


def steps(cell: LSTMCell | FrozenCell) -> np.ndarray:
    stream = cell.stream()
    return np.concatenate([stream.step(x[None]).copy() for x in X])


class Cell:
    """A cell of the library's, by its C interface."""

    def __init__(self, library: ctypes.CDLL, path: Path, name: str | None, storage: int) -> None:
        self.library, self.cell, self.stream = library, ctypes.c_void_p(), ctypes.c_void_p()
        library.onecell_error.restype = ctypes.c_char_p
        encoded = None if name is None else name.encode()
        self.status = library.onecell_cell_load(
            os.fsencode(path), encoded, storage, ctypes.byref(self.cell)
        )
        self.error = library.onecell_error().decode()

    def steps(self) -> np.ndarray:
        lib, out = self.library, np.empty((len(X), 5), np.float32)
        rows = ctypes.c_int64(1)
        assert lib.onecell_stream_create(self.cell, rows, ctypes.byref(self.stream)) == 0
        for x, h in zip(X, out, strict=True):
            at = [ctypes.c_void_p(a.ctypes.data) for a in (x, h)]
            assert lib.onecell_stream_step(self.stream, *at) == 0
        lib.onecell_stream_destroy(self.stream)
        lib.onecell_cell_destroy(self.cell)
        return out


@pytest.fixture(scope="module")
def library(shared: Path) -> Iterator[ctypes.CDLL]:
    return ctypes.CDLL(str(shared))


def test_the_library_shows_what_its_header_declares_and_nothing_else(shared: Path) -> None:
    header = (KERNEL / "include/onecell/onecell.h").read_text()
    declared = set(re.findall(r"ONECELL_API [\w* ]+?\*?(onecell_\w+)\(", header))
    shown = run("nm", "-D", "--defined-only", shared).split()
    assert {name for name in shown if not re.fullmatch(r"[0-9a-f]+|[A-Za-z]", name)} == declared


def test_the_example_is_found_built_and_has_the_bits_of_python(
    prefix: Path, tmp_path: Path
) -> None:
    source = shutil.copytree(KERNEL / "example", tmp_path / "example")
    configured(source, tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}")
    cell = cell_of()
    cell.save(tmp_path / "cell.safetensors")
    rows = "\n".join(" ".join(map(repr, row.tolist())) for row in X)
    for kind in ("shared", "static"):
        command = [tmp_path / "build" / f"live_{kind}", tmp_path / "cell.safetensors"]
        found = np.array(
            [line.split() for line in run(*command, text=rows).splitlines()], np.float32
        )
        np.testing.assert_array_equal(found, steps(cell))


@pytest.mark.parametrize("weight_dtype", WEIGHT_DTYPES)
@pytest.mark.parametrize("bias", [True, False])
def test_a_frozen_file_has_the_bits_of_python(
    library: ctypes.CDLL, tmp_path: Path, weight_dtype: WeightDtype, bias: bool
) -> None:
    frozen = cell_of(bias=bias).freeze(weight_dtype)
    frozen.save(tmp_path / "frozen.safetensors")
    cell = Cell(library, tmp_path / "frozen.safetensors", None, -1)
    assert cell.status == 0, cell.error
    assert library.onecell_cell_storage(cell.cell) == WEIGHT_DTYPES.index(weight_dtype)
    np.testing.assert_array_equal(cell.steps(), steps(frozen))


def test_a_live_file_is_frozen_as_it_is_asked_for(library: ctypes.CDLL, tmp_path: Path) -> None:
    cell = cell_of()
    cell.save(tmp_path / "cell.safetensors")
    for number, weight_dtype in enumerate(WEIGHT_DTYPES):
        read = Cell(library, tmp_path / "cell.safetensors", "", number)
        np.testing.assert_array_equal(read.steps(), steps(cell.freeze(weight_dtype)))


def test_a_cell_of_a_model_is_read_by_its_name(library: ctypes.CDLL, tmp_path: Path) -> None:
    path, cells = tmp_path / "model.safetensors", {"a": cell_of(1), "b.c": cell_of(2)}
    tensors = {
        f"{at}.{name}": value
        for at, cell in cells.items()
        for name, value in cell.weights.arrays().items()
    }
    save_checkpoint(path, tensors | {"head.weight": np.ones((2, 5), np.float32)})
    for at, cell in cells.items():
        np.testing.assert_array_equal(Cell(library, path, at, -1).steps(), steps(cell))
    assert Cell(library, path, None, -1).error == "it has several cells: name one."
    assert Cell(library, path, "head", -1).status == 4


@pytest.mark.parametrize("at", [0, 1, 2, 3])
def test_frozen_files_that_packing_cannot_have_made_are_refused(
    library: ctypes.CDLL, tmp_path: Path, at: int
) -> None:
    """Filled up with something else, of the type of another, without its scale, -128."""
    path = tmp_path / "frozen.safetensors"
    cell_of().freeze("int8").save(path)
    whole = path.read_bytes()
    start = 8 + int.from_bytes(whole[:8], "little")
    header = whole[8:start]
    offsets = re.search(rb'"packed_weight_ih":\{.*?"data_offsets":\[(\d+),', header)
    assert offsets is not None
    first = start + int(offsets[1])
    changed = [
        whole[: first + 15] + b"\x01" + whole[first + 16 :],
        whole.replace(b'"int8"', b'"intt"'),
        whole.replace(b"packed_scale_ih", b"packed_scale_ii"),
        whole[:first] + b"\x80" + whole[first + 1 :],
    ][at]
    assert changed != whole
    path.write_bytes(changed)
    cell = Cell(library, path, None, -1)
    assert (cell.status, bool(cell.error)) == (4, True)
    assert Cell(library, path, None, 0).status in (1, 4)


@pytest.mark.parametrize(
    ("at", "bits", "status"),
    [
        ((0, 1, 1, 3, 0), 0x2380, 0),
        ((0, 1, 1, 3, 0), 0xA37F, 4),
        ((0, 1, 1, 3, 0), 0x0001, 4),
        ((0, 1, 1, 3, 1), 0x3F80, 4),
        ((0, 1, 1, 5, 0), 0x3F80, 4),
        ((0, -1, 1, 3, 0), 0x8000, 4),
    ],
)
def test_weights_in_pairs_of_columns_are_read_as_packing_makes_them(
    library: ctypes.CDLL, tmp_path: Path, at: tuple[int, ...], bits: int, status: int
) -> None:
    """2^-56; below it; subnormal; and a column, a unit and a pair of columns that are none."""
    path = tmp_path / "frozen.safetensors"
    cell_of().freeze("bfloat16_bfloat16").save(path)
    checkpoint = load_checkpoint(path)
    checkpoint.tensors["packed_weight_ih"].view(np.uint16)[at] = bits
    save_checkpoint(path, checkpoint.tensors, metadata=checkpoint.metadata, force=True)
    assert Cell(library, path, None, -1).status == status
