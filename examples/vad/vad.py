"""Who speaks when: silero-vad's network on onecell's cell, beside the package's own runtimes.

    python vad.py                       # ten seconds of speech that the package moonshine-voice has
    python vad.py speech.wav --picture vad.png

Prints the largest difference of the probabilities and what a frame and a step take; writes a
picture of the speech and of both probabilities, one over the other.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable, Mapping

import numpy as np
import torch
from network import RATE, Array, Vad, frames, installed, read_wav

Detector = Callable[[Array], float]


def own_runtimes() -> dict[str, Detector]:
    """Return what the package itself computes: its TorchScript program, and its ONNX graph."""
    from silero_vad import load_silero_vad  # noqa: PLC0415 - it takes a second

    def detector(onnx: bool) -> Detector:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # TorchScript is deprecated, and says so
            model = load_silero_vad(onnx=onnx)
        return lambda frame: float(model(torch.from_numpy(frame), RATE))

    return {"its TorchScript": detector(onnx=False), "its ONNX": detector(onnx=True)}


def probabilities(detectors: Mapping[str, Detector], blocks: Array) -> dict[str, Array]:
    """Return the probability of every frame, by every detector."""
    with torch.inference_mode():
        return {name: np.array([run(b) for b in blocks]) for name, run in detectors.items()}


def medians(runs: Mapping[str, Callable[[int], object]], count: int) -> dict[str, float]:
    """Return microseconds a call, of calls that take turns so that each meets the same machine."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    with torch.inference_mode():
        for index in range(count):
            for name, run in runs.items():
                start = time.perf_counter()
                run(index)
                taken[name].append(1e6 * (time.perf_counter() - start))
    return {name: statistics.median(each) for name, each in taken.items()}


def step_times(vad: Vad, xs: Array, count: int) -> dict[str, float]:
    """Return microseconds a step of the cell alone: our stream, and torch's cell."""
    stream = vad.cell.stream(None)
    cell = torch.nn.LSTMCell(vad.cell.input_size, vad.cell.hidden_size)
    cell.load_state_dict({n: torch.from_numpy(a) for n, a in vad.cell.weights.arrays().items()})
    inputs = torch.from_numpy(xs)
    state = [torch.zeros(1, cell.hidden_size)] * 2

    def torchs(index: int) -> None:
        state[:] = cell(inputs[index % len(xs)][None], tuple(state))

    return medians(
        {
            "onecell's stream": lambda index: stream.step(xs[index % len(xs)]),
            "torch.nn.LSTMCell": torchs,
        },
        count,
    )


def table(times: Mapping[str, float]) -> str:
    """Return one line each, in microseconds and as a multiple of the first."""
    first = next(iter(times.values()))
    return "\n".join(f"  {n:20} {t:7.1f} us {t / first:7.2f}" for n, t in times.items())


def draw(path: str, samples: Array, found: Mapping[str, Array], size: int) -> None:
    """Write a picture: the speech above, and the probabilities below, one over the other."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - it takes a second

    figure = Figure((10, 4.5), layout="constrained")
    speech, below = figure.subplots(2, sharex=True)
    speech.plot(np.arange(len(samples)) / RATE, samples, color="0.45", linewidth=0.5)
    speech.set_ylabel("speech")
    widths = 1.2, 4.0, 8.0  # so that each shows beside the one before
    for (name, each), width in zip(found.items(), widths, strict=True):
        below.step(
            (np.arange(len(each)) + 1) * size / RATE,
            each,
            label=name,
            linewidth=width,
            alpha=1.2 / width,
        )
    below.set(xlabel="seconds", ylabel="probability", ylim=(-0.03, 1.03))
    below.legend(loc="lower center", ncols=3)
    figure.savefig(path, dpi=120)


def main() -> None:
    """Compare on the speech that the command line names."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("speech", nargs="?", help="a WAV of 16 kHz, one channel, 16 bits")
    arguments.add_argument("--model", help="default: the file that the package has")
    arguments.add_argument("--prefix", default="", help="of the tensors' names in it")
    arguments.add_argument("--picture", default="vad.png", help="PNG or SVG")
    arguments.add_argument("--steps", type=int, default=2000, help="how many to time")
    options = arguments.parse_args()
    torch.set_num_threads(1)  # as the package does
    model = options.model or installed("silero_vad", "data/silero_vad_16k_sequence.onnx")
    samples = read_wav(options.speech or installed("moonshine_voice", "assets/beckett.wav"))
    vad = Vad(model, options.prefix)
    blocks = frames(samples, vad.frame)
    found = probabilities({"onecell": vad, **own_runtimes()}, blocks)
    ours, *others = found.values()
    seconds = len(samples) / RATE
    print(f"{seconds:.1f} s in {len(blocks)} frames, speech in {np.mean(ours > 0.5):.0%} of them")
    for name, each in zip(list(found)[1:], others, strict=True):
        print(f"  largest difference from {name:16} {np.abs(ours - each).max():.1e}")

    detectors = {"onecell": Vad(model, options.prefix), **own_runtimes()}
    whole = {n: lambda i, d=d: d(blocks[i % len(blocks)]) for n, d in detectors.items()}
    print(f"a frame of {vad.frame} samples\n{table(medians(whole, options.steps))}")
    xs = np.stack([vad.features(block) for block in blocks])
    print(f"a step of the cell alone\n{table(step_times(vad, xs, options.steps))}")
    draw(options.picture, samples, found, vad.frame)
    print(options.picture)


if __name__ == "__main__":
    main()
