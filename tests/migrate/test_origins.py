"""A training step that reads what a module may have computed before it is left in torch."""

from __future__ import annotations

import pytest

from onecell.migrate import Outcome, rewrite

HEAD = """import functools
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn import LSTMCell

encoder = nn.Linear(3, 4)
head = nn.Linear(4, 2)


"""
STEP = """    optimizer.zero_grad()
    loss = F.mse_loss(head(features), wanted)
    loss.backward()
    optimizer.step()
"""
FUNCTION = f"def step(features, wanted, optimizer):\n{STEP}\n\n"
LOOP = f"for wanted in y:\n{STEP}"
INNER = STEP.replace("    ", "        ")
METHOD = f"class Trainer:\n    def step(self, features, wanted, optimizer):\n{INNER}\n\n"

CARRIES = {
    "argument": FUNCTION + "step(encoder(x), y, optimizer)\n",
    "keyword": FUNCTION + "z = torch.relu(encoder(x))\nstep(wanted=y, features=z, optimizer=o)\n",
    "one of several calls": FUNCTION + "step(x, y, optimizer)\nstep(encoder(x), y, optimizer)\n",
    "star": FUNCTION + "step(*[encoder(x), y], optimizer)\n",
    "partial": FUNCTION + "functools.partial(step, encoder(x))(y, optimizer)\n",
    "argument of a method": METHOD + "Trainer().step(encoder(x), y, optimizer)\n",
    "block around": f"features = torch.relu(encoder(x))\n{LOOP}",
    "augmented": f"features = x\nfeatures += encoder(x)\n{LOOP}",
    "list": f"features = []\nfeatures.append(encoder(x))\n{LOOP}",
    "item": f"features = {{}}\nfeatures[0] = encoder(x)\n{LOOP}",
    "function": f"def encode(x):\n    return encoder(x)\n\n\nfeatures = encode(x)\n{LOOP}",
    "unknown callable": "def run(encode, x, y, optimizer):\n    features = encode(x)\n"
    f"    for wanted in y:\n{INNER}",
    "another file's function": f"from a import run\n\nfeatures = run(encoder, x)\n{LOOP}",
    "loop": f"for features in [encoder(a) for a in x]:\n{STEP}",
    "closure": "z = encoder(x)\n\n\ndef step(wanted, optimizer):\n    features = torch.relu(z)\n"
    + STEP,
    "attribute": "class Trainer:\n    def encode(self, x):\n        self.features = encoder(x)\n\n"
    "    def step(self, wanted, optimizer):\n" + INNER.replace("features", "self.features"),
}
FREE = {
    "data": FUNCTION + "step(x, y, optimizer)\n",
    "detached": FUNCTION + "step(encoder(x).detach(), y, optimizer)\n",
    "another argument": FUNCTION.replace("(features", "(other, features", 1)
    + "step(encoder(x), x, y, optimizer)\n",
    "argument of a method": METHOD + "Trainer().step(x, y, optimizer)\n",
    "no_grad": f"with torch.no_grad():\n    features = torch.relu(encoder(x))\n{LOOP}",
    "no_grad function": "@torch.no_grad()\ndef encode(x):\n    return encoder(x)\n\n\n"
    f"features = encode(x)\n{LOOP}",
    "another file's data": f"from a import load\n\nfeatures = load('b')\n{LOOP}",
    "inside": f"for wanted in y:\n    features = encoder(x)\n{STEP}",
}


@pytest.mark.parametrize("program", CARRIES.values(), ids=[*CARRIES])
def test_a_gradient_from_before_the_step_is_never_lost(program: str) -> None:
    done = rewrite(HEAD + program, to="mindspore")
    (left,) = [f for f in done.findings if "may be computed by a module" in f.message]
    assert (left.rule, left.outcome) == ("training_step", Outcome.MARKED)
    assert left.by_hand
    assert "loss.backward()" in done.after
    assert "compute_loss" not in done.after


@pytest.mark.parametrize("program", FREE.values(), ids=[*FREE])
def test_a_step_on_data_is_rewritten(program: str) -> None:
    done = rewrite(HEAD + program, to="mindspore")
    assert "compute_loss" in done.after
    assert "loss.backward()" not in done.after
