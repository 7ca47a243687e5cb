"""What every format promises alike."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecell.checkpoint import load_checkpoint, save_checkpoint
from onecell.dtypes import BFLOAT16
from onecell.errors import ArgumentError, DtypeError

Tensors = dict[str, np.ndarray]
SameBits = Callable[[Tensors, Tensors], None]

SUFFIXES = [".pt", ".pth", ".safetensors", ".ckpt", ".npz"]
LACKS = {".safetensors": {"complex128"}, ".ckpt": {"complex64", "complex128"}}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_element_type_comes_back_bit_for_bit(
    suffix: str, every_dtype: Tensors, tmp_path: Path, assert_same_bits: SameBits
) -> None:
    lacks = LACKS.get(suffix, set())
    tensors = {n: a for n, a in every_dtype.items() if n.removeprefix("t.") not in lacks}
    save_checkpoint(tmp_path / f"a{suffix}", tensors)
    assert_same_bits(load_checkpoint(tmp_path / f"a{suffix}").tensors, tensors)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_shape_comes_back(
    suffix: str, shapes: Tensors, tmp_path: Path, assert_same_bits: SameBits
) -> None:
    save_checkpoint(tmp_path / f"a{suffix}", shapes)
    assert_same_bits(load_checkpoint(tmp_path / f"a{suffix}").tensors, shapes)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_element_type_that_a_format_lacks_is_an_error_by_name(
    suffix: str, every_dtype: Tensors, tmp_path: Path
) -> None:
    for kind in LACKS.get(suffix, set()):
        with pytest.raises(DtypeError, match=f"`t.{kind}` holds {kind}"):
            save_checkpoint(tmp_path / f"a{suffix}", {f"t.{kind}": every_dtype[f"t.{kind}"]})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_tensors_at_all_is_a_file(suffix: str, tmp_path: Path) -> None:
    if suffix == ".ckpt":  # an empty message is an empty file, which nobody reads
        with pytest.raises(ArgumentError, match="must not be empty"):
            save_checkpoint(tmp_path / "a.ckpt", {})
        assert list(tmp_path.iterdir()) == []
        return
    save_checkpoint(tmp_path / f"a{suffix}", {})
    assert load_checkpoint(tmp_path / f"a{suffix}").tensors == {}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_loaded_is_ours_to_change(suffix: str, model: Tensors, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / f"a{suffix}", model)
    arrays = list(load_checkpoint(tmp_path / f"a{suffix}").tensors.values())
    for array in arrays:
        assert array.flags.writeable
        assert array.flags.aligned
        assert array.flags.c_contiguous
    assert not any(np.shares_memory(a, b) for a in arrays for b in arrays if a is not b)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_views_and_the_other_byte_order_are_stored_by_value(suffix: str, tmp_path: Path) -> None:
    plain = np.arange(12, dtype=np.float32).reshape(3, 4)
    tensors = {
        "transposed": plain.T,
        "reversed": plain[::-1, ::-2],
        "big": plain.astype(">f4"),
        "readonly": plain.view(),
    }
    tensors["readonly"].flags.writeable = False
    save_checkpoint(tmp_path / f"a{suffix}", tensors)
    loaded = load_checkpoint(tmp_path / f"a{suffix}").tensors
    for name, array in tensors.items():
        np.testing.assert_array_equal(loaded[name], array)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_bfloat16_of_ml_dtypes_is_welcome(suffix: str, tmp_path: Path) -> None:
    array = np.array([[1.5, -2.0, np.nan]], ml_dtypes.bfloat16)
    save_checkpoint(tmp_path / f"a{suffix}", {"t": array})
    loaded = load_checkpoint(tmp_path / f"a{suffix}").tensors["t"]
    assert loaded.dtype == BFLOAT16
    assert loaded.tobytes() == array.tobytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ["", "a.b", "ü.权重", 'quo"te\\', "a/b", "x.npy", "y" * 300])
def test_any_text_may_be_a_name(suffix: str, name: str, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / f"a{suffix}", {name: np.ones(2, np.int8)})
    assert list(load_checkpoint(tmp_path / f"a{suffix}").tensors) == [name]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ["nul\0", "half\ud800", 3])
def test_what_is_no_text_cannot_be_a_name(suffix: str, name: str, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="name"):
        save_checkpoint(tmp_path / f"a{suffix}", {name: np.ones(2)})


@pytest.mark.parametrize("suffix", [".safetensors", ".ckpt", ".npz"])
def test_metadata_comes_back(suffix: str, model: Tensors, tmp_path: Path) -> None:
    metadata = {"author": "Ada", "note": "权重\n2", "empty": ""}
    save_checkpoint(tmp_path / f"a{suffix}", model, metadata=metadata)
    loaded = load_checkpoint(tmp_path / f"a{suffix}")
    assert loaded.metadata == metadata
    assert loaded.tensors.keys() == model.keys()


@pytest.mark.parametrize("metadata", [{"a": 3}, {"a": "x\0"}, {"a\0": "x"}, {3: "x"}])
def test_metadata_is_text(metadata: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="must"):
        save_checkpoint(tmp_path / "a.safetensors", {}, metadata=metadata)


@pytest.mark.parametrize("suffix", [".ckpt", ".npz"])
def test_metadata_cannot_share_a_name_with_a_tensor(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="`t` names a tensor and metadata"):
        save_checkpoint(tmp_path / f"a{suffix}", {"t": np.ones(1)}, metadata={"t": "x"})


def test_pt_refuses_metadata_rather_than_drop_it(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"`metadata` must be empty for \.pt, got author"):
        save_checkpoint(tmp_path / "a.pt", {}, metadata={"author": "Ada"})


@pytest.mark.parametrize(
    ("suffix", "dialect"),
    [(".pt", "torch"), (".ckpt", "mindspore"), (".safetensors", None), (".npz", None)],
)
def test_a_file_tells_its_dialect_only_where_it_knows(
    suffix: str, dialect: str | None, model: Tensors, tmp_path: Path
) -> None:
    save_checkpoint(tmp_path / f"a{suffix}", model)
    assert load_checkpoint(tmp_path / f"a{suffix}").dialect == dialect


@pytest.mark.parametrize("dialect", ["torch", "mindspore"])
def test_safetensors_keeps_the_dialect(dialect: str, model: Tensors, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a.safetensors", model, dialect=dialect)
    loaded = load_checkpoint(tmp_path / "a.safetensors")
    assert loaded.dialect == dialect
    assert loaded.metadata == {}


@pytest.mark.parametrize(("name", "dialect"), [("a.pt", "mindspore"), ("a.ckpt", "torch")])
def test_a_format_of_another_framework_is_refused(name: str, dialect: str, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=f"`dialect` is '{dialect}'"):
        save_checkpoint(tmp_path / name, {}, dialect=dialect)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_content_tells_the_format_whatever_the_suffix(
    suffix: str, model: Tensors, tmp_path: Path, assert_same_bits: SameBits
) -> None:
    save_checkpoint(tmp_path / f"a{suffix}", model)
    for other in (*SUFFIXES, ".bin", ""):
        renamed = tmp_path / f"b{other}"
        renamed.write_bytes((tmp_path / f"a{suffix}").read_bytes())
        loaded = load_checkpoint(renamed)
        assert loaded.format == ("pt" if suffix == ".pth" else suffix[1:])
        assert_same_bits(loaded.tensors, model)


def test_format_may_be_said_against_the_suffix(model: Tensors, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a.bin", model, format="safetensors")
    assert load_checkpoint(tmp_path / "a.bin").format == "safetensors"


@pytest.mark.parametrize(
    ("name", "format_name", "message"),
    [("a.h5", None, "`path` must end in"), ("a.pt", "onnx", "`format` must be one of pt, ")],
)
def test_an_unknown_format_is_an_error(
    name: str, format_name: str | None, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ArgumentError, match=message):
        save_checkpoint(tmp_path / name, {}, format=format_name)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_equal_tensors_make_equal_files(suffix: str, model: Tensors, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / f"a{suffix}", model)
    save_checkpoint(tmp_path / f"b{suffix}", model)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_mode_is_the_one_that_the_umask_asks_for(suffix: str, tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        save_checkpoint(tmp_path / f"a{suffix}", {"t": np.ones(2)})
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / f"a{suffix}").stat().st_mode) == 0o640


def test_objects_are_no_tensors(tmp_path: Path) -> None:
    with pytest.raises(DtypeError, match="`t` holds object"):
        save_checkpoint(tmp_path / "a.npz", {"t": np.array([object()])})


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_tensors_come_back_in_order(suffix: str, every_dtype: Tensors, tmp_path: Path) -> None:
    lacks = LACKS[".ckpt"] | LACKS[".safetensors"]
    tensors = {n: a for n, a in every_dtype.items() if n.removeprefix("t.") not in lacks}
    save_checkpoint(tmp_path / f"a{suffix}", tensors)
    want = list(tensors)
    if suffix == ".safetensors":  # the format wants every tensor aligned
        want.sort(key=lambda name: -tensors[name].dtype.itemsize)
    assert list(load_checkpoint(tmp_path / f"a{suffix}").tensors) == want


@settings(deadline=None)
@given(
    names=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))),
    suffix=st.sampled_from(SUFFIXES),
)
def test_names_come_back_in_order(
    names: list[str], suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tensors = {name: np.full(1, 1.0 + i) for i, name in enumerate(names) if name != "__metadata__"}
    path = tmp_path_factory.mktemp("names") / f"a{suffix}"
    save_checkpoint(path, {"first": np.zeros(1)} | tensors)
    assert list(load_checkpoint(path).tensors) == list({"first": 0} | tensors)
