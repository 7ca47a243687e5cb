"""Programs save and load in MindSpore what they do in torch, and what torch has saved for them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import mindspore as ms
import numpy as np
import pytest
import torch

import onecell.mindspore  # noqa: F401 - past MindSpore's first operator
from migrate.execution import load_module
from onecell.migrate import Target
from onecell.project import ProjectPort, carry_out_project, plan_project
from onecell.verify.plan import plan_port
from onecell.verify.port import carry_out

IDIOMS = Path(__file__).with_name("idioms.txt")
WORDS = np.array([1, 5])
STATE = np.random.default_rng(0).standard_normal((2, 2, 4)).astype(np.float32)
MEMORY = ("resumed", "momentum", "squares", "sums")
"""Loads that give back an optimizer too."""


def found(value: Any, module: ModuleType, tensor: Any) -> list[Any]:
    """Return what a load has given: arrays, plain values, and the outputs of models."""
    if isinstance(value, (list, tuple)):
        return [each for part in value for each in found(part, module, tensor)]
    if hasattr(value, "param_groups"):
        return []
    if value is None or isinstance(value, (int, float, str)):
        return [value]
    if isinstance(value, torch.nn.Module | ms.nn.Cell):
        return found(module.outputs(value, tensor(WORDS), *map(tensor, STATE)), module, tensor)
    return [value.detach().numpy() if isinstance(value, torch.Tensor) else value.asnumpy()]


def loads(module: ModuleType, tensor: Any) -> dict[str, list[Any]]:
    """Return what each load of the program gives."""
    names = [n for n in vars(module) if n.startswith("load_")]
    names = [n for n in names if n not in ("load_nested", "load_optimizer")]
    return {n: found(getattr(module, n)(), module, tensor) for n in names}


def save_all(module: ModuleType, model: Any, optimizer: Any) -> None:
    for name, save in list(vars(module).items()):
        if name.startswith("save_") and name not in ("save_checkpoint", "save_nested"):
            save(model, optimizer)


def losses(module: ModuleType, kind: str, tensor: Any) -> list[float]:
    """Return the losses of a training that is gone on with."""
    model, optimizer, *_ = getattr(module, f"load_{kind}")()
    state = [tensor(each) for each in STATE]
    steps = 4 if kind == "momentum" else 10  # with momentum it moves on until nothing is finite
    found = (module.train(model, optimizer, tensor(WORDS), *state) for _ in range(steps))
    return [float(loss.detach() if hasattr(loss, "detach") else loss) for loss in found]


class Ported:
    """The program in both frameworks, and what torch's has loaded."""

    def __init__(self, folder: Path, target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
        before, self.folder = folder / "before", folder / "after"
        before.mkdir()
        shutil.copy(IDIOMS, before / "idioms.py")
        monkeypatch.chdir(before)
        torch.manual_seed(3)
        module = load_module(IDIOMS.read_text())
        model, optimizer = module.build()
        for _ in range(3):
            module.train(model, optimizer, torch.tensor(WORDS), *map(torch.tensor, STATE))
        save_all(module, model, optimizer)
        self.want = loads(module, torch.tensor)
        self.losses = {kind: losses(module, kind, torch.tensor) for kind in MEMORY}
        plan = plan_project([before], "mindspore", self.folder, sides=["arrays"], target=target)
        self.port: ProjectPort = carry_out_project(plan, rollout_steps=2)
        monkeypatch.chdir(self.folder)
        self.module = load_module((self.folder / "idioms.py").read_text())

    def check(self) -> None:
        got = loads(self.module, ms.Tensor)
        assert got.keys() == self.want.keys()
        assert not {n: (got[n], want) for n, want in self.want.items() if not same(got[n], want)}

    def check_training(self) -> None:
        for kind, want in self.losses.items():
            assert losses(self.module, kind, ms.Tensor) == pytest.approx(want, rel=2e-4), kind


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as found:
        yield found


@pytest.fixture(scope="module")
def ported(tmp_path_factory: pytest.TempPathFactory, patch: pytest.MonkeyPatch) -> Ported:
    return Ported(tmp_path_factory.mktemp("saves"), "native", patch)


def same(got: list[Any], want: list[Any]) -> bool:
    if len(got) != len(want):
        return False
    return all(_same(*pair) for pair in zip(got, want, strict=True))


def _same(got: Any, want: Any) -> bool:
    if isinstance(want, np.ndarray):
        return got.dtype == want.dtype and np.allclose(got, want, rtol=0, atol=2e-5)
    return type(got) is type(want) and got == want


def test_nothing_is_left_by_hand(ported: Ported) -> None:
    assert ported.port.left == 0
    assert not ported.port.remaining
    assert len(ported.want) >= 21


def test_what_torch_has_saved_is_loaded(ported: Ported) -> None:
    ported.check()


def test_a_training_that_torch_began_goes_on(ported: Ported) -> None:
    ported.check_training()


def test_what_it_saves_itself_is_loaded(ported: Ported) -> None:
    model, optimizer, _ = ported.module.load_resumed()
    momentum = ported.module.load_momentum()[:2]
    for path in ported.folder.iterdir():
        if path.suffix != ".py":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    save_all(ported.module, model, optimizer)
    saved: Mapping[str, Any] = {
        "net": momentum[0].state_dict(),
        "optim_state": ported.module.optimizer_state(momentum[1]),
    }
    ported.module.save_nested(saved, "momentum.ckpt")
    ported.check()
    ported.check_training()


def test_a_file_that_only_names_a_checkpoint_names_the_ported_one(tmp_path: Path) -> None:
    before = tmp_path / "before"
    before.mkdir()
    (before / "options.py").write_text('CHECKPOINT = "runs/best.pth.tar"\nURL = "http://a/b.pt"\n')
    (before / "main.py").write_text(
        "import torch\nfrom options import CHECKPOINT\n\ncell = torch.nn.LSTMCell(3, 4)\n"
        'cell.load_state_dict(torch.load(CHECKPOINT)["cell"])\n'
    )
    plan = plan_project([before], "mindspore", tmp_path / "after", sides=["arrays"])
    carry_out_project(plan, rollout_steps=2)
    found = (tmp_path / "after" / "options.py").read_text()
    assert found == 'CHECKPOINT = "runs/best.ckpt"\nURL = "http://a/b.pt"\n'


BACK = """\
import mindspore as ms
from mindspore import nn


def build():
    return nn.LSTMCell(3, 4)


def save(net: nn.LSTMCell):
    ms.save_checkpoint(net, "net.ckpt")
    ms.save_checkpoint(net, "more.ckpt", append_dict={"epoch": 3})


def load():
    net, other = build(), build()
    ms.load_checkpoint("net.ckpt", net)
    found = ms.load_checkpoint("more.ckpt")
    missing, unused = ms.load_param_into_net(other, found)
    return net, other, int(found["epoch"]), sorted(unused), missing
"""


def test_a_program_of_mindspore_loads_in_torch_what_it_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    (before / "program.py").write_text(BACK)
    monkeypatch.chdir(before)
    module = load_module(BACK)
    module.save(module.build())
    want = module.load()
    plan = plan_project([before], "torch", after, sides=["arrays"], target="native")
    assert carry_out_project(plan, rollout_steps=2).left == 0
    monkeypatch.chdir(after)
    ported = load_module((after / "program.py").read_text())
    for _ in range(2):
        got = ported.load()
        assert got[2:4] == want[2:4] == (3, ["epoch"])
        assert list(got[4]) == list(want[4]) == []
        for net, other in zip(got[:2], want[:2], strict=True):
            new, old = net.state_dict(), other.parameters_dict()
            assert new.keys() == old.keys()
            assert all(np.array_equal(new[n].numpy(), old[n].asnumpy()) for n in new)
        ported.save(got[0])


def test_an_optimizer_without_what_was_dropped_begins_anew(ported: Ported, tmp_path: Path) -> None:
    """`--drop opt` leaves the groups of parameters, and nothing in them."""
    source = ported.folder.parent / "before" / "sums.pt"
    plan = plan_port(source, "mindspore", tmp_path, sides=["arrays"], drop=["optimizer"])
    carry_out(plan, rollout_steps=2)
    saved = ported.module.load_nested(str(tmp_path / "sums.ckpt"))
    _, optimizer = ported.module.build_sums()
    ported.module.load_optimizer(optimizer, saved["optimizer"])
    _, new = ported.module.build_sums()
    for got, want in zip(optimizer.accum, new.accum, strict=True):
        assert np.array_equal(got.asnumpy(), want.asnumpy())
    assert float(optimizer.param_groups[0]["lr"]) == pytest.approx(0.05)
