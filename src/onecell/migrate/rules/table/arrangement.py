"""Rows: functions that arrange numbers anew, pick them, or multiply matrices of them."""

from __future__ import annotations

from typing import Final

from onecell.migrate.rules.table.domain import ANY, FLOATS, NUMBERS, Axis, OneOf, Tensor
from onecell.migrate.rules.table.row import row

_AXIS: Final = {"dim": "axis"}

ARRANGEMENT: Final = (
    row(
        "stack",
        "torch.stack(tensors, dim=0)",
        "mindspore.ops.stack(tensors, axis=0)",
        pairs=_AXIS,
        gives="tensor",
        domain={"tensors": Tensor("*s", ANY, listed=True), "dim": Axis("tensors", 1)},
    ),
    row(
        "cat",
        "torch.cat(tensors, dim=0)",
        "mindspore.ops.cat(tensors, axis=0)",
        pairs=_AXIS,
        gives="tensor",
        domain={"tensors": Tensor("+s", ANY, listed=True), "dim": Axis("tensors")},
    ),
    *(
        row(
            f"conv{axes}d_function",
            f"torch.nn.functional.conv{axes}d(input, weight, bias=None, stride=1, padding=0,"
            " dilation=1, groups=1)",
            f"mindspore.ops.conv{axes}d(input, weight, bias=None, stride=1, pad_mode='valid',"
            " padding=0, dilation=1, groups=1)",
            fixed={"pad_mode": "'pad'"},
            gives="tensor",
            domain={
                "input": Tensor("2 4 9" if axes == 1 else "2 4 9 8", ("float32",), "finite"),
                "weight": Tensor("6 4 3" if axes == 1 else "6 4 3 2", ("float32",), "finite"),
                "bias": Tensor("6", ("float32",), "finite"),
                "stride": OneOf("1", "2"),
                "padding": OneOf("0", "1") if axes == 1 else OneOf("1", "(1, 2)"),
                "dilation": OneOf("1", "2"),
            },
        )
        for axes in (1, 2)
    ),
    row(
        "cosine_similarity",
        "torch.nn.functional.cosine_similarity(x1, x2, dim=1, eps=1e-8)",
        "mindspore.ops.cosine_similarity(x1, x2, dim=1, eps=1e-8)",
        gives="tensor",
        domain={
            "x1": Tensor("a b c", ("float32",), "finite"),
            "x2": Tensor("a b c", ("float32",), "finite"),
            "dim": Axis("x1"),
            "eps": OneOf("1e-8", "1e-3"),
        },
    ),
    row(
        "unsqueeze",
        "torch.unsqueeze(input, dim)",
        "mindspore.ops.unsqueeze(input, dim)",
        gives="tensor",
        domain={"input": Tensor("*s", ANY), "dim": Axis("input", 1)},
    ),
    row(
        "t_function",
        "torch.t(input)",
        "mindspore.ops.t(input)",
        gives="tensor",
        domain={"input": Tensor("n m", ANY)},
    ),
    row(
        "squeeze_function",
        "torch.squeeze(input, dim=None)",
        "mindspore.ops.squeeze(input, axis=None)",
        pairs=_AXIS,
        gives="tensor",
        domain={"input": Tensor("1 n 1 m", ANY), "dim": OneOf("0", "2", "-2")},
    ),
    row(
        "transpose_function",
        "torch.transpose(input, dim0, dim1)",
        "mindspore.ops.swapaxes(input, axis0, axis1)",
        pairs={"dim0": "axis0", "dim1": "axis1"},
        gives="tensor",
        domain={"input": Tensor("+s", ANY), "dim0": Axis("input"), "dim1": Axis("input")},
    ),
    row(
        "permute_function",
        "torch.permute(input, dims)",
        "mindspore.ops.permute(input, axis)",
        pairs={"dims": "axis"},
        gives="tensor",
        domain={"input": Tensor("a b c", ANY), "dims": OneOf("(2, 0, 1)", "(0, -1, 1)")},
    ),
    row(
        "flatten",
        "torch.flatten(input, start_dim=0, end_dim=-1)",
        "mindspore.ops.flatten(input, *, start_dim=1, end_dim=-1)",
        gives="tensor",
        domain={
            "input": Tensor("a b c", ANY),
            "start_dim": OneOf("0", "1", "-3"),
            "end_dim": OneOf("1", "2", "-1"),
        },
    ),
    row(
        "reshape",
        "torch.reshape(input, shape)",
        "mindspore.ops.reshape(input, shape)",
        gives="tensor",
        domain={"input": Tensor("2 6", ANY), "shape": OneOf("(3, 4)", "(-1, 2)", "(12,)")},
    ),
    row(
        "flip_function",
        "torch.flip(input, dims)",
        "mindspore.ops.flip(input, dims)",
        gives="tensor",
        domain={"input": Tensor("a b c", ANY), "dims": OneOf("(0,)", "(1, -1)")},
    ),
    row(
        "split",
        "torch.split(tensor, split_size_or_sections, dim=0)",
        "mindspore.ops.split(tensor, split_size_or_sections, axis=0)",
        pairs=_AXIS,
        gives="tensors",
        domain={
            "tensor": Tensor("5 5 5", ANY),
            "split_size_or_sections": OneOf("2", "5", "[1, 4]"),
            "dim": Axis("tensor"),
        },
    ),
    row(
        "chunk",
        "torch.chunk(input, chunks, dim=0)",
        "mindspore.ops.chunk(input, chunks, axis=0)",
        pairs=_AXIS,
        gives="tensors",
        domain={
            "input": Tensor("4 5 6", ANY),
            "chunks": OneOf("1", "2", "3", "4"),
            "dim": Axis("input"),
        },
    ),
    row(
        "unbind",
        "torch.unbind(input, dim=0)",
        "mindspore.ops.unbind(input, dim=0)",
        gives="tensors",
        domain={"input": Tensor("a b c", ANY), "dim": Axis("input")},
    ),
    row(
        "gather",
        "torch.gather(input, dim, index)",
        "mindspore.ops.gather_elements(input, dim, index)",
        gives="tensor",
        domain={
            "input": Tensor("4 3 4", NUMBERS),
            "dim": Axis("input"),
            "index": Tensor("2 3 2", ("int64",), "below 3"),
        },
    ),
    row(
        "index_select",
        "torch.index_select(input, dim, index)",
        "mindspore.ops.index_select(input, axis, index)",
        pairs=_AXIS,
        gives="tensor",
        domain={
            "input": Tensor("3 4 5", NUMBERS),
            "dim": Axis("input"),
            "index": Tensor("n", ("int64", "int32"), "below 3"),
        },
    ),
    row(
        "scatter",
        "torch.scatter(input, dim, index, src)",
        "mindspore.ops.scatter(input, axis, index, src)",
        pairs=_AXIS,
        gives="tensor",
        domain={
            "input": Tensor("4 4"),
            "dim": Axis("input"),
            "index": Tensor("1 1", ("int64",), "below 4"),
            "src": Tensor("1 1"),
        },
    ),
    row(
        "scatter_add",
        "torch.scatter_add(input, dim, index, src)",
        "mindspore.ops.tensor_scatter_elements(input_x, indices, updates, axis=0,"
        " reduction='none')",
        pairs={"input": "input_x", "dim": "axis", "index": "indices", "src": "updates"},
        fixed={"reduction": "'add'"},
        gives="tensor",
        domain={
            "input": Tensor("4 4"),
            "dim": Axis("input"),
            "index": Tensor("4 3", ("int64",), "below 4"),
            "src": Tensor("4 3"),
        },
    ),
    row(
        "one_hot",
        "torch.nn.functional.one_hot(input, num_classes)",
        "mindspore.ops.one_hot(indices, depth)",
        pairs={"input": "indices", "num_classes": "depth"},
        gives="tensor",
        domain={
            "input": Tensor("*s", ("int64",), "below 4"),
            "num_classes": OneOf("4", "7"),
        },
    ),
    row(
        "pad",
        "torch.nn.functional.pad(input, pad, mode='constant', value=None)",
        "mindspore.ops.pad(input_x, padding, mode='constant', value=None)",
        pairs={"input": "input_x", "pad": "padding"},
        gives="tensor",
        domain={
            "input": Tensor("a b c d", FLOATS),
            "pad": OneOf("(1, 2)", "(0, 1, 2, 0)", "[1, 1, 0, 2]"),
            "value": OneOf("0", "1.5", "-1"),
        },
    ),
    row(
        "tile",
        "torch.tile(input, dims)",
        "mindspore.ops.tile(input, dims)",
        gives="tensor",
        domain={"input": Tensor("a b", ANY), "dims": OneOf("(2,)", "(2, 3)", "(1, 2, 1)")},
    ),
    row(
        "masked_select",
        "torch.masked_select(input, mask)",
        "mindspore.ops.masked_select(input, mask)",
        gives="tensor",
        domain={"input": Tensor("*s", NUMBERS), "mask": Tensor("*s", ("bool",))},
    ),
    row(
        "nonzero",
        "torch.nonzero(input, *, as_tuple=False)",
        "mindspore.ops.nonzero(input)",
        fixed={"as_tuple": "False"},
        gives="tensor",
        domain={"input": Tensor("+s", ANY)},
    ),
    row(
        "narrow_function",
        "torch.narrow(input, dim, start, length)",
        "mindspore.ops.narrow(input, axis, start, length)",
        pairs=_AXIS,
        gives="tensor",
        domain={
            "input": Tensor("4 3 5", ANY),
            "dim": Axis("input"),
            "start": OneOf("0", "1"),
            "length": OneOf("1", "2"),
        },
    ),
    row(
        "movedim_function",
        "torch.movedim(input, source, destination)",
        "mindspore.ops.movedim(x, source, destination)",
        pairs={"input": "x"},
        gives="tensor",
        domain={
            "input": Tensor("4 3 5", ANY),
            "source": Axis("input"),
            "destination": Axis("input"),
        },
    ),
    row(
        "broadcast_to",
        "torch.broadcast_to(input, size)",
        "mindspore.ops.broadcast_to(input, shape)",
        pairs={"size": "shape"},
        gives="tensor",
        domain={"input": Tensor("2 1", ANY), "size": OneOf("(2, 3)", "(4, 2, 3)", "(2, -1)")},
    ),
    row(
        "repeat_interleave",
        "torch.repeat_interleave(input, repeats, dim=None)",
        "mindspore.ops.repeat_interleave(input, repeats, axis=None)",
        pairs=_AXIS,
        gives="tensor",
        domain={
            "input": Tensor("4 3 5", NUMBERS),
            "repeats": OneOf("1", "3"),
            "dim": Axis("input"),
        },
    ),
    *(
        row(
            name,
            f"torch.{name}(tensors)",
            f"mindspore.ops.{name}({called})",
            pairs={"tensors": called} if called != "tensors" else {},
            gives="tensor",
            domain={"tensors": Tensor("a b c", NUMBERS, listed=True)},
        )
        for name, called in (("hstack", "tensors"), ("vstack", "inputs"))
    ),
    row(
        "meshgrid",
        "torch.meshgrid(*tensors, indexing='ij')",
        "mindspore.ops.meshgrid(*inputs, indexing='xy')",
        pairs={"tensors": "inputs"},
        gives="tensors",
        shape="apart",
        domain={
            "tensors": OneOf("torch.arange(3), torch.arange(4)"),
            "indexing": OneOf("'ij'", "'xy'"),
        },
    ),
)
