"""Whose voice it is: resemblyzer's network, three layers of LSTM, on onecell's cells.

    python speaker.py                        # of the speech that the package moonshine-voice has
    python speaker.py one.wav another.wav    # prints how alike the voices are, too

An utterance becomes spectra of 1.6 s that overlap, each spectrum an embedding of 256 numbers, and
their mean the embedding of the voice. The weights are those of the package `resemblyzer`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from network import RATE, Array, installed, read_wav

from onecell import LSTMCell
from onecell.checkpoint import find_cells, load_checkpoint

STEP, WINDOW = RATE // 100, RATE // 40
"""Samples between two columns of a spectrum, and under each of them."""
COLUMNS = 160
LOUDNESS = 10 ** (-30 / 20)
"""What is quieter on average is made so loud."""


class Speaker:
    """The network, whole utterances at once.

    Args:
        path: `pretrained.pt` of the package; nothing in it is executed.
    """

    def __init__(self, path: str | Path) -> None:
        tensors = load_checkpoint(path).tensors
        sites = sorted(find_cells(tensors, "torch"), key=lambda site: site.layer or 0)
        self.cells = [LSTMCell.from_weights(site.weights(tensors, "torch")) for site in sites]
        (start,) = {site.prefix.removesuffix("lstm.") for site in sites}
        self._weight = tensors[f"{start}linear.weight"]
        self._bias = tensors[f"{start}linear.bias"]
        self._filters = filters(self.cells[0].input_size)

    def spectra(self, samples: Array) -> Array:
        """Return (count, columns, channels) of an utterance."""
        loud = float(np.sqrt(np.mean(samples**2)))
        samples = samples * max(1, LOUDNESS / max(loud, 1e-9))
        step = round(RATE / 1.3 / STEP)
        columns = len(samples) // STEP + 1
        starts = range(0, max(1, columns - COLUMNS + step + 1), step)
        if len(starts) > 1 and len(samples) / STEP - starts[-1] < 0.75 * COLUMNS:
            starts = starts[:-1]
        missing = max(0, (starts[-1] + COLUMNS) * STEP - len(samples))
        whole = mel(np.pad(samples, (0, missing)), self._filters)
        return np.stack([whole[start : start + COLUMNS] for start in starts])

    def __call__(self, spectra: Array) -> Array:
        """Return an embedding of length 1 of each spectrum, (count, features)."""
        h_all = np.ascontiguousarray(spectra.swapaxes(0, 1))
        for cell in self.cells:
            h_all, (h, _) = cell.unroll(h_all)
        found = np.maximum(h @ self._weight.T + self._bias, 0)
        return unit(found)

    def voice(self, samples: Array) -> Array:
        """Return the embedding of whoever speaks."""
        return unit(self(self.spectra(samples)).mean(axis=0))


def unit(rows: Array) -> Array:
    """Return rows of length 1."""
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True))


def mel(samples: Array, banks: Array) -> Array:
    """Return the power in each bank of filters, (columns, channels), every hundredth second."""
    padded = np.pad(samples, WINDOW // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::STEP]
    weighted = windows * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW))
    power = np.abs(np.fft.rfft(weighted)) ** 2
    return (power @ banks.T).astype(np.float32)


def filters(channels: int) -> Array:
    """Return triangles of area 1 over frequencies, (channels, bins), after Slaney.

    Their corners lie evenly in mel: straight up to 1 kHz, 200/3 Hz each, logarithmic above.
    """
    top = 15 + 27 * np.log(RATE / 2 / 1000) / np.log(6.4)
    mels = np.linspace(0, top, channels + 2)
    corners = np.where(mels < 15, mels * 200 / 3, 1000 * 6.4 ** ((mels - 15) / 27))
    bins = np.fft.rfftfreq(WINDOW, 1 / RATE)
    rise, fall = (
        (bins - corners[:-2, None]) / np.diff(corners[:-1])[:, None],
        (corners[2:, None] - bins) / np.diff(corners[1:])[:, None],
    )
    area = (corners[2:] - corners[:-2])[:, None] / 2
    return np.asarray(np.maximum(0, np.minimum(rise, fall)) / area)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print how alike the voices of the files are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("speech", nargs="*", help="WAVs of 16 kHz, one channel, 16 bits")
    parser.add_argument("--model", help="default: the file that the package has")
    options = parser.parse_args(arguments)
    speaker = Speaker(options.model or installed("resemblyzer", "pretrained.pt"))
    files = options.speech or [installed("moonshine_voice", "assets/beckett.wav")]
    voices = [speaker.voice(read_wav(file)) for file in files]
    for file, voice in zip(files, voices, strict=True):
        print(f"{Path(file).name}: {len(voice)} features, {np.count_nonzero(voice)} not zero")
    for (one, first), (other, second) in pairwise(zip(files, voices, strict=True)):
        print(f"{Path(one).name}, {Path(other).name}: alike {first @ second:.2f}")


if __name__ == "__main__":
    main()
