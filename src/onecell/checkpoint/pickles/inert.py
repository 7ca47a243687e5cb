"""What a pickle of tensors or arrays may mention, and what inert description stands for it.

Nothing here imports or calls what a file names: a row of `REBUILD` describes what the named
function would have built, from arguments that are descriptions themselves.
"""

# ruff: noqa: ANN401 - the file decides what the arguments are; a wrong one is a TypeError.

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

from onecell.checkpoint.pickles import inert_jax, inert_numpy, inert_script
from onecell.checkpoint.pickles.described import (
    Global,
    Pairs,
    Storage,
    TensorPlan,
    Unreadable,
)
from onecell.errors import CheckpointError, UnsafeCheckpointError
from onecell.text import short


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *rest: Any) -> object:
    """Describe `_rebuild_tensor` and `_v2`, where requires_grad, hooks and metadata follow."""
    if not isinstance(storage, Storage):
        raise TypeError("a tensor without a storage")
    if len(rest) > 2 and isinstance(rest[2], Pairs) and rest[2].items:
        return Unreadable("is a lazy conjugate or negative; call `resolve_conj()` before saving")
    return TensorPlan(storage, offset, size, stride)


def _tensor_v3(
    storage: Any, offset: Any, size: Any, stride: Any, grad: Any, hooks: Any, dtype: Any, *_: Any
) -> object:
    """Describe `_rebuild_tensor_v3`, whose storage is untyped."""
    if not isinstance(storage, Storage) or not isinstance(dtype, Global):
        raise TypeError("a tensor without a storage or an element type")
    return TensorPlan(storage, offset, size, stride, dtype.name)


def _data(data: Any, *_: Any) -> object:
    """Describe a parameter by the tensor inside."""
    return data


def _from_type(function: Any, kind: Any, arguments: Any, state: Any) -> object:
    """Describe a tensor with Python attributes by the tensor."""
    if not isinstance(function, Global) or function.name not in _TENSORS:
        raise TypeError("a tensor with attributes that is no tensor")
    return describe_call(function, arguments)


def _unreadable(reason: str) -> Callable[..., object]:
    return lambda *_: Unreadable(reason)


def _elements(items: Any) -> Any:
    """Return what a description is made of: a container, not a text, which has letters."""
    if not isinstance(items, list | tuple):
        raise TypeError("a container made of what is none")
    return items


def _mapping(items: Any = None) -> object:
    """Describe an OrderedDict or Counter made of nothing, a dictionary or a list of pairs."""
    pairs = items.items if isinstance(items, Pairs) else _elements(items or ())
    return Pairs([(key, value) for key, value in map(_elements, pairs)])


def _default_mapping(factory: Any = None, items: Any = None) -> object:
    """Describe a defaultdict by its items; what makes missing ones is only a name."""
    if factory is not None and not isinstance(factory, Global):
        raise TypeError("a defaultdict with an odd factory")
    return _mapping(items)


def _namespace() -> object:
    """Describe an object that is nothing but its attributes."""
    return Pairs([], attributes=True)


def _sequence(items: Any = ()) -> object:
    """Describe a set or a size by its elements."""
    return tuple(_elements(items))


def _tuple(items: Any = ()) -> object:
    """Describe a tuple; of a name and an array, as Paddle spells a tensor, the array."""
    match items:
        case (str(), inert_numpy.Array() as array):
            return array
    return _sequence(items)


def _list(items: Any = (), longest: Any = None) -> object:
    """Describe a deque by its elements."""
    if not isinstance(longest, int | None):
        raise TypeError("a deque with an odd length")
    return list(_elements(items))


def _joined(parts: tuple[Any, ...], between: str) -> str:
    if not all(isinstance(part, str | int) for part in parts):
        raise TypeError("a device, a layout or a path without a name")
    return between.join(map(str, parts))


def _text(*parts: Any) -> object:
    """Describe a device or a layout by its name."""
    return _joined(parts, ":")


def _path(*parts: Any) -> object:
    """Describe a path by its text."""
    return _joined(parts, "/")


def _complex(real: Any, imag: Any) -> object:
    return complex(float(real), float(imag))


def _bytes(text: Any = "", encoding: Any = None) -> object:
    """Describe bytes as protocol 2 spells them: text with one character a byte, or nothing."""
    return text if isinstance(text, bytes) else text.encode("latin-1")


_SPARSE = _unreadable("is sparse; call `to_dense()` before saving")
_QUANTIZED = _unreadable("is quantized; call `dequantize()` before saving")

_TENSORS: Final[dict[str, Callable[..., object]]] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _tensor_v3,
    "torch._utils._rebuild_parameter": _data,
    "torch._utils._rebuild_parameter_with_state": _data,
    "torch._utils._rebuild_sparse_tensor": _SPARSE,
    "torch._utils._rebuild_sparse_csr_tensor": _SPARSE,
    "torch._utils._rebuild_qtensor": _QUANTIZED,
    "torch._utils._rebuild_meta_tensor_no_storage": _unreadable(
        "is on device meta: it has no data"
    ),
}

_DISTRIBUTED: Final = "torch.distributed.checkpoint"
OBJECTS: Final = frozenset(
    {
        "argparse.Namespace",
        f"{_DISTRIBUTED}.filesystem._StorageInfo",
        *(
            f"{_DISTRIBUTED}.metadata.{name}"
            for name in (
                *("Metadata", "MetadataIndex", "StorageMeta", "BytesStorageMetadata"),
                *("TensorStorageMetadata", "TensorProperties", "ChunkStorageMetadata"),
            )
        ),
    }
)
"""What may be made without a call: an object of which nothing is kept but its attributes."""

REBUILD: Final[dict[str, Callable[..., object]]] = {
    **_TENSORS,
    "torch.serialization._get_layout": _text,
    "torch.Size": _sequence,
    "torch.device": _text,
    "collections.OrderedDict": _mapping,
    "collections.Counter": _mapping,
    "collections.defaultdict": _default_mapping,
    "collections.deque": _list,
    "_codecs.encode": _bytes,
    "builtins.tuple": _tuple,
    "builtins.set": _sequence,
    "builtins.frozenset": _sequence,
    "builtins.complex": _complex,
    "builtins.bytes": _bytes,
    "builtins.bytearray": _bytes,
    **{
        f"pathlib.{module}{kind}Path": _path
        for module in ("", "_local.")
        for kind in ("Posix", "Windows", "PurePosix", "PureWindows")
    },
    **inert_numpy.REBUILD,
    **inert_script.REBUILD,
    **inert_jax.REBUILD,
    **dict.fromkeys(inert_jax.MAPPINGS, _mapping),
    "torch._tensor._rebuild_from_type_v2": _from_type,
    "types.SimpleNamespace": _namespace,
    **dict.fromkeys(OBJECTS, _namespace),
    f"{_DISTRIBUTED}.metadata._MEM_FORMAT_ENCODING": _text,
}
"""Global → what describes a call of it."""

STORAGES: Final = {
    f"{module}.{kind}Storage"
    for module in ("torch", "torch.cuda", "torch.storage")
    for kind in (
        *("Double", "Float", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool"),
        *("ComplexDouble", "ComplexFloat", "QInt8", "QUInt8", "QInt32", "Untyped"),
    )
}

_NAMES_ONLY: Final = {"torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.Parameter"} | {
    "torch." + name
    for name in (
        *("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
        *("float16", "bfloat16", "float32", "float64", "complex32", "complex64", "complex128"),
        *("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "qint8"),
        *("quint8", "qint32", "per_tensor_affine", "per_channel_affine", "strided"),
    )
}

_PLAIN_TYPES: Final = {
    f"builtins.{name}"
    for name in (
        *("bool", "int", "float", "complex", "str", "bytes", "list", "tuple", "dict", "set"),
        *("frozenset", "long", "unicode"),  # protocol 2 has the names of Python 2
    )
}
"""Names that stand for a type: what a defaultdict makes, a setting of a run."""

GLOBALS: Final = {
    name: Global(name)
    for name in {*REBUILD, *STORAGES, *_NAMES_ONLY, *_PLAIN_TYPES, *inert_numpy.NAMES}
}
"""Every global that a pickle may mention; each is described once."""

_DESCRIPTION: Final = 144
_PLAN: Final = 96


def describe_call(function: object, arguments: object) -> object:
    """Describe the result of `function(*arguments)`: a row of `REBUILD`, or a refusal by name."""
    name = function.name if isinstance(function, Global) else type(function).__name__
    if isinstance(function, Global) and inert_script.is_class(name):
        return inert_script.describe_enum()
    if not isinstance(function, Global) or name not in REBUILD:
        raise UnsafeCheckpointError(f"it asks to call `{name}`. Nothing was run.")
    if not isinstance(arguments, tuple):
        raise TypeError(f"a call of {name} without arguments")
    return REBUILD[name](*arguments)


def weigh_call(function: object, arguments: object) -> int:
    """Return at least what `describe_call` will take: a copy is as large as its arguments."""
    weight = _DESCRIPTION
    if isinstance(function, Global) and isinstance(arguments, tuple):
        if function.name in _TENSORS:
            return _PLAN
        for part in arguments:
            if isinstance(part, str | bytes | int):
                weight += sys.getsizeof(part)
            elif isinstance(part, list | tuple | Pairs):
                weight += 80 * len(part)
    return weight


def describe_object(kind: object, arguments: object) -> object:
    """Describe an object made without a call: one of `OBJECTS`, or of a class of the file's own."""
    if isinstance(kind, Global) and inert_script.is_class(kind.name):
        return inert_script.describe_object()
    if not isinstance(kind, Global) or kind.name not in OBJECTS:
        raise UnsafeCheckpointError("its pickle uses the instruction NEWOBJ.")
    return describe_call(kind, arguments)


def describe_state(target: object, state: object) -> None:
    """Set the state of what is described, or refuse.

    The state of a NumPy array is what it holds, that of a namespace its attributes; the
    attributes of an OrderedDict, such as torch's `_metadata`, hold no tensor and are dropped.
    """
    if isinstance(target, inert_numpy.Dtype | inert_numpy.Array):
        target.set_state(state)
        return
    if isinstance(target, Pairs) and target.program:
        inert_script.set_state(target, state)
        return
    if isinstance(target, Pairs) and target.attributes and isinstance(state, tuple):
        return  # torch's TensorProperties: what each part says of itself
    if not isinstance(target, Pairs) or not isinstance(state, Pairs):
        raise UnsafeCheckpointError("it asks to set the state of an object.")
    if target.attributes:
        target.items.extend(state.items)


def describe_storage(pid: object) -> Storage:
    """Describe a persistent id: ("storage", class, key, device, count), in old files and a view."""
    match pid:
        case ("storage", Global(name=kind), str(key), str(), int(count), *view) if (
            kind in STORAGES and count >= 0
        ):
            if any(part is not None for part in view):
                raise CheckpointError(
                    f"the storage `{short(key)}` is a view, as torch before 0.4 wrote it; "
                    f"load the file in torch and save it again."
                )
            return Storage(kind, key, count)
        case ("module", *_):
            raise UnsafeCheckpointError(
                "it carries the source code of a module. Save the model's `state_dict()` instead."
            )
    raise TypeError("a persistent id that is no storage")
