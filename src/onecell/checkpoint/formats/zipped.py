"""Members of a zip file, checked before the first of them is unfolded."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import BinaryIO, Final, cast

import numpy as np

from onecell.checkpoint.formats.sharded import DISTRIBUTED
from onecell.checkpoint.limits import Budget, read_array, read_bytes
from onecell.errors import CheckpointError, UnsafeCheckpointError
from onecell.text import short

_ENCRYPTED: Final = 0x1
_END: Final = b"PK\5\6"
_END_LENGTH: Final = 22
_WHAT: Final = "the zip member"
_LIST: Final = "the list of members"
_INFO: Final = 560  # what zipfile makes of an entry of the list
_DAMAGE: Final = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error),
    *(EOFError, NotImplementedError, RuntimeError, ValueError, OSError, IndexError, KeyError),
)
"""What the standard library raises on a damaged zip file."""


class Members:
    """The members of one zip file; made by `open_members`."""

    def __init__(self, archive: zipfile.ZipFile, budget: Budget) -> None:
        self._archive = archive
        packed = 0
        infos = archive.infolist()
        if len(archive.NameToInfo) != len(infos):
            raise UnsafeCheckpointError(f"the zip file holds `{_doubled(infos)}` twice.")
        for info in infos:
            if info.flag_bits & _ENCRYPTED:
                raise UnsafeCheckpointError(
                    f"the zip member `{short(info.filename)}` is encrypted."
                )
            if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise CheckpointError(
                    f"the zip member `{short(info.filename)}` is compressed by method "
                    f"{info.compress_type}; only stored and deflated members are read."
                )
            budget.take(info.file_size, _WHAT, info.filename)
            packed += info.compress_size
        if packed > budget.file_size:
            raise UnsafeCheckpointError("members of the zip file overlap.")

    def __contains__(self, name: str) -> bool:
        return name in self._archive.NameToInfo

    def __iter__(self) -> Iterator[str]:
        return iter(self._archive.NameToInfo)

    def __len__(self) -> int:
        return len(self._archive.NameToInfo)

    @property
    def comment(self) -> str:
        """What the file says of itself, where it is text of ASCII."""
        comment = self._archive.comment
        return comment.decode() if comment.isascii() else ""

    def size(self, name: str) -> int:
        """Return how many bytes a member claims to unfold to; already within the budget."""
        self._check(name)
        return self._archive.NameToInfo[name].file_size

    def _check(self, name: str) -> None:
        if name not in self:
            raise CheckpointError(f"the zip file has no member `{short(name)}`.")

    def info(self, name: str) -> zipfile.ZipInfo:
        """Return what the file says of a member, to write one like it."""
        return copy(self._archive.NameToInfo[name])

    def read(self, name: str) -> bytearray:
        """Return the content of a member; zipfile compares its checksum at the end."""
        with self.open(name) as member:
            return read_bytes(member, self.size(name), _WHAT, name)

    def read_array(self, name: str) -> np.ndarray:
        """Return the content of a member as uint8."""
        with self.open(name) as member:
            return read_array(member, (self.size(name),), np.dtype(np.uint8), name)

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Open a member for reading; damage met inside the block is a `CheckpointError`."""
        with _damage_is_checkpoint_error(_WHAT, name):
            self._check(name)
            with self._archive.open(name) as member:
                yield cast("BinaryIO", member)


@contextmanager
def open_members(file: BinaryIO, budget: Budget) -> Iterator[Members]:
    """Open a zip file whose members, all together, stay within `budget`.

    Raises:
        UnsafeCheckpointError: a bomb, an encrypted or a doubled member.
        CheckpointError: the zip file is damaged.
    """
    with _damage_is_checkpoint_error("the zip file"):
        archive = zipfile.ZipFile(cast("BinaryIO", _Metered(file, budget)))
    archive.fp = file
    _check_alone(archive, file, budget.file_size)
    with archive:
        yield Members(archive, budget)


def _check_alone(archive: zipfile.ZipFile, file: BinaryIO, size: int) -> None:
    """Raise `CheckpointError` unless the zip file begins and ends where the file does.

    The directory at the end of a zip file says where it begins, and what lies before that, or
    behind it, is not seen by whoever reads it.
    """
    before = min((info.header_offset for info in archive.infolist()), default=archive.start_dir)
    if before:
        raise CheckpointError(
            f"it is not one zip file: {before} bytes lie before the last one in it. So does a "
            f"part of a torch.distributed.checkpoint (.distcp), which is a folder. {DISTRIBUTED}."
        )
    file.seek(max(0, size - _END_LENGTH - len(archive.comment)))
    if not file.read(_END_LENGTH).startswith(_END) or _END in archive.comment:
        raise CheckpointError("the zip file is followed by something else.")


class _Metered:
    """A file of which zipfile may read the list of members only as far as that is paid for.

    It reads all of the list at once and makes an object of each entry before anybody can ask how
    many there are; but an entry begins with a signature, which can be counted.
    """

    def __init__(self, file: BinaryIO, budget: Budget) -> None:
        self._file = file
        self._budget = budget
        self.seek, self.tell = file.seek, file.tell

    def read(self, count: int = -1) -> bytes:
        rest = max(0, self._budget.file_size - self._file.tell())
        self._budget.take(rest if count < 0 else min(count, rest), _LIST)
        content = self._file.read(count)
        entries = content.count(b"PK\x01\x02")
        # A name of one wide character takes four bytes for each.
        self._budget.take(_INFO * entries + 4 * max(0, len(content) - 46 * entries), _LIST)
        return content


def _doubled(infos: list[zipfile.ZipInfo]) -> str:
    """Return the first name that is there twice."""
    seen: set[str] = set()
    for info in infos:
        if info.filename in seen:
            break
        seen.add(info.filename)
    return short(info.filename)


@contextmanager
def _damage_is_checkpoint_error(what: str, name: str | None = None) -> Iterator[None]:
    try:
        yield
    except CheckpointError:
        raise
    except _DAMAGE as error:
        whose = what if name is None else f"{what} `{short(name)}`"
        raise CheckpointError(f"{whose} is damaged: {short(error, 200)}.") from error
