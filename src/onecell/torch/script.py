"""What torch.jit.script compiles in place of the cell's Python."""

from __future__ import annotations

import torch
from torch import Tensor


def step(
    x: Tensor,
    hx: tuple[Tensor, Tensor] | None,
    c_0: Tensor | None,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None,
    bias_hh: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """Compute one step by torch's operator; arguments as `LSTMCell.forward`, `c_0` left out."""
    if c_0 is not None:
        raise RuntimeError("under torch.jit.script, `hx` must be the pair (h, c), without `c_0`.")
    batch = x if x.dim() == 2 else x.unsqueeze(0)
    if hx is None:
        h = torch.zeros(batch.size(0), weight_hh.size(1), dtype=x.dtype, device=x.device)
        c = h
    else:
        h, c = hx
        if h.dim() != x.dim() or c.dim() != x.dim():
            raise RuntimeError("`h` and `c` must have as many dimensions as `input`.")
        if x.dim() == 1:
            h, c = h.unsqueeze(0), c.unsqueeze(0)
    h_next, c_next = torch.lstm_cell(batch, (h, c), weight_ih, weight_hh, bias_ih, bias_hh)
    if x.dim() == 1:
        return h_next.squeeze(0), c_next.squeeze(0)
    return h_next, c_next
