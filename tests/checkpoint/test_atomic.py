"""Output files: whole or not at all, and never over what is there unless told to."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from onecell.checkpoint import load_checkpoint, save_checkpoint
from onecell.checkpoint.atomic import write_whole
from onecell.errors import OnecellError, OutputExistsError

SUFFIXES = ["pt", "safetensors", "ckpt", "npz"]


def test_chunks_are_written_in_order(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", [b"one ", bytearray(b"two "), memoryview(b"three")])
    assert (tmp_path / "a").read_bytes() == b"one two three"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_function_may_write(tmp_path: Path) -> None:
    def content(file: BinaryIO) -> None:
        file.write(b"....")
        file.seek(0)
        file.write(b"ab")

    write_whole(tmp_path / "a", content)
    assert (tmp_path / "a").read_bytes() == b"ab.."


def test_a_file_that_is_there_is_kept_without_force(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(OutputExistsError, match=r"is already there.*`force`") as caught:
        write_whole(tmp_path / "a", [b"new"])
    assert isinstance(caught.value, FileExistsError)
    assert isinstance(caught.value, OnecellError)
    assert caught.value.filename == str(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"old"


def test_force_replaces(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    write_whole(tmp_path / "a", [b"new"], force=True)
    assert (tmp_path / "a").read_bytes() == b"new"


def test_a_file_that_comes_while_we_write_is_kept(tmp_path: Path) -> None:
    def content() -> Iterator[bytes]:
        yield b"ours"
        (tmp_path / "a").write_bytes(b"theirs")

    with pytest.raises(OutputExistsError):
        write_whole(tmp_path / "a", content())
    assert (tmp_path / "a").read_bytes() == b"theirs"
    assert len(list(tmp_path.iterdir())) == 1


def test_it_works_where_there_are_no_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    write_whole(tmp_path / "a", [b"new"])
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("force", [True, False])
def test_an_exception_leaves_things_as_they_were(
    error: type[BaseException], force: bool, tmp_path: Path
) -> None:
    def content() -> Iterator[bytes]:
        yield b"half"
        raise error

    name = "old" if force else "new"
    (tmp_path / "old").write_bytes(b"old")
    with pytest.raises(error):
        write_whole(tmp_path / name, content(), force=force)
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert (tmp_path / "old").read_bytes() == b"old"


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write_whole(tmp_path / "link", [b"new"], force=True)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


@pytest.mark.parametrize("force", [True, False])
def test_a_folder_and_a_device_are_never_replaced(force: bool, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path / "folder", [b""], force=force)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileExistsError):
        write_whole(tmp_path / "pipe", [b""], force=force)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no folder to write into.*missing/a"):
        write_whole(tmp_path / "missing" / "a", [b""])


FULL = """
import resource, sys
import numpy as np
from onecell.checkpoint import save_checkpoint
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    save_checkpoint(sys.argv[1], {"t": np.ones(100_000)}, force=True)
except OSError as error:
    print(type(error).__name__, error.errno)
"""


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("old", [True, False], ids=["over", "fresh"])
def test_a_full_disk_leaves_no_half_file_and_keeps_the_old(
    suffix: str, old: bool, tmp_path: Path
) -> None:
    path = tmp_path / f"a.{suffix}"
    if old:
        save_checkpoint(path, {"t": np.arange(3.0)})
    ran = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["OSError", "27"]
    assert [found.name for found in tmp_path.iterdir()] == ([path.name] if old else [])
    if old:
        np.testing.assert_array_equal(load_checkpoint(path).tensors["t"], [0, 1, 2])


UNWRITABLE = """
import os, sys
import numpy as np
from onecell.checkpoint import save_checkpoint
if os.getuid() == 0:
    os.setuid(65534)  # for root every folder is writable
try:
    save_checkpoint(sys.argv[1], {"t": np.ones(3)})
except PermissionError as error:
    print(type(error).__name__)
"""


def test_an_unwritable_folder_is_said_to_be_that(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    for folder in tmp_path.parents[:2]:
        folder.chmod(0o755)
    ran = subprocess.run(
        [sys.executable, "-c", UNWRITABLE, str(tmp_path / "a.npz")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.split() == ["PermissionError"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_save_checkpoint_never_writes_over_a_file_without_force(
    suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"a.{suffix}"
    save_checkpoint(path, {"t": np.zeros(2)})
    old = path.read_bytes()
    with pytest.raises(OutputExistsError):
        save_checkpoint(path, {"t": np.ones(2)})
    assert path.read_bytes() == old
    save_checkpoint(path, {"t": np.ones(2)}, force=True)
    assert load_checkpoint(path).tensors["t"].tolist() == [1, 1]


ALONE = """
import sys
import onecell.checkpoint
from onecell.checkpoint import convert, load_checkpoint, save_checkpoint
tensors = load_checkpoint(sys.argv[1]).tensors
for suffix in ("pt", "safetensors", "ckpt", "npz"):
    save_checkpoint(f"{sys.argv[1]}.{suffix}", tensors)
    load_checkpoint(f"{sys.argv[1]}.{suffix}")
print(*sys.modules.keys() & {"torch", "mindspore", "safetensors", "ml_dtypes", "google"})
"""


def test_no_framework_is_imported(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a.npz", {"t": np.zeros(2)})
    ran = subprocess.run(
        [sys.executable, "-c", ALONE, str(tmp_path / "a.npz")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == ""
