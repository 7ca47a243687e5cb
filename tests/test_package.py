"""The package as installed: what it carries, what importing it loads, what it refuses."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FRAMEWORKS = ("torch", "mindspore", "typer", "rich", "safetensors", "ml_dtypes", "google.protobuf")


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=120,
        check=False,
    )


def test_importing_onecell_loads_no_framework() -> None:
    code = f"import onecell, sys; print([m for m in {FRAMEWORKS} if m in sys.modules])"
    assert python(code).stdout.strip() == "[]"


def test_migrating_loads_neither_numpy_nor_the_kernel(tmp_path: Path) -> None:
    source = tmp_path / "a.py"
    source.write_text("from torch import nn\n\ncell = nn.LSTMCell(3, 4)\n")
    code = (
        "import atexit, sys; from onecell.cli import main\n"
        "heavy = ('numpy', 'onecell._kernel')\n"
        "atexit.register(lambda: print([m for m in heavy if m in sys.modules]))\n"
        f"main(['migrate', {str(source)!r}, '--to', 'mindspore'])"
    )
    printed = python(code).stdout
    assert "1 would change" in printed
    assert printed.splitlines()[-1] == "[]"


def test_every_public_name_is_there() -> None:
    code = "import onecell; print(all(hasattr(onecell, n) for n in onecell.__all__), dir(onecell))"
    printed = python(code).stdout
    assert printed.startswith("True")
    assert "LSTMCell" in printed


@pytest.mark.parametrize("isa", ["portable", "avx2", "avx512", "neon"])
def test_the_environment_chooses_the_instruction_set(isa: str) -> None:
    done = python("import onecell; print(onecell.isa(), onecell.available_isas())", ONECELL_ISA=isa)
    if isa in python("import onecell; print(onecell.available_isas())").stdout:
        assert done.stdout.split()[0] == isa
    else:
        assert "must be an instruction set of this machine" in done.stderr


def test_only_the_front_ends_reach_the_kernel() -> None:
    """The import linter cannot see a compiled module, so this looks for its name."""
    package = ROOT / "src" / "onecell"
    users = {
        path.relative_to(package).parts[0]
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom | ast.Import)
        and {"_kernel", "onecell._kernel"}
        & {getattr(node, "module", None), *(alias.name for alias in node.names)}
    }
    front = {
        "isas.py",
        "cell.py",
        "frozen.py",
        "packed.py",
        "stream.py",
        "threads.py",
        "torch",
        "mindspore",
    }
    assert users <= front
    assert "cell.py" in users


def test_an_unknown_instruction_set_is_named_at_the_first_use() -> None:
    done = python("from onecell import LSTMCell", ONECELL_ISA="abacus")
    assert done.returncode != 0
    assert "ArgumentError: ONECELL_ISA must be an instruction set of this machine" in done.stderr
    assert '"abacus"' in done.stderr


def test_the_wheel_is_whole(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet"]
    work = f"--config-settings=build-dir={tmp_path / 'build'}"
    subprocess.run([*build, work, "--wheel-dir", tmp_path, ROOT], check=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    carried = {name.removeprefix("onecell/") for name in names if name.startswith("onecell/")}
    sources = {p.relative_to(ROOT / "src/onecell") for p in (ROOT / "src/onecell").rglob("*.py*")}
    assert {str(p) for p in sources if "__pycache__" not in p.parts} <= carried
    assert "py.typed" in carried
    assert any(name.startswith("_kernel.") and name.endswith(".so") for name in carried)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith(("tests/", "kernel/"))]


def test_the_source_distribution_has_all_that_its_tests_read(tmp_path: Path) -> None:
    code = f"from scikit_build_core.build import build_sdist; build_sdist({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True)
    (path,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        carried = {name.partition("/")[2] for name in archive.getnames()}
    made = ("__pycache__", "out")  # by a run, as `make demo` leaves them
    for folder in ("docs", "kernel", "benchmarks", "examples", "tests", "src/onecell"):
        wanted = {
            str(each.relative_to(ROOT))
            for suffix in "py md json svg h c cpp txt map".split()  # noqa: SIM905 - one line
            for each in (ROOT / folder).rglob(f"*.{suffix}")
            if not set(made) & set(each.parts) and each.parent.name != "results"
        }
        assert wanted
        assert wanted - carried == set()


def test_all_say_one_version() -> None:
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.M)
    told = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.M)
    assert cited is not None
    assert told is not None
    assert cited[1] == told[1] == metadata.version("onecell")
