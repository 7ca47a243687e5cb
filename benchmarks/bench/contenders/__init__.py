"""Who runs. One row a contender; a framework is imported only in the process that runs it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, Final, Protocol

from bench.problem import Outputs, Problem, Work

FLOAT32: Final = 2e-5
"""Some roundings a gate, over 100 steps of H = 512 or 3200 rows of a weight's gradient."""
MINDSPORE: Final = 2e-2
"""MindSpore's own tanh on CPU is off by up to 1e-4; its gradients add that up."""
SIXTEEN: Final = 3e-2
"""Weights rounded to 8 bits of mantissa; peers round the state and the sums as well."""
INT8: Final = 1e-1
"""Weights rounded to 256 levels; the peers round the input and the state, too."""


class Missing(Exception):  # noqa: N818 - not a fault: something that is not there to be measured
    """A contender cannot be had here, and why."""


@dataclass
class Prepared:
    """A contender that holds one problem, ready to run."""

    call: Callable[[], Any]
    """All of the work once, as a user writes it; returns when the results are there."""
    read: Callable[[], Outputs]
    """What it computes, as arrays, h (T, N, H) and so on."""
    settings: str
    """What was chosen for it, in words."""
    around: Callable[[], AbstractContextManager[Any]] = contextlib.nullcontext
    """What a user puts around a loop of calls."""
    holds: Any = None
    """Memory that the calls read and that nothing else keeps."""
    measure: Callable[[float], float] | None = None
    """Instead of calling it: µs a call over so many seconds, measured elsewhere."""
    shortest: float = float("inf")
    """The shortest call seen so far, in seconds; kept by who times it."""


class Maker(Protocol):
    """Make a contender ready."""

    def __call__(self, p: Problem, work: Work, threads: int, **choices: Any) -> Prepared:  # noqa: ANN401
        """Return it, holding `p`; raise `Missing` where it cannot be had."""


@dataclass(frozen=True)
class Contender:
    """One way to compute a cell."""

    name: str
    library: str
    """The distribution that it comes from."""
    process: str
    """Settings of a framework are process-wide; so contenders with other settings are elsewhere."""
    made_by: str
    """module:function of a `Maker`."""
    close: float = FLOAT32
    """The largest error, as `problem.error` has it, with which it is still timed."""
    choices: tuple[tuple[str, Any], ...] = ()
    computes: bool = True
    """False for a ceiling, which has no result to check."""
    most_threads: int | None = None
    """Where not None: so many, however many the others have."""

    def prepare(self, p: Problem, work: Work, threads: int) -> Prepared:
        """Return it, holding `p`."""
        module, name = self.made_by.split(":")
        maker: Maker = getattr(import_module(f"bench.contenders.{module}"), name)
        return maker(p, work, threads, **dict(self.choices))

    def prepare_with_threads(self, p: Problem, work: Work, threads: int) -> Prepared:
        """Return it on so many threads whatever it would choose: for the sweep over threads."""
        ours = {"explicit": True} if self.library == "onecell" else {}
        return replace(self, choices=(*self.choices, *ours.items())).prepare(p, work, threads)


_ALL: Final = (
    Contender("onecell", "onecell", "onecell", "ours:arrays"),
    Contender("onecell.torch", "onecell", "onecell.torch", "torch_cells:ours"),
    Contender("onecell.stream", "onecell", "onecell", "ours:stream"),
    Contender("kernel from C++", "onecell", "kernel", "bare:kernel"),
    Contender("multiply-adds alone", "onecell", "kernel", "bare:multiply_adds", computes=False),
    Contender("reading alone", "onecell", "kernel", "bare:reading", computes=False),
    *(
        Contender(
            f"onecell frozen {dtype}", "onecell", "onecell", "ours:frozen", close,
            (("dtype", dtype),),
        )
        for dtype, close in (
            ("float32", FLOAT32), ("bfloat16", SIXTEEN), ("float16", SIXTEEN), ("int8", INT8),
            ("int8_int8", INT8), ("bfloat16_bfloat16", SIXTEEN),
        )
    ),
    Contender("torch.nn.LSTMCell", "torch", "torch", "torch_cells:cell"),
    Contender("torch.nn.LSTM", "torch", "torch", "torch_cells:layer"),
    Contender("torch.compile", "torch", "torch.compile", "torch_cells:compiled"),
    Contender("onnxruntime", "onnxruntime", "onnxruntime", "onnx_runtime:session"),
    Contender("JAX", "jax", "jax", "jax_scan:scan"),
    Contender("OpenVINO", "openvino", "openvino", "open_vino:request"),
    *(
        Contender(f"{name}, 1 thread", library, process, made_by, most_threads=1)
        for name, library, process, made_by in (
            ("torch.nn.LSTMCell", "torch", "torch", "torch_cells:cell"),
            ("onnxruntime", "onnxruntime", "onnxruntime", "onnx_runtime:session"),
            ("JAX", "jax", "jax", "jax_scan:scan"),
            ("OpenVINO", "openvino", "openvino", "open_vino:request"),
        )
    ),
    Contender(
        "torch.nn.LSTMCell bfloat16", "torch", "torch", "torch_cells:cell", SIXTEEN,
        (("dtype", "bfloat16"),),
    ),
    Contender(
        "OpenVINO bfloat16", "openvino", "openvino", "open_vino:request", SIXTEEN,
        (("precision", "bf16"),),
    ),
    Contender("torch int8 LSTMCell", "torch", "torch", "torch_cells:quantised", INT8),
    Contender(
        "onnxruntime int8", "onnxruntime", "onnxruntime", "onnx_runtime:session", INT8,
        (("quantised", True),),
    ),
    Contender("onecell.mindspore", "onecell", "onecell.mindspore", "mindspore_cells:ours"),
    Contender(
        "onecell.mindspore, launch_blocking", "onecell", "onecell.mindspore blocking",
        "mindspore_cells:ours", FLOAT32, (("blocking", True),),
    ),
    Contender("mindspore.nn", "mindspore", "mindspore", "mindspore_cells:theirs", MINDSPORE),
    *(
        Contender(
            f"mindspore.nn, {name}", "mindspore", "mindspore blocking", "mindspore_cells:theirs",
            MINDSPORE, (("blocking", True), *choice),
        )
        for name, choice in (
            ("launch_blocking", ()),
            ("jit", (("jit", "ast"),)),
            ("jit bytecode", (("jit", "bytecode"),)),
        )
    ),
)  # fmt: skip

CEILINGS: Final = ("multiply-adds alone", "reading alone")

CONTENDERS: Final = {contender.name: contender for contender in _ALL}

FRAMEWORK_PEERS: Final = (
    "torch.nn.LSTMCell", "torch.nn.LSTM", "torch.compile", "onnxruntime", "JAX", "OpenVINO"
)  # fmt: skip

ONE_THREAD_PEERS: Final = tuple(name for name, c in CONTENDERS.items() if c.most_threads == 1)
"""Small work is quicker without a second thread: what a user gains who knows to ask for that."""
