"""What an import statement binds, and to what."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from onecell.migrate.meaning.names import dotted, imported

AnyImport = cst.Import | cst.ImportFrom


@dataclass(frozen=True, slots=True, order=True)
class Binding:
    """One import: `import module as name`, or `from home import leaf as name`."""

    home: str
    """"import" for a plain import, else the module after `from`."""
    leaf: str
    name: str

    @property
    def path(self) -> str:
        """The path that the name stands for."""
        if self.home != "import":
            return f"{self.home}.{self.leaf}"
        return self.leaf if self.name != self.leaf.partition(".")[0] else self.name

    @property
    def origin(self) -> str:
        """The path that the statement names, of which a plain import binds the first part."""
        return self.leaf if self.home == "import" else self.path


def bindings_of(statement: AnyImport) -> list[Binding]:
    """Return what a statement imports; nothing for a star."""
    if isinstance(statement.names, cst.ImportStar):
        return []
    found = []
    for alias in statement.names:
        name, path = imported(alias, statement)
        if isinstance(statement, cst.Import):
            found.append(Binding("import", dotted(alias.name) or "", name))
        else:
            home, _, leaf = path.rpartition(".")
            found.append(Binding(home, leaf, name))
    return found
