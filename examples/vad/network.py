"""Silero's voice activity detector on onecell's cell: NumPy around one live stream.

A frame of speech goes through a Fourier transform, four convolutions and one LSTM cell; out comes
the probability that somebody speaks. The weights are those of the package `silero-vad`.
"""

from __future__ import annotations

import wave
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onecell import LSTMCell
from onecell.checkpoint import find_cells, load_checkpoint

Array = npt.NDArray[Any]

RATE = 16_000
"""Samples a second that the network knows."""


class Vad:
    """The network and its state, fed one frame at a time.

    Args:
        path: a file of the package with the network's tensors.
        prefix: what their names begin with, where the file has other networks too.
    """

    def __init__(self, path: str | Path, prefix: str = "") -> None:
        file = load_checkpoint(path)
        tensors = {n: a for n, a in file.tensors.items() if n.startswith(prefix)}
        dialect = file.dialect or "torch"
        (site,) = find_cells(tensors, dialect)  # the only one
        self.cell = LSTMCell.from_weights(site.weights(tensors, dialect))
        self._stream = self.cell.stream(None)

        # Each file of the package has other names for the rest, and the same order.
        cell = set(site.names(dialect).values())
        basis, *encoder, weight, bias = (a for n, a in tensors.items() if n not in cell)
        bins, _, self._window = basis.shape
        self._basis = basis.reshape(bins, self._window)
        self._hop = self._window // 2
        self.frame = 4 * self._hop
        """Samples of a frame: the window stands at four places."""
        self._before = np.zeros(self._hop // 2, np.float32)

        places, self._convolutions = 4, []
        for index, stride in enumerate((1, 2, 2, 1)):
            kernel, offsets = encoder[2 * index : 2 * index + 2]
            convolution = Convolution(kernel, offsets, places, stride)
            places = convolution.places
            self._convolutions.append(convolution)
        self._last = weight.reshape(-1), float(bias[0])

    def features(self, frame: Array) -> Array:
        """Return what the cell is given of a frame, (input_size,), and remember its end."""
        if frame.shape != (self.frame,):
            raise ValueError(f"a frame must have {self.frame} samples, got {frame.shape}")
        mirrored = frame[-2 : -2 - self._hop // 2 : -1]
        samples = np.concatenate([self._before, frame, mirrored])
        self._before = frame[-len(self._before) :].copy()
        windows = np.lib.stride_tricks.sliding_window_view(samples, self._window)[:: self._hop]
        real, imaginary = np.split(self._basis @ windows.T, 2)
        values = np.sqrt(real * real + imaginary * imaginary)
        for convolution in self._convolutions:
            values = convolution(values)
        return np.ascontiguousarray(values[:, 0])

    def __call__(self, frame: Array) -> float:
        """Return the probability that somebody speaks in a frame."""
        h = self._stream.step(self.features(frame))
        weight, bias = self._last
        return float(1 / (1 + np.exp(-(np.maximum(h, 0) @ weight + bias))))


class Convolution:
    """A convolution over three neighbours, zeros beyond the ends, and what is negative cut off."""

    def __init__(self, weight: Array, bias: Array, places: int, stride: int) -> None:
        self._weight = weight.reshape(len(weight), -1)
        self._bias = bias[:, None]
        self.places = (places - 1) // stride + 1
        """How many it leaves of the `places` that there were."""
        self._taps = np.arange(3)[:, None] + stride * np.arange(self.places)
        self._padded = np.zeros((weight.shape[1], places + 2), np.float32)

    def __call__(self, values: Array) -> Array:
        """Return (channels, places)."""
        self._padded[:, 1:-1] = values
        taps = self._padded[:, self._taps].reshape(-1, self.places)
        return np.maximum(self._weight @ taps + self._bias, 0)


def read_wav(path: str | Path) -> Array:
    """Return the samples of a WAV file, -1 to 1."""
    with wave.open(str(path), "rb") as file:
        form = (file.getframerate(), file.getnchannels(), file.getsampwidth())
        if form != (RATE, 1, 2):
            raise SystemExit(
                f"{path} has {form[0]} samples a second, {form[1]} channels and {form[2]} bytes a "
                f"sample; make it plain: sox IN.wav -r {RATE} -c 1 -b 16 OUT.wav"
            )
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return samples.astype(np.float32) / 32768


def frames(samples: Array, size: int) -> Array:
    """Return whole frames, (count, size); the last one is filled up with zeros."""
    return np.pad(samples, (0, -len(samples) % size)).reshape(-1, size)


def installed(package: str, path: str) -> Path:
    """Return a file of an installed package, which is not imported."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{package} is not installed: pip install '.[examples]'")
    return Path(spec.origin).parent / path
