"""The nets of an OpenVINO model, as far as they tell where weights lie.

A net has layers and edges between their ports, and a layer may hold nets of its own: the body of a
loop, the branches of a condition.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from onecell.checkpoint.formats.openvino.xml_tree import Element, read_xml
from onecell.checkpoint.limits import Budget
from onecell.errors import CheckpointError
from onecell.text import short

LSTMS: Final = frozenset({"LSTMCell", "LSTMSequence"})
_KINDS: Final = LSTMS | {"Const", "Convert", "Parameter"}
_VERSIONS: Final = frozenset({"10", "11"})
"""Those of the format that are read: of OpenVINO 2020.1 and later."""
_BODIES: Final = {"body": "port_map", "then_body": "then_port_map", "else_body": "else_port_map"}
"""What a layer calls a net in it → what it calls the ways into that."""
_LONGEST: Final = 4096
_STEPS: Final = 32
"""A way from what takes weights to where they lie has no more."""

Port = tuple[str, str]
"""A layer's number and that of a port of it."""


@dataclass(slots=True)
class Source:
    """Where what a port gets lies."""

    net: Net
    number: str
    """Of the constant."""
    types: list[str]
    """What the constant is made on the way, the last one first."""
    way: list[tuple[Net, str]]
    """The layers that pass it on, and itself."""

    @property
    def constant(self) -> Element:
        """Return the constant."""
        return self.net.layers[self.number]

    @property
    def is_shared(self) -> bool:
        """Whether something else gets the constant as well."""
        return any(
            sum(giver == number for giver, _ in net.edges.values()) > 1 for net, number in self.way
        )


@dataclass(slots=True)
class Net:
    """A net, and where in which other one it is."""

    path: str = ""
    """What stands before the names of its layers."""
    layers: dict[str, Element] = field(default_factory=dict)
    """By their numbers."""
    edges: dict[Port, Port] = field(default_factory=dict)
    """What takes → what gives."""
    outer: Net | None = None
    owner: str = ""
    """The number of the layer of `outer` that it is in."""
    ways_in: dict[str, str] = field(default_factory=dict)
    """Layer that stands for what comes from outside, all of it in each round → port of `owner`."""

    def source(self, number: str, port: str) -> Source | None:
        """Return the constant that a port gets; None where it is computed or nothing comes."""
        net: Net = self
        types: list[str] = []
        way: list[tuple[Net, str]] = []
        for _ in range(_STEPS):
            number = net.edges.get((number, port), ("", ""))[0]
            layer = net.layers.get(number)
            way.append((net, number))
            kind = "" if layer is None else layer.get("type")
            if layer is None or kind in LSTMS:
                return None
            if kind == "Const":
                return Source(net, number, types, way)
            if kind == "Convert":
                types.append(next((each.get("destination_type") for each in layer.all("data")), ""))
                port = next((each.get("id") for each in layer.all("input", "port")), "")
            elif kind == "Parameter" and net.outer is not None and number in net.ways_in:
                net, number, port = net.outer, net.owner, net.ways_in[number]
            else:
                return None
        return None


def read_nets(content: bytes, budget: Budget) -> list[Net]:
    """Return every net of a model, the outermost first.

    Errors are those of `read_xml`, and:

    Raises:
        CheckpointError: it is no model, of a version that is not read, or contradicts itself.
    """
    return list(_nets(read_xml(content, budget, _check_root, _is_kept), Net()))


def _check_root(root: Element) -> None:
    version = root.get("version") or "none"
    if root.tag != "net" or version not in _VERSIONS:
        raise CheckpointError(
            f"it is no model of OpenVINO's of version 10 or 11, but `{short(root.tag, 20)}` of "
            f"version {short(version, 20)}."
        )


def _is_kept(element: Element) -> bool:
    """Whether an element tells of weights; most of a model does not."""
    if element.tag == "layer":
        nets = any(child.tag in _BODIES for child in element.children)
        return nets or element.get("type") in _KINDS
    return element.tag not in {"rt_info", "meta_data", "cli_parameters"}


def _nets(element: Element, net: Net) -> Iterator[Net]:
    """Yield a net, and those in it."""
    for layer in element.all("layers", "layer"):
        number = layer.get("id")
        if number in net.layers:
            raise CheckpointError(f"it has the layer {short(number, 20)} twice.")
        if len(layer.get("name")) > _LONGEST:
            raise CheckpointError(f"a layer has a name of {len(layer.get('name'))} characters.")
        net.layers[number] = layer
    for edge in element.all("edges", "edge"):
        end = (edge.get("to-layer"), edge.get("to-port"))
        if end in net.edges:
            raise CheckpointError(f"two edges lead to one port of the layer {short(end[0], 20)}.")
        net.edges[end] = (edge.get("from-layer"), edge.get("from-port"))
    yield net
    for number, layer in net.layers.items():
        changing = {each.get("to-layer") for each in layer.all("back_edges", "edge")}
        for child in layer.children:
            if child.tag in _BODIES:
                inner = Net(f"{net.path}{spelled(layer)}.{child.tag}.", outer=net, owner=number)
                for way in layer.all(_BODIES[child.tag], "input"):
                    inside = way.get("internal_layer_id")
                    if "axis" not in way.attributes and inside not in changing:
                        inner.ways_in[inside] = way.get("external_port_id")
                yield from _nets(child, inner)


def spelled(layer: Element) -> str:
    """Return the name of a layer as a dotted one."""
    name = layer.get("name").replace("/", ".")
    return ".".join(part for part in name.split(".") if part) or f"layer{layer.get('id')}"
