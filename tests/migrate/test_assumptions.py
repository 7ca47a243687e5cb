"""What a training step takes for granted is said, decided by other files, or marked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from onecell.cli.app import make_app
from onecell.migrate import Finding, Migration, Outcome, migrate_paths, rewrite

HEAD = """import torch
import torch.nn.functional as F
from torch import nn
from torch.nn import LSTMCell

cell = LSTMCell(4, 2)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 2)
        self.other = nn.Linear(4, 2)

    def forward(self, x):
        return RESULT


"""
BOTH = HEAD.replace("RESULT", "self.head(x) + self.other(x)")
STEP = """    optimizer = OPTIMIZER
    for x, y in [(torch.zeros(3, 4), torch.zeros(3, 2))]:
        loss = F.mse_loss(MODEL, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
FIT = "def fit(model: Model):\n" + STEP.replace("MODEL", "model(x)")
SGD = "torch.optim.SGD(model.parameters(), lr=0.1)"
MOMENTUM = "torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)"
DECAY = "torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)"
ADAM = "torch.optim.Adam(model.parameters())"


def steps(source: str) -> list[Finding]:
    """Return what became of the calls of the training step."""
    return [f for f in rewrite(source, to="mindspore").findings if f.rule == "training_step"]


def outcomes(source: str) -> set[Outcome]:
    return {found.outcome for found in steps(source)}


def program(result: str, optimizer: str, model: str = "model(x)") -> str:
    text = HEAD.replace("RESULT", result) + "def fit(model: Model):\n"
    return text + STEP.replace("OPTIMIZER", optimizer).replace("MODEL", model)


EXACT = {
    "nothing moves what has no gradient": ("self.head(x)", SGD),
    "all used, momentum": ("self.head(x) + self.other(x)", MOMENTUM),
    "all used, decay": ("self.head(x) + self.other(x)", DECAY),
    "all used, Adam": ("self.head(x) + self.other(x)", ADAM),
    "all used, AdamW": ("self.other(x).relu() * self.head(x)", ADAM.replace("Adam", "AdamW")),
    "never used, never decayed": ("self.head(x)", MOMENTUM),
    "never used, Adam": ("self.head(x)", ADAM),
}
SAID = {
    "used if it is so": ("self.head(x) if x.sum() > 0 else self.other(x)", MOMENTUM),
    "one of two results": ("self.head(x), self.other(x)", ADAM, "model(x)[0]"),
    "cut": ("self.head(x) + self.other(x).detach()", MOMENTUM),
    "without a gradient": ("self.head(x) + (self.other(x) > 0)", MOMENTUM),
    "only some given": ("self.head(x)", MOMENTUM.replace("model.", "model.head.")),
}
LEFT = {
    "never used, decayed": ("self.head(x)", DECAY),
    "a decay that is not written out": ("self.head(x)", SGD.replace("0.1", "0.1, weight_decay=w")),
    "never used, AdamW": ("self.head(x)", "torch.optim.AdamW(model.parameters())"),
}


@pytest.mark.parametrize("given", EXACT.values(), ids=[*EXACT])
def test_where_no_parameter_can_move_by_mistake_nothing_is_assumed(given: tuple[str, ...]) -> None:
    assert outcomes(program(*given)) == {Outcome.CONVERTED}


@pytest.mark.parametrize("given", SAID.values(), ids=[*SAID])
def test_where_a_parameter_may_lack_a_gradient_that_is_said(given: tuple[str, ...]) -> None:
    (found,) = [f for f in steps(program(*given)) if f.outcome is Outcome.ASSUMED]
    assert "each parameter of `optimizer` gets a gradient in every step" in found.message
    assert {each.basis for each in found.assumes} == {"unused"}


@pytest.mark.parametrize("given", LEFT.values(), ids=[*LEFT])
def test_a_parameter_that_would_decay_is_marked(given: tuple[str, ...]) -> None:
    (found,) = steps(program(*given))
    assert found.outcome is Outcome.MARKED
    assert "`Model.other` is never used" in found.message


def test_a_dead_line_is_no_use() -> None:
    text = program("y", ADAM).replace(
        "        return y", "        y = self.other(x)\n        y = self.head(x)\n        return y"
    )
    assert Outcome.ASSUMED in outcomes(text)


# What comes from elsewhere.

GIVEN = "def fit(model: Model, given):\n" + STEP.replace("OPTIMIZER", SGD)
UNSEEN = {
    "an argument": (GIVEN.replace("MODEL", "model(given)"), "`given`"),
    "a part of one": (GIVEN.replace("MODEL", "model(given[0].x)"), "`given`"),
    "a loop over one": (
        GIVEN.replace("MODEL", "model(x)").replace(
            "[(torch.zeros(3, 4), torch.zeros(3, 2))]", "given"
        ),
        "`given`",
    ),
    "an import": ("from a import given\n\n\n" + GIVEN.replace("MODEL", "model(given)"), "`given`"),
    "what a function returns": (
        "import a\n\n\n"
        + GIVEN.replace("    opt", "    z = a.load()\n    opt", 1).replace("MODEL", "model(z)"),
        "what comes from `a.load`",
    ),
    "an object's attribute": (
        "class T:\n    def __init__(self, given):\n        self.given = given\n\n"
        "    def fit(self, model: Model):\n"
        + STEP.replace("    ", "        ")
        .replace("OPTIMIZER", SGD)
        .replace("MODEL", "model(self.given)"),
        "`given`",
    ),
    "a base of another file": (
        "from a import Base\n\n\nclass T(Base):\n    def fit(self, model: Model):\n"
        + STEP.replace("    ", "        ")
        .replace("OPTIMIZER", SGD)
        .replace("MODEL", "model(self.given)"),
        "`self.given`",
    ),
    "a model of another file": (
        GIVEN.replace("model: Model", "model: nn.Module").replace("MODEL", "model(x)"),
        "`model` uses nothing that it kept from before the step",
    ),
}


@pytest.mark.parametrize(("text", "said"), UNSEEN.values(), ids=[*UNSEEN])
def test_what_other_files_give_is_said(text: str, said: str) -> None:
    (found,) = [f for f in steps(BOTH + text) if f.outcome is Outcome.ASSUMED]
    assert said in found.message
    assert "exact if" in found.message


SEEN = {
    "every caller passes data": GIVEN.replace("MODEL", "model(given)")
    + "\n\nfit(Model(), torch.zeros(3, 4))\n",
    "detached in the step": GIVEN.replace("MODEL", "model(given.detach())"),
    "only its shape": GIVEN.replace("MODEL", "model(x.reshape(given.shape))"),
    "an index": GIVEN.replace("MODEL", "model(x)[given]"),
    "a count": GIVEN.replace("MODEL", "model(x) * len(given)"),
    "a number by its annotation": GIVEN.replace("given):", "given: float):").replace(
        "MODEL", "model(x * given)"
    ),
    "copied to a new tensor": GIVEN.replace("MODEL", "model(torch.tensor(given))"),
}


@pytest.mark.parametrize("text", SEEN.values(), ids=[*SEEN])
def test_what_can_carry_no_gradient_is_not_assumed(text: str) -> None:
    assert outcomes(BOTH + text) == {Outcome.CONVERTED}


KEEPS = """class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(4, 2)
        self.h = None

    def forward(self, x):
        KEPT
        return self.h


"""
KEPT = {
    "read before it is set": ("self.h, c = self.cell(x, self.h)", True),
    "set under a condition": ("if x.sum() > 0:\n            self.h, c = self.cell(x)", True),
    "an argument": ("y = self.h\n        self.h = x", True),
    "a list": ("self.h.append(self.cell(x))", True),
    "set before it is read": ("self.h, c = self.cell(x)", False),
    "detached": ("h, c = self.cell(x, self.h)\n        self.h = h.detach()", False),
    "a new tensor": ("self.h = torch.zeros(3, 2)", False),
}


@pytest.mark.parametrize(("lines", "keeps"), KEPT.values(), ids=[*KEPT])
def test_what_a_module_keeps_is_marked_unless_detached(lines: str, keeps: bool) -> None:
    head = HEAD[: HEAD.index("class Model")] + KEEPS.replace("KEPT", lines)
    text = head + FIT.replace("OPTIMIZER", SGD)
    messages = [f.message for f in steps(text) if f.outcome is Outcome.MARKED]
    assert any("`Model.h` may be computed by a module before the step" in m for m in messages) is (
        keeps
    )


# The way back.


def test_the_way_back_says_it_too() -> None:
    forth = rewrite(BOTH + GIVEN.replace("MODEL", "model(given)"), to="mindspore").after
    found = [f for f in rewrite(forth, to="torch").findings if f.outcome is Outcome.ASSUMED]
    assert ["`given`" in f.message for f in found] == [True]


def test_the_way_back_does_not_follow_what_mindspore_does_not() -> None:
    forth = rewrite(BOTH + FIT.replace("OPTIMIZER", SGD), to="mindspore").after
    line = "    for x, y in"
    wrong = forth.replace(line, f"    z = model(ops.ones((3, 4)))\n{line}").replace(
        "ops.mse_loss(model(x), y)", "ops.mse_loss(model(x) + z, y)"
    )
    assert wrong.count("z") > forth.count("z")
    back = rewrite(wrong, to="torch")
    assert ".backward()" not in back.after
    assert Outcome.MARKED in {f.outcome for f in back.findings}


# Projects.

MODEL_FILE = HEAD[: HEAD.index("import torch.nn.func")] + BOTH[BOTH.index("from torch import nn") :]
TRAIN_FILE = """import torch.nn.functional as F
from torch import nn


def train(model: nn.Module, batches, optimizer):
    for x, y in batches:
        loss = F.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
MAIN_FILE = """import torch
from model import Model
from train import train

model = Model()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
train(model, BATCHES, optimizer)
"""
DATA = "[(torch.zeros(3, 4), torch.zeros(3, 2))]"


def project(folder: Path, **files: str) -> Migration:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return migrate_paths([folder], to="mindspore", jobs=1)


def of_train(done: Migration) -> dict[str, str]:
    """Return the outcome of each basis that is left, and of the step's first call."""
    (result,) = [each for each in done.results if each.path.name == "train.py"]
    found = [f for f in result.findings if f.rule == "training_step"]
    bases = {a.basis: str(f.outcome) for f in found for a in f.assumes}
    return bases | {f.message: "marked" for f in found if f.outcome is Outcome.MARKED}


def test_a_project_decides_what_callers_pass(tmp_path: Path) -> None:
    main = MAIN_FILE.replace("BATCHES", DATA)
    done = project(tmp_path, model=MODEL_FILE, train=TRAIN_FILE, main=main)
    assert of_train(done) == {"unused": "assumed"}


def test_a_caller_that_passes_a_modules_output_is_seen(tmp_path: Path) -> None:
    main = MAIN_FILE.replace("BATCHES", "[(model(torch.zeros(3, 4)), torch.zeros(3, 2))]")
    done = project(tmp_path, model=MODEL_FILE, train=TRAIN_FILE, main=main)
    (message,) = of_train(done)
    assert "may be computed by a module before the step" in message


def test_one_caller_of_several_is_enough(tmp_path: Path) -> None:
    main = MAIN_FILE.replace("BATCHES", DATA)
    other = MAIN_FILE.replace(
        "train(model, BATCHES", "train(model, batches=[(model(t), t)]"
    ).replace("[(model(t), t)], optimizer", "[(model(t), t)], optimizer=optimizer")
    done = project(tmp_path, model=MODEL_FILE, train=TRAIN_FILE, main=main, other=other)
    assert list(of_train(done).values()) == ["marked"]


def test_without_a_caller_it_stays_said(tmp_path: Path) -> None:
    train = "from model import Model\n" + TRAIN_FILE
    done = project(tmp_path, model=MODEL_FILE, train=train)
    assert of_train(done) == {"given": "assumed", "kept": "assumed", "unused": "assumed"}


def test_a_model_of_another_file_that_keeps_is_marked(tmp_path: Path) -> None:
    model = MODEL_FILE.replace(
        "return self.head(x)", "self.h = self.head(x) + self.h\n        return self.h"
    )
    main = MAIN_FILE.replace("BATCHES", DATA)
    done = project(tmp_path, model=model, train=TRAIN_FILE, main=main)
    (message,) = of_train(done)
    assert "`Model.h` may be computed by a module before the step" in message


@pytest.mark.parametrize(
    ("returns", "said"),
    [
        ("torch.zeros(3, 2)", {"unused": "assumed"}),
        ("encoder(torch.zeros(3, 2))", None),
        ("other.load()", {"unused": "assumed", "returned": "assumed"}),
    ],
)
def test_a_project_decides_what_a_function_returns(
    tmp_path: Path, returns: str, said: dict[str, str] | None
) -> None:
    data = "import other\nimport torch\nfrom torch import nn\n\nencoder = nn.Linear(2, 2)\n\n\n"
    data += f"def load():\n    return {returns}\n"
    train = "from data import load\n" + TRAIN_FILE.replace(
        "    for x", "    z = load()\n    for x"
    ).replace("model(x)", "model(x) + z")
    main = MAIN_FILE.replace("BATCHES", DATA)
    done = project(tmp_path, model=MODEL_FILE, train=train, main=main, data=data)
    if said is None:
        (message,) = of_train(done)
        assert "may be computed by a module before the step" in message
    else:
        assert of_train(done) == said


def test_an_assumption_is_counted_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(BOTH + GIVEN.replace("MODEL", "model(given)"))
    shown = CliRunner().invoke(make_app(), ["migrate", str(path), "--to", "mindspore"])
    assert shown.exit_code == 0
    assert "assumed (training_step): Rewritten for mindspore; exact if `given`" in shown.output
    assert ", 1 assumed." in shown.output
    told = json.loads(
        CliRunner().invoke(make_app(), ["migrate", str(path), "--to", "mindspore", "--json"]).stdout
    )
    assert told["uses"]["assumed"] == 1
    (found,) = [f for f in told["files"][0]["findings"] if f["outcome"] == "assumed"]
    assert "exact if `given` carries no gradient from before the step" in found["message"]
