"""Core ML: a .mlmodel with a network or a program in it, or the folder .mlpackage around one.

After Model.proto of https://github.com/apple/coremltools. The weights of LSTMs are looked at, and
constants of a program that lie in its file; nothing is computed. There is no runtime of Core ML's
but Apple's, so that what is read here was compared with what coremltools made of layers of torch's.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, Final

from onecell.checkpoint.content import Checkpoint
from onecell.checkpoint.formats.coreml.messages import Messages
from onecell.checkpoint.formats.coreml.network import read_network
from onecell.checkpoint.formats.coreml.program import Program
from onecell.checkpoint.formats.onnx.tensors import inside
from onecell.checkpoint.formats.protobuf import BYTES, Field
from onecell.checkpoint.limits import Budget
from onecell.errors import CheckpointError

START: Final = b"\x08"
"""What a model begins with: the version of the format."""
PACKAGE: Final = ".mlpackage"
_MODEL: Final = "Data/com.apple.CoreML/model.mlmodel"
_NETWORKS: Final = (303, 403, 500)
_PROGRAM: Final = 502


def read(file: BinaryIO, budget: Budget) -> Checkpoint:
    """Read the LSTMs of a model; the file of its weights lies in its own folder only.

    Raises:
        UnsafeCheckpointError: weights outside that folder, or more than the files may ask.
        CheckpointError: it is damaged, or a model of another kind.
    """
    found = Checkpoint({}, "coreml", "coreml", {})
    messages = Messages(file, budget)
    whole = Field(0, BYTES, 0, 0, budget.file_size)
    read_any = False
    for number in (*_NETWORKS, _PROGRAM):
        place = messages.one(whole, number)
        if place is None:
            continue
        read_any = True
        if number == _PROGRAM:
            Program(messages, Path(file.name).parent, found).read(place)
        else:
            read_network(messages, place, found)
    if not read_any:
        raise CheckpointError("it is no network and no program of Core ML's.")
    return found


def read_package(path: Path) -> Checkpoint:
    """Read the model in the folder of a package.

    Raises:
        UnsafeCheckpointError, CheckpointError: as `read`.
    """
    model = inside(path, _MODEL, "the model")
    with model.open("rb") as file:
        return read(file, Budget(os.fstat(file.fileno()).st_size))
