"""What asks for a framework beside a project's code: locks, recipes, notebooks of one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from onecell.project.find import Place
from onecell.project.requirements import find_required

POETRY = """\
[[package]]
name = "numpy"
files = [{file = "numpy-2.0-cp311.whl", hash = "sha256:0"}]

[[package]]
name = "torch"
version = "2.3.0"
files = [{file = "torch-2.3.0-cp311-none-linux.whl", hash = "sha256:0"}]

[package.dependencies]
triton = {version = "2.3", markers = "x"}

[[package]]
name = "torchvision"

[package.dependencies]
torch = "2.3.0"
"""
UV = """\
[[package]]
name = "words"
dependencies = [
    { name = "numpy" },
    { name = "torch", marker = "sys_platform == 'linux'" },
]

[[package]]
name = "torch"
wheels = [{ url = "https://x.org/torch-2.3.0-cp311.whl" }]
"""
META = """\
{% set name = "torch-words" %}
package:
  name: "{{ name }}"
requirements:
  run:
    - numpy
    - pytorch >=2
"""


def _notebook(*sources: str | list[str], indent: int | None = None) -> str:
    cells: list[dict[str, object]] = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": s}
        for s in sources
    ]
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}, indent=indent
    )


LONG = "# " + "a-" * 4000


@pytest.mark.parametrize(
    ("name", "text", "want"),
    [
        ("poetry.lock", POETRY, [("torch", 6), ("triton", 11), ("torchvision", 14)]),
        ("uv.lock", UV, [("torch", 5)]),
        ("uv.lock", UV.replace('"torch', '"jax'), []),
        (
            "Pipfile.lock",
            '{"default": {"numpy": {},\n"torch": {"version": "==2"}}}',
            [("torch", 2)],
        ),
        (
            "pixi.lock",
            "packages:\n- conda: https://x.org/pytorch-2.conda\n  name: pytorch\n",
            [("pytorch", 3)],
        ),
        ("conda-lock.yml", "package:\n- name: pytorch\n", [("pytorch", 2)]),
        ("recipe/meta.yaml", META, [("pytorch", 7)]),
        (".gitlab-ci.yml", "test:\n  script:\n    - pip install torch\n", [("torch", 3)]),
        (".gitlab-ci.yml", "torch:\n  script:\n    - pip install numpy\n", []),
        ("cog.yaml", "build:\n  python_packages:\n    - torch==2.0\n", [("torch", 3)]),
        ("a.ipynb", _notebook("import os\n!pip install torch==2\nprint('x')"), [("torch", 1)]),
        ("a.ipynb", _notebook(LONG, ["x = 1\n", '%pip -q install "torch>=2"']), [("torch", 1)]),
        ("a.ipynb", _notebook("!{sys.executable} -m pip install torch"), [("torch", 1)]),
        ("a.ipynb", _notebook("!pip install numpy\nx = 'torch'"), []),
        ("pyproject.toml", "x = [" + "'numpy', " * 500 + "'torch']\n", [("torch", 1)]),
    ],
)
def test_what_asks_for_the_framework_is_named(
    name: str, text: str, want: list[tuple[str, int]], tmp_path: Path
) -> None:
    place = _place(tmp_path, name, text)
    sources, others = ([place], []) if name.endswith(".ipynb") else ([], [place])
    found = list(find_required(others, sources, "torch"))
    assert [tuple(each.names) for each in found] == ([tuple(want)] if want else [])


def _place(folder: Path, name: str, text: str) -> Place:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return Place(path, Path(name))
