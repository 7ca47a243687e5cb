"""Members of a zip file, checked before the first of them is unfolded."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, cast

import numpy as np

from onecell.checkpoint.limits import OVERHEAD, Budget, read_bytes
from onecell.checkpoint.sharded import DISTRIBUTED
from onecell.errors import CheckpointError, UnsafeCheckpointError

_ENCRYPTED: Final = 0x1
_END: Final = b"PK\5\6"
_END_LENGTH: Final = 22
_DAMAGE: Final = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error),
    *(EOFError, NotImplementedError, RuntimeError, ValueError, OSError, IndexError, KeyError),
)
"""What the standard library raises on a damaged zip file."""


class Members:
    """The members of one zip file; made by `open_members`."""

    def __init__(self, archive: zipfile.ZipFile, budget: Budget) -> None:
        self._archive = archive
        self._infos: dict[str, zipfile.ZipInfo] = {}
        for info in archive.infolist():
            if info.filename in self._infos:
                raise UnsafeCheckpointError(f"the zip file holds `{info.filename}` twice.")
            if info.flag_bits & _ENCRYPTED:
                raise UnsafeCheckpointError(f"the zip member `{info.filename}` is encrypted.")
            if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise CheckpointError(
                    f"the zip member `{info.filename}` is compressed by method "
                    f"{info.compress_type}; only stored and deflated members are read."
                )
            self._infos[info.filename] = info
            budget.take(info.file_size + OVERHEAD, f"the zip member `{info.filename}`")
        if sum(info.compress_size for info in self._infos.values()) > budget.file_size:
            raise UnsafeCheckpointError("members of the zip file overlap.")

    def __contains__(self, name: str) -> bool:
        return name in self._infos

    def __iter__(self) -> Iterator[str]:
        return iter(self._infos)

    def size(self, name: str) -> int:
        """Return how many bytes a member claims to unfold to; already within the budget."""
        return self._infos[name].file_size

    def read(self, name: str) -> np.ndarray:
        """Return the content of a member as uint8; zipfile compares its checksum at the end."""
        with self.open(name) as member:
            return read_bytes(member, self.size(name), f"the zip member `{name}`")

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Open a member for reading; damage met inside the block is a `CheckpointError`."""
        with _damage_is_checkpoint_error(f"the zip member `{name}`"):
            if name not in self._infos:
                raise CheckpointError(f"the zip file has no member `{name}`.")
            with self._archive.open(self._infos[name]) as member:
                yield cast("BinaryIO", member)


@contextmanager
def open_members(file: BinaryIO, budget: Budget) -> Iterator[Members]:
    """Open a zip file whose members, all together, stay within `budget`.

    Raises:
        UnsafeCheckpointError: a bomb, an encrypted or a doubled member.
        CheckpointError: the zip file is damaged.
    """
    with _damage_is_checkpoint_error("the zip file"):
        archive = zipfile.ZipFile(file)
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
            f"shard of a torch.distributed.checkpoint (.distcp), which is a folder. {DISTRIBUTED}."
        )
    file.seek(max(0, size - _END_LENGTH - len(archive.comment)))
    if not file.read(_END_LENGTH).startswith(_END) or _END in archive.comment:
        raise CheckpointError("the zip file is followed by something else.")


@contextmanager
def _damage_is_checkpoint_error(what: str) -> Iterator[None]:
    try:
        yield
    except CheckpointError:
        raise
    except _DAMAGE as error:
        raise CheckpointError(f"{what} is damaged: {error}.") from error
