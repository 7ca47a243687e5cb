"""The speech example: small networks of the same form, and the packages' own networks."""

from __future__ import annotations

import importlib
import sys
import types
import warnings
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import onecell.torch
from onecell.checkpoint import save_checkpoint

VAD = Path(__file__).parents[2] / "examples" / "vad"
LARGEST = 3e-6
"""Of two float32 sums of some hundred terms, after a sigmoid or of a row of length 1."""


@pytest.fixture(scope="module", autouse=True)
def _path() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(VAD)
        yield


def module(name: str) -> Any:
    return importlib.import_module(name)


def draw(rng: np.random.Generator, *shape: int) -> np.ndarray:
    scale = 2 / np.sqrt(np.prod(shape[1:]))
    return np.asarray(scale * rng.standard_normal(shape), np.float32)


def small_network() -> dict[str, np.ndarray]:
    """Return silero's network of window 16, and 6 units after channels of 9, 5, 4, 3 and 7."""
    rng = np.random.default_rng(5)
    torch.manual_seed(5)
    tensors = {"stft.basis": draw(rng, 18, 1, 16)}
    for index, (before, after) in enumerate([(9, 5), (5, 4), (4, 3), (3, 7)]):
        tensors[f"conv{index}.weight"] = draw(rng, after, before, 3)
        tensors[f"conv{index}.bias"] = draw(rng, after)
    cell = torch.nn.LSTMCell(7, 6).state_dict()
    tensors |= {f"cell.{name}": tensor.numpy() for name, tensor in cell.items()}
    return tensors | {"last.weight": draw(rng, 1, 6, 1), "last.bias": draw(rng, 1)}


def by_torch(tensors: dict[str, np.ndarray], blocks: np.ndarray) -> list[float]:
    """Return what torch's own operators make of it, frame after frame."""
    named = {name: torch.from_numpy(array) for name, array in tensors.items()}
    cell = torch.nn.LSTMCell(7, 6)
    cell.load_state_dict({n: named[f"cell.{n}"] for n in cell.state_dict()})
    state = torch.zeros(1, 6), torch.zeros(1, 6)
    before, found = torch.zeros(4), []
    for block in torch.from_numpy(blocks):
        samples = torch.cat([before, block])[None, None]
        before = block[-4:]
        padded = torch.nn.functional.pad(samples, (0, 4), mode="reflect")
        x = torch.nn.functional.conv1d(padded, named["stft.basis"], stride=8)
        x = (x[:, :9] ** 2 + x[:, 9:] ** 2).sqrt()
        for index, stride in enumerate((1, 2, 2, 1)):
            weight, bias = named[f"conv{index}.weight"], named[f"conv{index}.bias"]
            x = torch.relu(torch.nn.functional.conv1d(x, weight, bias, stride, padding=1))
        state = cell(x[:, :, 0], state)
        last = torch.relu(state[0]) @ named["last.weight"][0] + named["last.bias"]
        found.append(float(torch.sigmoid(last).item()))
    return found


def test_a_small_network_gives_the_probabilities_that_torch_gives(tmp_path: Path) -> None:
    tensors = small_network()
    save_checkpoint(tmp_path / "a.safetensors", {f"one.{n}": a for n, a in tensors.items()})
    vad = module("network").Vad(tmp_path / "a.safetensors", "one.")
    blocks = np.random.default_rng(6).standard_normal((9, vad.frame)).astype(np.float32)
    with torch.inference_mode():
        want = by_torch(tensors, blocks)
    np.testing.assert_allclose([vad(block) for block in blocks], want, atol=LARGEST)
    assert np.ptp(want) > 0.01  # a network that heeds nothing would agree too


def test_a_frame_of_another_size_is_refused(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a.safetensors", small_network())
    with pytest.raises(ValueError, match="32 samples"):
        module("network").Vad(tmp_path / "a.safetensors")(np.zeros(31, np.float32))


def write_wav(path: Path, samples: np.ndarray, rate: int = 16_000) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((samples * 32768).astype("<i2").tobytes())
    return path


def test_a_wav_is_read_as_numbers_and_one_of_another_rate_is_refused(tmp_path: Path) -> None:
    samples = np.array([0, 0.5, -1, 0.25], np.float32)
    network = module("network")
    assert network.read_wav(write_wav(tmp_path / "a.wav", samples)).tolist() == samples.tolist()
    with pytest.raises(SystemExit, match=r"8000 samples a second.*-r 16000"):
        network.read_wav(write_wav(tmp_path / "b.wav", samples, 8000))
    assert network.frames(samples, 3).tolist() == [[0, 0.5, -1], [0.25, 0, 0]]


def small_speaker(path: Path) -> torch.nn.LSTM:
    """Write resemblyzer's network with 12 channels, 6 units and 5 features; return its LSTM."""
    torch.manual_seed(5)
    lstm, linear = torch.nn.LSTM(12, 6, 3, batch_first=True), torch.nn.Linear(6, 5)
    state = {f"lstm.{n}": t for n, t in lstm.state_dict().items()}
    state |= {"linear.weight": linear.weight.data, "linear.bias": linear.bias.data}
    torch.save({"step": 3, "model_state": state}, path)
    return lstm


def test_a_small_speaker_network_gives_the_embeddings_that_torch_gives(tmp_path: Path) -> None:
    lstm = small_speaker(tmp_path / "a.pt")
    speaker = module("speaker").Speaker(tmp_path / "a.pt")
    spectra = speaker.spectra(np.random.default_rng(7).standard_normal(40_000).astype(np.float32))
    assert spectra.shape == (2, 160, 12)
    with torch.inference_mode():
        _, (h, _) = lstm(torch.from_numpy(spectra))
    found = np.maximum(h[-1].numpy() @ speaker._weight.T + speaker._bias, 0)
    np.testing.assert_allclose(speaker(spectra) * np.linalg.norm(found, axis=1)[:, None], found,
                               atol=LARGEST)  # fmt: skip


@pytest.fixture
def speech() -> Path:
    """Ten seconds of somebody speaking."""
    path: Path = module("network").installed("moonshine_voice", "assets/beckett.wav")
    return path


@pytest.mark.slow
def test_silero_hears_the_same_by_its_own_runtimes(
    speech: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    program, network = module("vad"), module("network")
    model = network.installed("silero_vad", "data/silero_vad_16k_sequence.onnx")
    vad = network.Vad(model)
    blocks = network.frames(network.read_wav(speech), vad.frame)
    threads = torch.get_num_threads()
    try:
        found = program.probabilities({"ours": vad, **program.own_runtimes()}, blocks)
        ours, *others = found.values()
        assert len(others) == 2
        assert 0.3 < np.mean(ours > 0.5) < 0.6  # somebody speaks, and not all the time
        for each in others:
            np.testing.assert_allclose(ours, each, atol=LARGEST)

        picture = tmp_path / "a.svg"
        monkeypatch.setattr(sys, "argv", ["vad.py", "--picture", str(picture), "--steps", "3"])
        program.main()
    finally:
        torch.set_num_threads(threads)
    assert "largest difference from its TorchScript" in capsys.readouterr().out
    assert picture.read_text().count("<path") > 10


@pytest.mark.slow
def test_a_file_of_silero_with_older_weights_is_seen(speech: Path) -> None:
    """The package's safetensors file is of an earlier release than its programs."""
    program, network = module("vad"), module("network")
    vad = network.Vad(network.installed("silero_vad", "data/silero_vad_16k.safetensors"))
    blocks = network.frames(network.read_wav(speech), vad.frame)
    threads = torch.get_num_threads()
    try:
        found = program.probabilities({"ours": vad, **program.own_runtimes()}, blocks)
    finally:
        torch.set_num_threads(threads)
    ours, *others = found.values()
    assert all(np.abs(ours - each).max() > 0.1 for each in others)


@pytest.mark.slow
def test_resemblyzer_knows_the_same_voice(speech: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network, speaker = module("network"), module("speaker")
    path = network.installed("resemblyzer", "pretrained.pt")
    ours = speaker.Speaker(path)
    samples = network.read_wav(speech)
    spectra = ours.spectra(samples)
    for name in ("librosa", "webrtcvad"):  # for sounds alone, and heavy
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        encoder = importlib.import_module("resemblyzer").VoiceEncoder("cpu", verbose=False)
    with torch.inference_mode():
        want = encoder(torch.from_numpy(spectra)).numpy()
        encoder.lstm = onecell.torch.LSTM.from_torch(encoder.lstm)
        inside = encoder(torch.from_numpy(spectra)).numpy()
    np.testing.assert_allclose(ours(spectra), want, atol=LARGEST)
    np.testing.assert_allclose(inside, want, atol=LARGEST)
    halves = [ours.voice(half) for half in np.array_split(samples, 2)]
    assert halves[0] @ halves[1] > 0.7  # one person
