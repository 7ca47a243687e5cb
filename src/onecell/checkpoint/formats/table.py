"""The formats of other frameworks than those with a front end: one row each.

A reader takes a file that is open and the budget; a writer takes one, the tensors, metadata and
the form of a graph. A format's own library is imported inside its reader or writer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Literal

import numpy as np

from onecell.checkpoint.content import Checkpoint
from onecell.checkpoint.formats import (
    equinox_leaves,
    flax_msgpack,
    mxnet_params,
    nam_files,
    rtneural_files,
)
from onecell.checkpoint.formats.burn import pack as burn_pack
from onecell.checkpoint.formats.burn import record as burn_record
from onecell.checkpoint.formats.coreml import model as coreml_model
from onecell.checkpoint.formats.keras import files as keras_files
from onecell.checkpoint.formats.keras import model as keras_model
from onecell.checkpoint.formats.onnx import graph as onnx_graph
from onecell.checkpoint.formats.onnx import into as onnx_into
from onecell.checkpoint.formats.onnx import model as onnx_file
from onecell.checkpoint.formats.openvino import graph as openvino_graph
from onecell.checkpoint.formats.openvino import into as openvino_into
from onecell.checkpoint.formats.openvino import model as openvino_model
from onecell.checkpoint.formats.paddle import params as paddle_params
from onecell.checkpoint.formats.placed import InMemory, Placed
from onecell.checkpoint.formats.tensorflow import checkpoint as tensorflow_checkpoint
from onecell.checkpoint.formats.tensorflow import save as tensorflow_save
from onecell.checkpoint.formats.tensorflow.bundle import INDEX
from onecell.checkpoint.limits import Budget

Form = Literal["step", "sequence"]
Texts = Mapping[str, str]
Tensors = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Format:
    """How files of one format are told, read and written."""

    name: str
    suffixes: tuple[str, ...]
    starts: tuple[bytes, ...]
    """What such a file begins with, one of these; `()` where its suffix alone tells."""
    read: Callable[[BinaryIO, Budget], Checkpoint]
    write: Callable[[BinaryIO, Tensors, Texts, Form | None], None] | None
    """`None` where it is written as two files, or not at all."""
    title: str
    """What a person calls it."""
    cells_alone: bool = False
    """Whether it is written with LSTM cells and nothing else."""
    keeps: tuple[str, ...] = ()
    """The last parts of the names of what else it has a place for."""
    metadata: bool = True
    """Whether it has a place for any text beside the tensors."""
    texts: frozenset[str] = frozenset()
    """Of what else it has a place for, by name."""

    beside: str = ""
    """The suffix of a file beside, in which the numbers lie; "" where there is none."""
    write_both: Callable[[BinaryIO, BinaryIO, Tensors, Texts, Form | None], None] | None = None
    """What writes the two."""

    read_only: str = ""
    """Of a format that takes more than tensors to write: what is to be written instead."""

    by_start: bool = False
    """Whether what it begins with tells it, whatever it is called."""
    is_text: bool = False
    """Whether it is text, or begins as it: else a file that does is something else by its name."""

    put: Callable[[InMemory, Budget, Tensors, Path], Placed] | None = None
    """Of a format with a model in it: returns the file with arrays, by its reader's names and of
    their shapes and types, in the place of its own, and all else as it was. It is told where the
    copy is to be, for data files beside that."""

    def has_place(self, name: str) -> bool:
        """Whether a tensor that is no cell's can be in such a file."""
        return not self.cells_alone or f".{name}".endswith(self.keeps or ("\0",))

    def tells(self, start: bytes, suffix: str) -> bool:
        """Whether a file that begins so and is called so is of this format."""
        named = self.by_start or suffix in self.suffixes
        return named and start.startswith(self.starts or (b"",))


FORMATS: Final[Mapping[str, Format]] = {
    row.name: row
    for row in (
        Format(
            "onnx",
            (".onnx",),
            (onnx_file.START,),
            onnx_file.read,
            onnx_graph.write_tensors,
            "ONNX (.onnx)",
            cells_alone=True,
            put=onnx_into.put,
        ),
        Format(
            "openvino",
            (".xml",),
            (openvino_model.START,),
            openvino_model.read,
            None,
            "OpenVINO (.xml, .bin)",
            cells_alone=True,
            metadata=False,
            beside=openvino_model.WEIGHTS,
            write_both=openvino_graph.write,
            put=openvino_into.put,
            is_text=True,
        ),
        Format(
            "tf",
            (INDEX,),
            (),
            tensorflow_checkpoint.read,
            None,
            "TensorFlow's (.index, .data)",
            metadata=False,
            beside=tensorflow_save.DATA,
            write_both=tensorflow_save.write,
        ),
        Format(
            "h5",
            (".h5", ".hdf5"),
            (keras_files.START,),
            keras_files.read,
            keras_files.write,
            "Keras's HDF5 (.h5)",
            by_start=True,
            put=keras_files.put,
        ),
        Format(
            "keras",
            (".keras",),
            (b"PK",),
            keras_files.read_model,
            keras_model.write,
            "Keras's model (.keras)",
            cells_alone=True,
            metadata=False,
            put=keras_files.put_model,
        ),
        Format(
            "msgpack",
            (".msgpack",),
            (),
            flax_msgpack.read,
            flax_msgpack.write,
            "Flax's msgpack",
            metadata=False,
        ),
        Format(
            "coreml",
            (".mlmodel",),
            (coreml_model.START,),
            coreml_model.read,
            None,
            "Core ML's (.mlmodel, .mlpackage)",
            metadata=False,
            read_only=(
                "Core ML's models are read only; give coremltools a torch model with these "
                "weights (.pt)."
            ),
        ),
        Format(
            "mxnet",
            (".params",),
            (mxnet_params.START,),
            mxnet_params.read,
            mxnet_params.write,
            "MXNet's (.params)",
            metadata=False,
            by_start=True,
        ),
        Format(
            "burnpack",
            (".bpk",),
            (burn_pack.START,),
            burn_pack.read,
            burn_pack.write,
            "Burn's (.bpk)",
            by_start=True,
        ),
        Format(
            "burn",
            (".mpk",),
            (),
            burn_record.read,
            None,
            "Burn's record (.mpk)",
            metadata=False,
            read_only="a .mpk file is read only; write .bpk or .safetensors, which Burn reads.",
        ),
        Format(
            "eqx",
            (".eqx",),
            equinox_leaves.STARTS,
            equinox_leaves.read,
            equinox_leaves.write,
            "Equinox's (.eqx)",
            metadata=False,
            texts=frozenset({equinox_leaves.LINE}),
            is_text=True,
        ),
        Format(
            "pdparams",
            (".pdparams",),
            (b"\x80",),
            paddle_params.read,
            paddle_params.write,
            "Paddle's (.pdparams)",
            metadata=False,
        ),
        Format(
            "nam",
            (".nam",),
            (nam_files.START,),
            nam_files.read,
            nam_files.write,
            "Neural Amp Modeler's (.nam)",
            cells_alone=True,
            keeps=tuple(f".{name}" for name in (*nam_files.STATE, *nam_files.HEAD)),
            put=nam_files.put,
            is_text=True,
        ),
        Format(
            "rtneural",
            (".json",),
            (rtneural_files.START,),
            rtneural_files.read,
            rtneural_files.write,
            "RTNeural's (.json)",
            cells_alone=True,
            metadata=False,
            put=rtneural_files.put,
            is_text=True,
        ),
    )
}
