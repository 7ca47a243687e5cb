"""Spell an import path of the other framework in the style of the module, and note the imports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import libcst as cst

from onecell.migrate.meaning.bindings import Binding

_TWINS: Final = (
    ("torch", "mindspore"),
    ("torch.nn", "mindspore.nn"),
    ("torch.nn.functional", "mindspore.ops"),
    ("torch.optim", "mindspore.experimental.optim"),
    ("onecell.torch", "onecell.mindspore"),
    ("torch.utils.data", "onecell.mindspore.data"),
    ("torch.distributions", "onecell.mindspore.distributions"),
)
"""Modules that hold the same things."""

_SHORT: Final = {
    "torch": ("import", "torch", "torch"),
    "mindspore": ("import", "mindspore", "mindspore"),
    "torch.nn": ("torch", "nn", "nn"),
    "mindspore.nn": ("mindspore", "nn", "nn"),
    "mindspore.ops": ("mindspore", "ops", "ops"),
    "torch.nn.functional": ("import", "torch.nn.functional", "F"),
    "torch.optim": ("torch", "optim", "optim"),
    "mindspore.experimental.optim": ("mindspore.experimental", "optim", "optim"),
}
"""Module → how it is imported where nothing in the source says otherwise."""

_BY_LEAF: Final = (
    "functools",
    "mindspore.common.initializer",
    "onecell.torch",
    "onecell.mindspore",
    "onecell.mindspore.data",
    "onecell.mindspore.distributions",
)
"""Modules from which a name is imported by itself."""


@dataclass(frozen=True, slots=True)
class Spelled:
    """How the source spells a reference: the import it goes through, and what comes after."""

    binding: Binding
    whole: str
    """The path it stands for."""


def twin(module: str, to: str) -> str | None:
    """Return the module of `to` that holds what `module` holds, or None."""
    for pair in _TWINS:
        if module in pair:
            return pair[0] if to == "torch" else pair[1]
    return None


@dataclass(slots=True)
class Speller:
    """Choose names for what the rewritten module imports."""

    to: str
    taken: frozenset[str]
    """Names that stay bound to something else."""
    present: Mapping[str, str]
    """Path → name, for what the module imports already and is not of the other framework."""
    sources: tuple[Binding, ...]
    """What the module imports of the other framework."""
    needed: set[Binding] = field(default_factory=set)
    """What the rewritten module has to import, beyond what is present."""
    likes: dict[str, set[Binding]] = field(default_factory=dict)
    """Name → the imports of the source through which went what begins with that name now."""

    def spell(self, path: str, like: Spelled | None = None) -> cst.BaseExpression:
        """Return an expression for `path`, and note what has to be imported for it."""
        first, *rest = self._text(path, like).split(".")
        if like is not None:
            self.likes.setdefault(first, set()).add(like.binding)
        spelled: cst.BaseExpression = cst.Name(first)
        for name in rest:
            spelled = cst.Attribute(spelled, cst.Name(name))
        return spelled

    def in_place(self, old: Binding) -> Binding | None:
        """Return the import that would take the place of `old`, in the same form."""
        new = twin(old.path, self.to)
        if new is None:
            return None
        short = _SHORT.get(new)
        if short is None:
            return None
        plain = Binding(*short)
        default = _SHORT.get(old.path)
        if default is not None and default[2] == old.name:
            # `import torch.nn as nn` keeps its form; `import torch.nn.functional as F` has none.
            if old.home == "import" and plain.home != "import" and new == f"{self.to}.nn":
                return Binding("import", new, plain.name)
            return plain
        if old.home == "import" and old.name == old.leaf.partition(".")[0]:
            return Binding("import", self.to, self.to)
        if old.path in ("torch", "mindspore"):
            return Binding("import", new, "ms") if self.to == "mindspore" else plain
        if plain.home != "import":
            return Binding(plain.home, plain.leaf, old.name)
        return Binding("import", new, old.name)

    def _text(self, path: str, like: Spelled | None) -> str:
        module, _, leaf = path.rpartition(".")
        if like is not None:
            by_itself = like.binding.path == like.whole and like.binding.home != "import"
            renamed = module == self.to and leaf != like.binding.leaf
            if by_itself and not renamed and not self._has_short(module, like.binding):
                return self._leaf(module, leaf, like.binding)
            dotted = None if by_itself else self._like(module, leaf, like)
            if dotted is not None:
                return dotted
        if module in _BY_LEAF:
            return self._leaf(module, leaf, None)
        return self._by_module(module, leaf)

    def _has_short(self, module: str, old: Binding) -> bool:
        """Whether a cell of onecell's becomes the framework's own in a module that names `nn`."""
        own_name = old.name != old.leaf
        return (
            old.home.startswith("onecell.")
            and not own_name
            and any(
                (new := self.in_place(source)) is not None and new.path == module
                for source in self.sources
            )
        )

    def _like(self, module: str, leaf: str, like: Spelled) -> str | None:
        """Spell `module.leaf` through the import that takes the place of the one in the source."""
        replaced = self.in_place(like.binding)
        if replaced is not None and (name := self.present.get(replaced.path)) is not None:
            replaced = Binding(replaced.home, replaced.leaf, name)
        elif replaced is None or not self._free(replaced):
            return None
        if replaced.path == module:
            self._need(replaced)
            return f"{replaced.name}.{leaf}"
        spelled_out = like.binding.path == like.binding.name == like.whole.partition(".")[0]
        deep = like.whole.count(".") > 1
        if spelled_out and deep and replaced.path == self.to and module.startswith(self.to + "."):
            self._need(replaced)
            return f"{replaced.name}{module[len(self.to) :]}.{leaf}"
        return None

    def _leaf(self, module: str, leaf: str, like: Binding | None) -> str:
        """Import the thing itself, under the name it had if that was the user's own."""
        wanted = like.name if like is not None and like.name != like.leaf else leaf
        if (name := self.present.get(f"{module}.{leaf}")) is not None:
            return name
        binding = Binding(module, leaf, wanted)
        if not self._free(binding):
            return self._by_module(module, leaf)
        self._need(binding)
        return wanted

    def _by_module(self, module: str, leaf: str) -> str:
        if (name := self.present.get(module)) is not None:
            return f"{name}.{leaf}"
        for old in self.sources:
            new = self.in_place(old)
            if new is not None and new.path == module and self._free(new):
                self._need(new)
                return f"{new.name}.{leaf}"
        short = _SHORT.get(module)
        if short is not None and self._free(Binding(*short)):
            self._need(Binding(*short))
            return f"{short[2]}.{leaf}"
        first = module.partition(".")[0]
        if (name := self.present.get(first)) is not None:
            return f"{name}{module[len(first) :]}.{leaf}"
        whole = Binding("import", module if first == "onecell" else first, first)
        self._need(whole)
        return f"{module}.{leaf}"

    def _free(self, binding: Binding) -> bool:
        return binding in self.needed or (
            binding.name not in self.taken
            and all(other.name != binding.name for other in self.needed)
            and (binding.name not in self.present.values())
        )

    def _need(self, binding: Binding) -> None:
        if self.present.get(binding.path) != binding.name:
            self.needed.add(binding)
