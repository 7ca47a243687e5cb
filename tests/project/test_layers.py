"""The layer that owns a parameter, told by source: held against the modules that torch makes."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import pytest
import torch

from onecell.project.layers import Naming, find_owners, name_parameters

HEAD = "import torch\nfrom torch import nn\nfrom collections import OrderedDict\n"
MODELS = {
    "attributes": """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(7, 3)
        self.cell = nn.LSTMCell(3, 4)
        self.norm: nn.Module = nn.LayerNorm(4)
        self.head = torch.nn.Linear(4, 7, bias=False).to("cpu")
""",
    "a list": """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Embedding(7, 3), nn.Linear(3, 4), nn.LayerNorm(4)])
""",
    "a sequence of arguments": """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Embedding(7, 3), nn.ReLU(), nn.LayerNorm(3))
""",
    "a sequence of one": """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Embedding(7, 3))
""",
    "a comprehension": """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(n, 3) for n in (4, 5))
        self.norms = nn.Sequential(*[nn.LayerNorm(3) for _ in range(2)])
""",
    "keys": """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.parts = nn.ModuleDict({"words": nn.Embedding(7, 3), "head": nn.Linear(3, 2)})
        self.net = nn.Sequential(OrderedDict([("norm", nn.LayerNorm(3)), ("out", nn.Linear(3, 1))]))
""",
    "local names and append": """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        norm = nn.LayerNorm(3)
        self.norm = norm
        steps = []
        for _ in range(2):
            steps.append(nn.Embedding(4, 3))
        self.net = nn.Sequential(*steps)
        self.more = nn.ModuleList()
        self.more.append(nn.LayerNorm(2))
        self.add_module("table", nn.Embedding(5, 2))
""",
    "classes inside classes": """
class Word(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight_table = nn.Embedding(7, 3)
        self.norm = nn.LayerNorm(3)
class Base(nn.Module):
    def __init__(self):
        super().__init__()
        self.word = Word()
class Model(Base):
    def __init__(self):
        super().__init__()
        self.words = nn.ModuleList([Word() for _ in range(2)])
        self.head = nn.Linear(3, 7)
""",
    "a subclass of a layer": """
class Table(nn.Embedding):
    pass
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = Table(7, 3)
""",
    "a choice": """
class Model(nn.Module):
    def __init__(self, norm=True):
        super().__init__()
        self.norm = nn.LayerNorm(3) if norm else nn.Identity()
        self.out = nn.Linear(3, 2)
""",
}


def name(names: Iterable[str], source: str, framework: str = "torch") -> Naming:
    """Return the naming of tensors whose shapes do not matter."""
    to = "mindspore" if framework == "torch" else "torch"
    return name_parameters(dict.fromkeys(names, (3,)), [source], framework, to)


def true_owners(model: torch.nn.Module) -> dict[str, str]:
    """Return parameter → the layer of torch.nn that it belongs to."""
    found = {}
    for name in model.state_dict():
        owner = type(model.get_submodule(name.rpartition(".")[0]))
        while not owner.__module__.startswith("torch.nn"):
            owner = owner.__bases__[0]
        found[name] = f"torch.nn.{owner.__name__}"
    return found


@pytest.mark.parametrize("model", MODELS)
def test_every_parameter_has_the_owner_that_torch_gives_it(model: str) -> None:
    space: dict[str, type[torch.nn.Module]] = {}
    exec(HEAD + MODELS[model], space)
    want = true_owners(space["Model"]())
    found = find_owners(want, [HEAD + MODELS[model]])
    assert found.keys() == want.keys()
    assert all(owners == {want[parameter]} for parameter, owners in found.items())


@pytest.mark.parametrize("prefix", ["", "model.", "state.best."])
def test_what_stands_before_the_names_of_a_model_is_seen_past(prefix: str) -> None:
    names = [f"{prefix}{name}" for name in ("table.weight", "norm.weight", "norm.bias")]
    naming = name(names, HEAD + MODELS["attributes"])
    assert naming.renamed == {
        f"{prefix}table.weight": f"{prefix}table.embedding_table",
        f"{prefix}norm.weight": f"{prefix}norm.gamma",
        f"{prefix}norm.bias": f"{prefix}norm.beta",
    }


def test_the_way_back_gives_the_names_again() -> None:
    source = (
        "import mindspore.nn as nn\n"
        "class Model(nn.Cell):\n"
        "    def __init__(self):\n"
        "        self.table = nn.Embedding(7, 3)\n"
        "        self.net = nn.SequentialCell(nn.Dense(3, 4), nn.LayerNorm((4,)))\n"
    )
    names = ["table.embedding_table", "net.0.weight", "net.1.gamma"]
    naming = name(names, source, "mindspore")
    assert naming.renamed == {
        "table.embedding_table": "table.weight",
        "net.1.gamma": "net.1.weight",
    }
    assert naming.unknown == ()


def test_what_no_class_has_is_unknown_and_keeps_its_name() -> None:
    naming = name(["other.weight"], HEAD + MODELS["keys"])
    assert (naming.renamed, naming.unknown) == ({}, ("other.weight",))


TWO = """
class One(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Embedding(7, 3)
        self.only_one = nn.Linear(3, 3)
class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 7, bias=False)
        self.only_two = nn.Linear(3, 3)
"""


def test_the_class_that_explains_more_of_the_checkpoint_decides() -> None:
    for only, new in (("only_one", "first.embedding_table"), ("only_two", "first.weight")):
        names = ["first.weight", f"{only}.weight"]
        naming = name(names, HEAD + TWO)
        assert naming.renamed.get("first.weight", "first.weight") == new
        assert not naming.unsure


def test_two_answers_are_no_answer() -> None:
    naming = name(["first.weight"], HEAD + TWO)
    assert not naming.renamed
    assert "torch.nn.Embedding makes it `embedding_table`" in naming.unsure["first.weight"]
    assert naming.by_hand == ("first.weight",)


def test_two_models_in_one_checkpoint_each_have_their_class() -> None:
    names = ["a.first.weight", "a.only_one.weight", "b.first.weight", "b.only_two.weight"]
    naming = name(names, HEAD + TWO)
    assert naming.renamed == {"a.first.weight": "a.first.embedding_table"}


@pytest.mark.parametrize(
    "source",
    [
        "class (",
        "x = " + "(" * 5000,
        "\0",
        "class A:\n def f(self):\n  self.x = " + "[a]+" * 900 + "[a]",
    ],
    ids=["syntax", "nested", "null", "long sum"],
)
def test_a_module_that_cannot_be_read_tells_nothing(source: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = find_owners(["table.weight"], [source, HEAD + MODELS["attributes"]])
    assert found == {"table.weight": frozenset({"torch.nn.Embedding"})}


def test_a_checkpoint_of_many_names_takes_a_moment() -> None:
    source = HEAD + "".join(
        f"class C{i}(nn.Module):\n    def __init__(self):\n"
        f"        self.a = nn.ModuleList([C{(i + 1) % 50}() for _ in range(9)])\n"
        f"        self.a.append(C{(i + 7) % 50}())\n"
        for i in range(50)
    )
    names = [f"{'a.1.' * 15}{i}.weight" for i in range(100)]
    assert not find_owners(names, [source])


OWN = """
class Scale(nn.Module):
    def __init__(self):
        super().__init__()
        {own}
class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(4)
class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = Scale()
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder()
"""


@pytest.mark.parametrize(
    "own",
    [
        "self.weight = nn.Parameter(torch.ones(3))",
        "self.weight: torch.Tensor = torch.nn.parameter.Parameter(torch.ones(3))",
        "self.register_parameter('weight', nn.Parameter(torch.ones(3)))",
        "self.register_buffer('weight', torch.ones(3))",
    ],
)
def test_a_parameter_of_a_class_of_the_project_keeps_its_name(own: str) -> None:
    names = ["encoder.norm.weight", "encoder.norm.bias", "decoder.norm.weight"]
    naming = name(names, HEAD + OWN.format(own=own))
    assert naming.renamed == {
        "encoder.norm.weight": "encoder.norm.gamma",
        "encoder.norm.bias": "encoder.norm.beta",
    }
    assert not naming.unknown
    assert not naming.by_hand


@pytest.mark.parametrize("own", ["setattr(self, 'weight', f())", "self.more = make()"])
def test_another_class_with_an_attribute_of_that_name_tells_nothing(own: str) -> None:
    names = ["encoder.norm.weight", "encoder.norm.bias", "decoder.norm.weight"]
    naming = name(names, HEAD + OWN.format(own=own))
    assert naming.by_hand == naming.unknown == ("decoder.norm.weight",)
    assert "decoder.norm.weight" not in naming.renamed


def test_a_convolution_of_the_same_name_leaves_the_shape_alone() -> None:
    source = HEAD + OWN.format(own="self.weight = nn.Parameter(torch.zeros(2, 5, 5))")
    source = source.replace("nn.LayerNorm(4)", "nn.Conv1d(1, 1, 3)")
    shapes = {
        "encoder.norm.weight": (1, 1, 3),
        "encoder.norm.bias": (1,),
        "decoder.norm.weight": (2, 5, 5),
    }
    naming = name_parameters(shapes, [source], "torch", "mindspore")
    assert naming.shapes == {"encoder.norm.weight": (1, 1, 1, 3)}


def test_counters_of_a_norm_are_left_and_those_of_a_class_of_the_project_stay() -> None:
    own = "self.register_buffer('running_mean', torch.ones(3))\n"
    own += "        self.register_buffer('num_batches_tracked', torch.ones(3))"
    source = HEAD + OWN.format(own=own).replace("nn.LayerNorm(4)", "nn.BatchNorm1d(4)")
    names = [
        f"{part}.norm.{each}"
        for part in ("encoder", "decoder")
        for each in ("running_mean", "num_batches_tracked")
    ]
    naming = name(names, source)
    assert naming.left == ("encoder.norm.num_batches_tracked",)
    assert naming.renamed == {"encoder.norm.running_mean": "encoder.norm.moving_mean"}
    assert not naming.by_hand


def test_what_may_be_a_layer_without_parameters_is_the_other() -> None:
    naming = name(["norm.weight", "norm.bias"], HEAD + MODELS["a choice"])
    assert naming.renamed == {"norm.weight": "norm.gamma", "norm.bias": "norm.beta"}
    assert not naming.unsure


@pytest.mark.parametrize(
    ("beside", "gives"),
    [
        (("weight", "bias", "running_mean", "running_var"), "gamma"),
        (("weight", "bias"), "weight"),
        (("weight",), "weight"),
    ],
    ids=["a norm", "a layer with bias", "a layer without"],
)
def test_what_stands_beside_a_parameter_tells_a_norm_from_another_layer(
    beside: tuple[str, ...], gives: str
) -> None:
    """The code allows both; a norm alone keeps means, and no norm's weight has two axes."""
    own = "self.layer = nn.BatchNorm1d(4) if size else nn.Linear(4, 4)"
    source = HEAD + OWN.format(own=own)
    norm = gives == "gamma"
    shapes: dict[str, tuple[int, ...]] = {f"decoder.norm.layer.{each}": (4,) for each in beside}
    shapes["decoder.norm.layer.weight"] = (4,) if norm else (4, 4)
    naming = name_parameters(shapes, [source], "torch", "mindspore")
    assert not naming.unsure
    assert naming.renamed.get("decoder.norm.layer.weight", "decoder.norm.layer.weight").endswith(
        gives
    )
    assert ("decoder.norm.layer.bias" in naming.renamed) == norm


def test_a_weight_of_one_axis_without_means_is_told_by_nothing() -> None:
    own = "self.layer = nn.BatchNorm1d(4, track_running_stats=False) if size else nn.PReLU(4)"
    naming = name_parameters(
        {"decoder.norm.layer.weight": (4,)}, [HEAD + OWN.format(own=own)], "torch", "mindspore"
    )
    assert [*naming.unsure] == ["decoder.norm.layer.weight"]
    assert naming.by_hand == ("decoder.norm.layer.weight",)


def test_what_keeps_means_is_a_norm_on_the_way_back_too() -> None:
    own = "self.layer = nn.BatchNorm1d(4) if size else nn.Dense(4, 4)"
    source = (
        (HEAD + OWN.format(own=own)).replace("import torch\n", "").replace("torch", "mindspore")
    )
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    shapes = {f"decoder.norm.layer.{each}": (4,) for each in names}
    naming = name_parameters(shapes, [source], "mindspore", "torch")
    assert naming.renamed["decoder.norm.layer.moving_mean"] == "decoder.norm.layer.running_mean"
    assert naming.renamed["decoder.norm.layer.gamma"] == "decoder.norm.layer.weight"
