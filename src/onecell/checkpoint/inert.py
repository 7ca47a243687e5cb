"""What a torch pickle may mention, and the inert description that stands for each of it.

Nothing here imports or calls what a file names: a row of `REBUILD` describes what the named
function would have built, from arguments that are descriptions themselves.
"""

# ruff: noqa: ANN401 - the file decides what the arguments are; a wrong one is a TypeError.

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from onecell.errors import CheckpointError, UnsafeCheckpointError


@dataclass(frozen=True, slots=True)
class Global:
    """A name that a pickle may mention. Only a name."""

    name: str


@dataclass(slots=True)
class Pairs:
    """A dictionary as the list of its items, in the order in which they were set.

    Not a dict, so that no hash of a stranger's choosing is ever computed.
    """

    items: list[tuple[object, object]]

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True)
class Storage:
    """Where the elements of a tensor lie: the content of a persistent id."""

    kind: str
    """The storage class, "torch.FloatStorage"."""
    key: str
    count: int
    """Elements of `kind`; bytes where `kind` is untyped."""


@dataclass(frozen=True, slots=True)
class TensorPlan:
    """A tensor that is still to be cut out of its storage; sizes as the file has them."""

    storage: Storage
    offset: object
    size: object
    stride: object
    dtype: str | None = None
    """The element type where the storage does not tell it: "torch.uint16"."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A tensor of a kind that has no array, and why."""

    reason: str


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
    if function == Global("torch._tensor._rebuild_from_type_v2"):
        raise TypeError("a tensor wrapped in itself")
    return describe_call(function, arguments)


def _unreadable(reason: str) -> Callable[..., object]:
    return lambda *_: Unreadable(reason)


def _mapping(items: Any = None) -> object:
    """Describe an OrderedDict or Counter made of nothing, a dictionary or a list of pairs."""
    pairs = items.items if isinstance(items, Pairs) else items or []
    return Pairs([(key, value) for key, value in pairs])


def _sequence(items: Any = ()) -> object:
    """Describe a set or a size by its elements."""
    return tuple(items)


def _text(*parts: Any) -> object:
    """Describe a device or a layout by its name."""
    if not all(isinstance(part, str | int) for part in parts):
        raise TypeError("a device or a layout without a name")
    return ":".join(map(str, parts))


def _complex(real: Any, imag: Any) -> object:
    return complex(float(real), float(imag))


def _bytes(text: Any, encoding: Any) -> object:
    """Describe `_codecs.encode`, as protocol 2 spells bytes: text with one character a byte."""
    return text.encode("latin-1")


_SPARSE = _unreadable("is sparse; call `to_dense()` before saving")
_QUANTIZED = _unreadable("is quantized; call `dequantize()` before saving")

REBUILD: Final[dict[str, Callable[..., object]]] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _tensor_v3,
    "torch._utils._rebuild_parameter": _data,
    "torch._utils._rebuild_parameter_with_state": _data,
    "torch._tensor._rebuild_from_type_v2": _from_type,
    "torch._utils._rebuild_sparse_tensor": _SPARSE,
    "torch._utils._rebuild_sparse_csr_tensor": _SPARSE,
    "torch._utils._rebuild_qtensor": _QUANTIZED,
    "torch._utils._rebuild_meta_tensor_no_storage": _unreadable(
        "is on device meta: it has no data"
    ),
    "torch.serialization._get_layout": _text,
    "torch.Size": _sequence,
    "torch.device": _text,
    "collections.OrderedDict": _mapping,
    "collections.Counter": _mapping,
    "_codecs.encode": _bytes,
    "builtins.set": _sequence,
    "builtins.frozenset": _sequence,
    "builtins.complex": _complex,
}
"""Global → what describes a call of it. A description is never larger than the arguments."""

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

ALLOWED: Final = frozenset(REBUILD) | STORAGES | _NAMES_ONLY
"""Every global that a pickle may mention."""


def describe_call(function: object, arguments: object) -> object:
    """Describe the result of `function(*arguments)`: a row of `REBUILD`, or a refusal by name."""
    name = function.name if isinstance(function, Global) else type(function).__name__
    if not isinstance(function, Global) or name not in REBUILD:
        raise UnsafeCheckpointError(f"it asks to call `{name}`. Nothing was run.")
    if not isinstance(arguments, tuple):
        raise TypeError(f"a call of {name} without arguments")
    return REBUILD[name](*arguments)


def describe_storage(pid: object) -> Storage:
    """Describe a persistent id: ("storage", class, key, device, count), in old files and a view."""
    match pid:
        case ("storage", Global(name=kind), str(key), str(), int(count), *view) if (
            kind in STORAGES and count >= 0
        ):
            if any(part is not None for part in view):
                raise CheckpointError(
                    f"the storage `{key}` is a view, as torch before 0.4 wrote it; "
                    f"load the file in torch and save it again."
                )
            return Storage(kind, key, count)
        case ("module", *_):
            raise UnsafeCheckpointError(
                "it carries the source code of a module. Save the model's `state_dict()` instead."
            )
    raise TypeError("a persistent id that is no storage")
