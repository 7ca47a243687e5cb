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
from onecell.checkpoint.content import DTYPES
from onecell.checkpoint.files import keepable
from onecell.dtypes import BFLOAT16
from onecell.errors import ArgumentError, DtypeError, ShapeError

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
    [("a.h6", None, "`path` must end in"), ("a.pt", "onyx", "`format` must be one of pt, ")],
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


@settings(deadline=None, max_examples=150)
@given(data=st.data(), suffix=st.sampled_from(SUFFIXES))
def test_what_is_written_is_read_or_nothing_is_written(
    data: st.DataObject, suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
    names = texts | st.sampled_from(
        ["crc_num", "format", "__metadata__", "a" * 5000, "权" * 1500, "b" * 65_532, "data.pkl"]
    )
    shapes = st.lists(st.integers(0, 3), max_size=4) | st.just([1] * 40)
    kinds = st.sampled_from(sorted(DTYPES))
    tensors = {
        name: np.zeros(shape, DTYPES[kind])
        for name, shape, kind in data.draw(
            st.lists(st.tuples(names, shapes, kinds), max_size=4), "tensors"
        )
    }
    if data.draw(st.booleans(), "a tail"):
        tensors["last"] = np.frombuffer(b"crc_num" + bytes(10), np.uint8)
    metadata = data.draw(st.dictionaries(names, texts, max_size=3), "metadata")
    folder = tmp_path_factory.mktemp("written")
    path = folder / f"a{suffix}"
    try:
        save_checkpoint(path, tensors, metadata=metadata)
    except (ArgumentError, DtypeError):
        assert list(folder.iterdir()) == []
        return
    loaded = load_checkpoint(path)
    assert loaded.metadata == metadata
    assert loaded.tensors.keys() == tensors.keys()
    for name, array in tensors.items():
        assert loaded.tensors[name].dtype == array.dtype
        assert loaded.tensors[name].shape == array.shape
        assert loaded.tensors[name].tobytes() == array.tobytes()


@pytest.mark.parametrize(
    ("suffix", "longest"),
    [(".ckpt", 4096), (".npz", 65_531), (".pt", None), (".safetensors", None)],
)
def test_a_name_may_be_as_long_as_the_format_can_hold(
    suffix: str, longest: int | None, tmp_path: Path
) -> None:
    name = "权" + "a" * ((longest or 200_000) - 3)
    save_checkpoint(tmp_path / f"a{suffix}", {name: np.ones(2)})
    assert list(load_checkpoint(tmp_path / f"a{suffix}").tensors) == [name]
    if longest is not None:
        with pytest.raises(ArgumentError, match=f"of {longest + 1} bytes.*at most {longest}"):
            save_checkpoint(tmp_path / f"b{suffix}", {name + "a": np.ones(2)})
        with pytest.raises(ArgumentError, match=f"of {longest + 1} bytes.*at most {longest}"):
            save_checkpoint(tmp_path / f"b{suffix}", {}, metadata={name + "a": "x"})
        assert not (tmp_path / f"b{suffix}").exists()


@pytest.mark.parametrize("name", ["crc_num", "format"])
def test_metadata_cannot_say_what_safetensors_says_of_itself(name: str, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=f"cannot have the name `{name}`"):
        save_checkpoint(tmp_path / "a.safetensors", {"t": np.ones(2)}, metadata={name: "5"})


def test_a_ckpt_cannot_end_as_its_checksum_would(tmp_path: Path) -> None:
    tail = {"t": np.frombuffer(b"crc_num" + bytes(10), np.uint8)}
    with pytest.raises(ArgumentError, match="`t`, the last tensor, ends in bytes that MindSpore"):
        save_checkpoint(tmp_path / "a.ckpt", tail)
    save_checkpoint(tmp_path / "a.ckpt", tail | {"u": np.ones(2)})
    assert list(load_checkpoint(tmp_path / "a.ckpt").tensors) == ["t", "u"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_more_dimensions_than_can_be_read_are_not_written(suffix: str, tmp_path: Path) -> None:
    array = np.ones([1] * 32)
    save_checkpoint(tmp_path / f"a{suffix}", {"t": array})
    assert load_checkpoint(tmp_path / f"a{suffix}").tensors["t"].ndim == 32
    if np.lib.NumpyVersion(np.__version__) >= "2.0.0":  # older ones have no more
        with pytest.raises(ShapeError, match="`t` must have at most 32 dimensions, got 33"):
            save_checkpoint(tmp_path / f"a{suffix}", {"t": array[None]}, force=True)


def test_what_a_format_cannot_keep_is_told_apart() -> None:
    metadata = {"epoch": "3", "crc_num": "5", "format": "x", "t": "y", "n" * 5000: "z"}
    kept, left = keepable(metadata, {"t"}, "pt")
    assert (list(kept), left) == ([], list(metadata))
    kept, left = keepable(metadata, {"t"}, "safetensors")
    assert (list(kept), left) == (["epoch", "t", "n" * 5000], ["crc_num", "format"])
    kept, left = keepable(metadata, {"t"}, "ckpt")
    assert (list(kept), left) == (["epoch", "crc_num", "format"], ["t", "n" * 5000])
    kept, left = keepable(metadata, {"t"}, "npz")
    assert (list(kept), left) == (["epoch", "crc_num", "format", "n" * 5000], ["t"])
