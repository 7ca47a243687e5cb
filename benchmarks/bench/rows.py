"""The rows of the table: what is run, by whom, and what is promised of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bench.contenders import CEILINGS, FRAMEWORK_PEERS, ONE_THREAD_PEERS
from bench.figures import Figure
from bench.problem import Size, Work


@dataclass(frozen=True)
class Target:
    """Ours takes at most 1 / `at_least` of the time of the best of `against`."""

    ours: str
    at_least: float
    against: tuple[str, ...] = FRAMEWORK_PEERS

    def judge(self, figures: dict[str, Figure]) -> tuple[float, str] | None:
        """Return the ratio and the best peer's name; None where either side is not there."""
        peers = {name: figures[name].median for name in self.against if name in figures}
        if self.ours not in figures or not peers:
            return None
        best = min(peers, key=lambda name: peers[name])
        return peers[best] / figures[self.ours].median, best


@dataclass(frozen=True)
class Row:
    """One problem, who computes it, and what is promised."""

    section: str
    work: Work
    size: Size
    contenders: tuple[str, ...]
    targets: tuple[Target, ...]
    quick: bool = False
    """Whether `--quick` measures it."""

    @property
    def name(self) -> str:
        """The row's name for `--rows`, such as step:1,1,10,16."""
        return f"{self.section}:{','.join(map(str, self.size))}"


_OURS: Final = ("onecell", "onecell.torch")
_LOOP: Final = ("torch.nn.LSTMCell",)
_LAYER: Final = ("torch.nn.LSTM",)
_JIT: Final = ("mindspore.nn, jit", "mindspore.nn, jit bytecode")
_FROZEN: Final = tuple(
    f"onecell frozen {dtype}" for dtype in ("float32", "bfloat16", "float16", "int8")
)
_BFLOAT16_PEERS: Final = ("torch.nn.LSTMCell bfloat16", "OpenVINO bfloat16")
_INT8_PEERS: Final = ("torch int8 LSTMCell", "onnxruntime int8")
_LOW_PRECISION_PEERS: Final = (*_BFLOAT16_PEERS, *_INT8_PEERS)


def _forward(
    work: Work, size: tuple[int, int, int, int], at_least: float, *, torch: bool = False,
    quick: bool = False, of_fma: float | None = None,
) -> Row:  # fmt: skip
    targets = [Target(name, at_least) for name in (_OURS if torch else _OURS[:1])]
    if of_fma is not None:
        targets.append(Target("onecell", of_fma, CEILINGS[:1]))
    contenders = (*_OURS, *FRAMEWORK_PEERS, *ONE_THREAD_PEERS, *CEILINGS)
    return Row(work, work, Size(*size), contenders, tuple(targets), quick)


def _train(size: tuple[int, int, int, int], loop: float, layer: float) -> Row:
    targets = (Target("onecell.torch", loop, _LOOP), Target("onecell.torch", layer, _LAYER))
    contenders = ("onecell.torch", "onecell", *_LOOP, *_LAYER, "JAX", *CEILINGS[:1])
    return Row("train", "train", Size(*size), contenders, targets, quick=size[1] == 16)


def _loop(size: tuple[int, int, int, int]) -> Row:
    targets = (Target("onecell.torch", 2.0, _LOOP),)
    return Row("loop", "loop", Size(*size), ("onecell.torch", *_LOOP), targets, quick=size[1] == 3)


def _frozen(hidden: int) -> Row:
    least = (("bfloat16", 1.7), ("float16", 1.7), ("int8", 3.0))
    targets = tuple(Target(f"onecell frozen {dtype}", ratio) for dtype, ratio in least)
    contenders = ("onecell", *_FROZEN, *FRAMEWORK_PEERS, *_LOW_PRECISION_PEERS)
    return Row("frozen", "step", Size(1, 1, hidden, hidden), contenders, targets)


def _frozen_rows(size: tuple[int, int, int, int]) -> Row:
    """Many rows, where peers of a precision compute in it: ours is held to theirs."""
    targets = (
        Target("onecell frozen bfloat16_bfloat16", 1.0, _BFLOAT16_PEERS),
        Target("onecell frozen int8_int8", 1.0, _INT8_PEERS),
    )
    peers = (*_BFLOAT16_PEERS, *_INT8_PEERS)
    both = ("onecell frozen bfloat16_bfloat16", "onecell frozen int8_int8")
    contenders = ("onecell", *_FROZEN[1:], *both, *peers)
    return Row("rows", "step" if size[0] == 1 else "unroll", Size(*size), contenders, targets)


def _mindspore(size: tuple[int, int, int, int], *, quick: bool) -> Row:
    ours = "onecell.mindspore"
    targets = (Target(ours, 10.0, _JIT), Target(ours, 200.0, ("mindspore.nn",)))
    contenders = (ours, "mindspore.nn", "mindspore.nn, launch_blocking", *_JIT)
    return Row("mindspore", "step", Size(*size), contenders, targets, quick)


ROWS: Final = (
    Row(
        "step", "step", Size(1, 1, 10, 16),
        (*_OURS, *FRAMEWORK_PEERS, *ONE_THREAD_PEERS, *CEILINGS),
        (Target("onecell", 5.0), Target("onecell.torch", 5.0, _LOOP)), quick=True,
    ),
    _forward("step", (1, 1, 128, 128), 3.0, torch=True, quick=True),
    _forward("step", (1, 1, 256, 256), 2.0),
    _forward("step", (1, 1, 512, 512), 1.1, quick=True),
    _forward("step", (1, 16, 256, 256), 1.3),
    _forward("step", (1, 64, 512, 512), 1.1, quick=True),
    _forward("unroll", (100, 1, 64, 64), 2.5),
    _forward("unroll", (100, 1, 128, 128), 2.5, quick=True),
    _forward("unroll", (100, 1, 256, 256), 2.0),
    _forward("unroll", (100, 1, 512, 512), 2.0),
    _forward("unroll", (100, 16, 256, 256), 1.2, quick=True),
    _forward("unroll", (50, 64, 512, 512), 1.1, of_fma=0.85),
    _train((20, 16, 128, 128), 5.0, 2.0),
    _train((50, 32, 256, 256), 2.2, 1.2),
    _train((50, 64, 512, 512), 1.3, 1.1),
    _loop((5, 3, 10, 16)),
    _loop((20, 16, 128, 128)),
    Row(
        "stream", "stream", Size(1, 1, 128, 128), ("onecell.stream", "kernel from C++"),
        (Target("onecell.stream", 0.8, ("kernel from C++",)),), quick=True,
    ),
    _frozen(512),
    _frozen(1024),
    _frozen_rows((1, 16, 512, 512)),
    _frozen_rows((1, 64, 1024, 1024)),
    _frozen_rows((50, 16, 512, 512)),
    _frozen_rows((50, 64, 512, 512)),
    _mindspore((1, 3, 10, 16), quick=True),
    _mindspore((1, 1, 256, 256), quick=False),
    Row(
        "mindspore-grad", "train", Size(1, 3, 10, 16),
        (
            "onecell.mindspore", "onecell.mindspore, launch_blocking", "mindspore.nn",
            "mindspore.nn, launch_blocking",
        ),
        (
            Target(
                "onecell.mindspore, launch_blocking", 10.0, ("mindspore.nn, launch_blocking",)
            ),
        ),
    ),
)  # fmt: skip
