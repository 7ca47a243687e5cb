"""`LSTM` for MindSpore: its own, with the kernel for the operator of a layer."""

from __future__ import annotations

from typing import Any

from mindspore import Tensor, nn

from onecell.mindspore import calls, graph, plain, routes


class LSTM(nn.LSTM):
    """Layers of a long short-term memory, a drop-in for `mindspore.nn.LSTM` on onecell's kernel.

    Constructor, parameters, their names and fresh values, checkpoints, calls and argument checks
    are those of `mindspore.nn.LSTM`, whose subclass this is and whose `construct` runs but for its
    operator: layers, both directions, `batch_first` and dropout. On float32 CPU tensors the kernel
    computes, eager, recording a gradient, in `jit` and in graph mode, to the bits of stepping
    `onecell.mindspore.LSTMCell` layer by layer. Elsewhere MindSpore's own operators do: with
    `seq_length`, on other devices and element types, on sizes that are dynamic, in exported files.

    Example:
        >>> lstm = LSTM(10, 16, 2, batch_first=True)
        >>> h_all, (h, c) = lstm(mindspore.ops.ones((3, 5, 10)))
        >>> h_all.shape, h.shape
        ((3, 5, 16), (2, 3, 16))
    """

    rnn: nn.Cell

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - MindSpore's own
        super().__init__(*args, **kwargs)
        self.rnn = _Layer(self.rnn)


class _Layer(nn.Cell):
    """One direction of one layer, called as the cell of MindSpore's in whose place it stands."""

    def __init__(self, own: nn.Cell) -> None:
        super().__init__()
        self.own = own
        self.on_kernel = plain.on_cpu()

    def __call__(self, *args: Any) -> Any:  # noqa: ANN401 - as `construct`
        """Compute as `construct` does, at once where nothing stands between."""
        x, (h_0, c_0), lengths, *weights = args
        if self.on_kernel and self.mixed_precision_type is not None:
            # Set by `to_float` or amp, around this one: operators must see what to cast.
            self.on_kernel = False
        if self.on_kernel and lengths is None and plain.is_eager() and plain.is_plain(self):
            found = routes.run_layer(x, h_0, c_0, [each for each in weights if each is not None])
            if found is not None:
                return found[0], found[1:]
        if plain.is_eager():
            calls.check_made([x, h_0, c_0])
        return super().__call__(*args)

    def construct(
        self,
        x: Tensor,
        h_0: tuple[Tensor, Tensor],
        seq_length: Tensor | None,
        w_ih: Tensor,
        w_hh: Tensor,
        b_ih: Tensor | None,
        b_hh: Tensor | None,
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return (h_all, (h, c)) for x (T, N, I) and a state of (N, H) each."""
        weights: tuple[Tensor, ...] = (w_ih, w_hh)
        if b_ih is not None:
            weights = (w_ih, w_hh, b_ih, b_hh)
        if seq_length is None and self.on_kernel and graph.takes(x, h_0[0], h_0[1], weights):
            sizes = (w_ih.shape[1], w_hh.shape[1])
            return graph.unroll(x, h_0, None, weights, sizes, True)
        done: tuple[Tensor, tuple[Tensor, Tensor]] = self.own(
            x, h_0, seq_length, w_ih, w_hh, b_ih, b_hh
        )
        return done
