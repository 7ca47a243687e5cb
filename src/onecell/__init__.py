"""One LSTM cell for every framework: the same weights, the same bits, faster.

`LSTMCell` here computes over NumPy arrays. `onecell.torch.LSTMCell` and
`onecell.mindspore.LSTMCell` are the same cell under the two frameworks' signatures; importing this
package loads neither.

The kernel picks the best instruction set of the machine; `isa` tells which, `set_isa` or the
environment variable ONECELL_ISA chooses another, with the same bits. Large calls are shared among
threads: `set_num_threads` or ONECELL_NUM_THREADS says how many at most, with the same bits too.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # as in `typing`, which takes longer to load than all of this
if TYPE_CHECKING:
    from onecell.cell import LSTMCell
    from onecell.dialect import DIALECTS, Dialect, Layout
    from onecell.errors import OnecellError
    from onecell.frozen import FrozenCell
    from onecell.gradients import Gradients
    from onecell.isas import available_isas, isa, set_isa
    from onecell.spec import Spec
    from onecell.stream import Stream
    from onecell.threads import get_num_threads, set_num_threads
    from onecell.weights import Weights

    __version__: str

__all__ = [
    "DIALECTS",
    "Dialect",
    "FrozenCell",
    "Gradients",
    "LSTMCell",
    "Layout",
    "OnecellError",
    "Spec",
    "Stream",
    "Weights",
    "available_isas",
    "get_num_threads",
    "isa",
    "set_isa",
    "set_num_threads",
]

# What only parses source, or asks for a name of one of these modules, need not wait for NumPy and
# the kernel: each name is loaded when it is first asked for.
_HOMES = {
    "DIALECTS": "dialect",
    "Dialect": "dialect",
    "FrozenCell": "frozen",
    "Gradients": "gradients",
    "LSTMCell": "cell",
    "Layout": "dialect",
    "OnecellError": "errors",
    "Spec": "spec",
    "Stream": "stream",
    "Weights": "weights",
    "available_isas": "isas",
    "get_num_threads": "threads",
    "isa": "isas",
    "set_isa": "isas",
    "set_num_threads": "threads",
}

_ON_KERNEL = ("cell", "frozen", "isas", "stream", "threads")

if not TYPE_CHECKING:  # a type checker is to know the names, not that there may be others

    def __getattr__(name: str) -> object:
        """Load what is asked for: a public name, one of their modules, or the version."""
        if name in _HOMES:
            if _HOMES[name] in _ON_KERNEL:
                _load_kernel()  # before NumPy, so that a subinterpreter is refused in plain words
            found = getattr(import_module(f"onecell.{_HOMES[name]}"), name)
        elif name == "_kernel":
            return _load_kernel()
        elif name in _HOMES.values():
            return import_module(f"onecell.{name}")
        elif name == "__version__":
            from importlib.metadata import version  # noqa: PLC0415

            found = version("onecell")
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        return sorted({*__all__, "__version__", *(n for n in globals() if n.startswith("__"))})

    def _load_kernel() -> object:
        """Load the kernel, or say which variable of the environment it cannot do as told by."""
        try:
            return import_module("onecell._kernel")
        except ImportError as error:
            if not str(error).startswith("ONECELL_"):
                raise
            from onecell.errors import ArgumentError  # noqa: PLC0415

            raise ArgumentError(str(error)) from None
