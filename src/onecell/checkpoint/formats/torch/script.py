"""TorchScript archives (`torch.jit.save`): the zip file of a .pt, and code beside the tensors.

`data.pkl` holds the modules as objects of classes that lie in `code/`, `constants.pkl` the tensors
that the code mentions by number. Modules are read by dotted path; the code is not looked at.
"""

from __future__ import annotations

from typing import Final

from onecell.checkpoint.content import Checkpoint
from onecell.checkpoint.formats.torch.tensors import Archive
from onecell.checkpoint.pickles.described import Pairs
from onecell.checkpoint.pickles.flatten import flatten
from onecell.errors import CheckpointError
from onecell.text import short

CONSTANTS: Final = "constants.pkl"
_PICKLE: Final = "data.pkl"
_FILES: Final = "extra/"
_CODE: Final = "CONSTANTS"
"""How the code calls its constants: CONSTANTS.c0, CONSTANTS.c1."""


def read(archive: Archive) -> Checkpoint:
    """Read parameters, buffers and other attributes of all modules.

    What every module has, such as `training`, is passed over; what is no tensor of numbers, such
    as quantized weights, is left out by name, and so are files that were saved beside the program.

    Raises:
        UnsafeCheckpointError: it asks for more than a program's tensors.
        CheckpointError: it is damaged.
    """
    budget = archive.budget
    tree = archive.tree(_PICKLE, program=True)
    if not isinstance(tree, Pairs) or not tree.program:
        raise CheckpointError("it has the constants of a TorchScript program, but no module.")
    found = flatten(tree, archive.cutter("data").cut, budget, lenient=True)
    values = {name: text for name, text in found.values.items() if text != "None"}
    read = Checkpoint(found.tensors, "torchscript", "torch", values, found.left_out)
    constants = archive.tree(CONSTANTS, program=True)
    if not isinstance(constants, tuple | list):
        raise CheckpointError(f"its `{CONSTANTS}` holds no list of constants.")
    named = Pairs([(f"c{place}", each) for place, each in enumerate(constants)])
    beside = flatten(Pairs([(_CODE, named)]), archive.cutter("constants").cut, budget, lenient=True)
    if beside.tensors and not read.tensors:
        read.remarks[_CODE] = "tensors that torch.jit.freeze has put into the code, without names"
    for name in beside.tensors:
        if name in read.tensors:
            raise CheckpointError(f"it holds `{short(name)}` twice.")
    read.tensors.update(beside.tensors)
    read.left_out.update(beside.left_out)
    start = archive.root + _FILES
    for name in archive.members:
        if name.startswith(start):
            read.left_out[name.removeprefix(archive.root)] = "a file beside the program"
    return read
