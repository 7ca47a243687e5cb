"""The four parameters of one cell as one value, in canonical layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from onecell.dialect import Dialect, get_dialect
from onecell.dialect.arrays import from_canonical, to_canonical
from onecell.dialect.layout import is_weight
from onecell.dtypes import FLOAT_NAMES, describe, dtype_name, narrow, widen
from onecell.errors import ArgumentError, DtypeError, ShapeError
from onecell.spec import BIASES, GATES, PARAMETERS, WEIGHTS, Spec, check_shape


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Weights:
    """The parameters of one cell: gates i f g o, (4H, I), (4H, H), two biases or none.

    Any stored float type is welcome (float16, bfloat16, float32, float64), the same for all four;
    conversion between dialects of equal layout moves bits and never rounds.

    Raises:
        ShapeError: the shapes do not belong to one cell.
        DtypeError: the element types differ, or are not floating-point.
        ArgumentError: only one of the two biases is there.
    """

    weight_ih: np.ndarray
    weight_hh: np.ndarray
    bias_ih: np.ndarray | None = None
    bias_hh: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name in PARAMETERS:
            if (array := getattr(self, name)) is not None:
                object.__setattr__(self, name, _as_array(name, array))
        if (self.bias_ih is None) != (self.bias_hh is None):
            there, gone = BIASES if self.bias_hh is None else BIASES[::-1]
            raise ArgumentError(f"`{there}` is there and `{gone}` is not; give both or neither.")
        hidden, inputs = self._sizes()
        rows = len(GATES) * hidden
        check_shape("weight_ih", self.weight_ih.shape, (rows, inputs), "(4H, I)")
        check_shape("weight_hh", self.weight_hh.shape, (rows, hidden), "(4H, H)")
        for name in BIASES:
            if (bias := getattr(self, name)) is not None:
                check_shape(name, bias.shape, (rows,), "(4H,)")
        for name, array in self.arrays().items():
            kind = dtype_name(array.dtype)
            if kind not in FLOAT_NAMES:
                raise DtypeError(f"`{name}` must hold one of {', '.join(FLOAT_NAMES)}, got {kind}.")
            if array.dtype != self.weight_ih.dtype:
                first = dtype_name(self.weight_ih.dtype)
                raise DtypeError(f"`{name}` holds {kind} but `weight_ih` holds {first}.")

    def __repr__(self) -> str:
        held = {name: getattr(self, name) for name in PARAMETERS}
        return f"{type(self).__name__}({describe(**held)})"

    def _sizes(self) -> tuple[int, int]:
        """Return (H, I) as the two weight arrays tell it."""
        for name in WEIGHTS:
            if getattr(self, name).ndim != 2:
                got = getattr(self, name).shape
                raise ShapeError(f"`{name}` must have 2 dimensions, got shape {got}.")
        hidden, inputs = self.weight_hh.shape[1], self.weight_ih.shape[1]
        if inputs == len(GATES) * hidden != self.weight_ih.shape[0]:
            inputs = self.weight_ih.shape[0]  # the other way round: let the shape check say so
        if hidden < 1 or inputs < 1:
            raise ShapeError(f"a cell needs I ≥ 1 and H ≥ 1, got I = {inputs} and H = {hidden}.")
        return hidden, inputs

    @property
    def input_size(self) -> int:
        """I, the width of the input."""
        return int(self.weight_ih.shape[1])

    @property
    def hidden_size(self) -> int:
        """H, the width of the state."""
        return int(self.weight_hh.shape[1])

    @property
    def bias(self) -> bool:
        """Whether the cell has biases."""
        return self.bias_ih is not None

    @property
    def dtype_name(self) -> str:
        """The stored element type: float16, bfloat16, float32 or float64."""
        return dtype_name(self.weight_ih.dtype)

    @property
    def spec(self) -> Spec:
        """The spec of a cell that computes with these weights; 16-bit floats compute in float32."""
        dtype = np.dtype(np.float64 if self.weight_ih.dtype == np.float64 else np.float32)
        return Spec(self.input_size, self.hidden_size, self.bias, dtype)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the parameters that are there, by canonical name, in canonical order."""
        pairs = ((name, getattr(self, name)) for name in PARAMETERS)
        return {name: array for name, array in pairs if array is not None}

    def same_bits(self, other: Weights) -> bool:
        """Whether `other` has the same names, types, shapes and bits."""
        mine, theirs = self.arrays(), check_weights("other", other).arrays()
        return mine.keys() == theirs.keys() and all(
            array.dtype == theirs[name].dtype
            and array.shape == theirs[name].shape
            and array.tobytes() == theirs[name].tobytes()
            for name, array in mine.items()
        )

    def astype(self, name: str) -> Weights:
        """Return the weights stored as `name`, such as "float16", rounded to nearest.

        Raises:
            DtypeError: a cell cannot store such numbers.
        """
        if name == self.dtype_name:
            return self
        return Weights(**{key: narrow(widen(a), name) for key, a in self.arrays().items()})

    def widened(self) -> Weights:
        """Return the weights in a type that the kernel computes in; never rounds."""
        return Weights(**{name: widen(array) for name, array in self.arrays().items()})

    @classmethod
    def random(cls, spec: Spec, rng: np.random.Generator | int | None = None) -> Self:
        """Draw fresh parameters from uniform(-1/√H, 1/√H), as both frameworks do.

        Raises:
            DtypeError: `spec` is no `Spec`, or `rng` neither a generator nor a seed.
            ArgumentError: `rng` is a negative seed.
        """
        if not isinstance(spec, Spec):
            raise DtypeError(f"`spec` must be a onecell.Spec, got {type(spec).__name__}.")
        draw = _generator(rng).uniform
        shapes = spec.shapes.items()
        return cls(**{n: draw(-spec.bound, spec.bound, s).astype(spec.dtype) for n, s in shapes})

    @classmethod
    def from_dialect(
        cls,
        arrays: Mapping[str, np.ndarray],
        dialect: str | Dialect,
        *,
        prefix: str = "",
        layer: int | None = None,
        reverse: bool = False,
        both: bool = False,
    ) -> Self:
        """Read one cell out of a framework's named arrays; other entries are left alone.

        Args:
            arrays: name → array, as a checkpoint has them.
            dialect: whose names and layout those are.
            prefix: what stands before the cell's own names, such as "decoder.cell.".
            layer: read layer `layer` of the framework's LSTM instead of its LSTMCell.
            reverse: with `layer`, read the backward direction.
            both: whether the layer has both directions, which Keras names otherwise.

        Raises:
            ArgumentError: a parameter that the cell needs is not in `arrays`.
            ShapeError, DtypeError: as the constructor, or the array is not as the dialect says.
        """
        row = get_dialect(dialect)
        _check_mapping(arrays)
        names = {
            piece: row.spell(piece, prefix=prefix, layer=layer, reverse=reverse, both=both)
            for piece in row.layout.pieces
        }
        found = {p: np.asarray(arrays[name]) for p, name in names.items() if name in arrays}
        for piece in row.layout.required:
            if piece not in found:
                raise ArgumentError(f"no `{names[piece]}` among {len(arrays)} arrays.")
        biases = [piece for piece in names if not is_weight(piece)]
        gone = [piece for piece in biases if piece not in found]
        if gone and len(gone) < len(biases):
            raise ArgumentError(f"half a cell: `{names[gone[0]]}` is missing, its twin is there.")
        return cls(**to_canonical(found, row.layout, reverse=reverse))

    def to_dialect(
        self,
        dialect: str | Dialect,
        *,
        prefix: str = "",
        layer: int | None = None,
        reverse: bool = False,
        both: bool = False,
    ) -> dict[str, np.ndarray]:
        """Return the arrays under the names and in the layout of `dialect`.

        `prefix`, `layer`, `reverse` and `both` choose the names, as in `from_dialect`.
        """
        row = get_dialect(dialect)
        return {
            row.spell(piece, prefix=prefix, layer=layer, reverse=reverse, both=both): array
            for piece, array in from_canonical(self.arrays(), row.layout).items()
        }


def check_weights(name: str, value: object) -> Weights:
    """Return `value`, or raise `DtypeError` naming the argument unless it is `Weights`."""
    if isinstance(value, Weights):
        return value
    raise DtypeError(f"`{name}` must be onecell.Weights, got {type(value).__name__}.")


def _check_mapping(arrays: object) -> None:
    if not isinstance(arrays, Mapping):
        kind = type(arrays).__name__
        raise DtypeError(f"`arrays` must map names to arrays, got {kind}.")


def _generator(rng: np.random.Generator | int | None) -> np.random.Generator:
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        kind = DtypeError if isinstance(error, TypeError) else ArgumentError
        raise kind(
            f"`rng` must be a numpy.random.Generator, a seed of at least 0 or None, got {rng!r}."
        ) from None


def _as_array(name: str, array: object) -> np.ndarray:
    """Return a plain array in native byte order, or raise."""
    if not isinstance(array, np.ndarray) or isinstance(array, np.ma.MaskedArray):
        kind = type(array).__name__
        raise DtypeError(f"`{name}` must be a NumPy array and not masked, got {kind}.")
    plain = np.asarray(array)
    native = plain.dtype.newbyteorder("=")
    return plain if plain.dtype == native else plain.astype(native)
