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

import audit

ROOT = Path(__file__).parents[1]
FRAMEWORKS = ("torch", "mindspore", "typer", "rich", "safetensors", "ml_dtypes", "google.protobuf")


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=300,
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


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a wheel where the editable install was built, which has most of it ready."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet"]
    subprocess.run([*build, "--wheel-dir", folder, ROOT], check=True, timeout=300)
    (made,) = folder.glob("*.whl")
    return made


def test_the_wheel_is_whole(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    carried = {name.removeprefix("onecell/") for name in names if name.startswith("onecell/")}
    sources = {p.relative_to(ROOT / "src/onecell") for p in (ROOT / "src/onecell").rglob("*.py*")}
    assert {str(p) for p in sources if "__pycache__" not in p.parts} <= carried
    assert audit.faults(wheel) == []


def changed(wheel: Path, folder: Path, *, more: str = "", less: str = "", module: Path) -> Path:
    """Copy a wheel, with its compiled module replaced, one file more, or one less."""
    copy = folder / wheel.name
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(copy, "w") as new:
        for name in old.namelist():
            if name != less:
                new.writestr(name, module.read_bytes() if name.endswith(".so") else old.read(name))
        if more:
            new.writestr(more, "")
    return copy


def test_an_audit_finds_what_a_wheel_must_not_be(wheel: Path, tmp_path: Path) -> None:
    source, poor = tmp_path / "a.cpp", tmp_path / "poor.so"
    source.write_text("int two() { return 2; }")
    link = ["-Wl,--no-as-needed", "-lresolv", "-Wl,-rpath,/home/maker/lib"]
    subprocess.run(["g++", "-g", "-shared", "-fPIC", source, "-o", poor, *link], check=True)
    found = "; ".join(audit.faults(changed(wheel, tmp_path, module=poor)))
    for fault in ("debug information", "where to look for libraries", "needs libresolv"):
        assert fault in found
    told = audit.faults(changed(wheel, tmp_path, module=poor, less="onecell/py.typed"))
    assert "onecell/py.typed is missing" in told
    told = audit.faults(changed(wheel, tmp_path, module=poor, more="tests/test_a.py"))
    assert "tests/test_a.py is out of place" in told
    told = audit.faults(changed(wheel, tmp_path, module=poor, more="onecell/b.so"))
    assert any("not one" in fault for fault in told)
    assert "onecell/b.so is no module of Linux" in told


@pytest.mark.parametrize(("named", "version"), [("GNU", "10.4"), ("Clang", "13.0")])
def test_an_older_compiler_is_refused_by_name(named: str, version: str, tmp_path: Path) -> None:
    pretend = {"FORCED": "TRUE", "ID": named, "VERSION": version}
    told = subprocess.run(
        [
            Path(sys.executable).parent / "cmake", "-S", ROOT / "kernel", "-B", tmp_path,
            *(f"-DCMAKE_CXX_COMPILER_{name}={value}" for name, value in pretend.items()),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode != 0
    assert f"Found {named} {version}" in " ".join(told.stderr.split())


def test_the_source_distribution_has_all_that_its_tests_read(tmp_path: Path) -> None:
    code = f"from scikit_build_core.build import build_sdist; build_sdist({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True)
    (path,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        carried = {name.partition("/")[2] for name in archive.getnames()}
    made = ("__pycache__", "out")  # by a run, as `make demo` leaves them
    loose = ("CMakeLists.txt", "Makefile", "constraints.txt", "LICENSE", "CITATION.cff")
    assert {*loose, "README.md", "PKG-INFO", "pyproject.toml"} <= carried
    outside = {name.partition("/")[0] for name in carried} - {p.name for p in ROOT.iterdir()}
    assert outside <= {"", "PKG-INFO"}
    hidden = {name for name in carried if name.startswith((".", "build", "dist"))}
    assert hidden <= {".clang-format", ".gitignore", ".readthedocs.yaml"}
    folders = ("docs", "kernel", "bindings", "benchmarks", "examples", "packaging", "tests")
    for folder in (*folders, "src/onecell"):
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


def test_workflows_call_make_and_nothing_cleverer() -> None:
    verbs = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    files = [*(ROOT / ".github" / "workflows").glob("*.yml")]
    assert files or not (ROOT / ".git").exists()  # a source distribution has none
    for file in files:
        commands = re.findall(r"^.*\brun: (.+)$", file.read_text(), re.M)
        assert commands
        for command in commands:
            called = re.search(r"\bmake (?:--silent )?([a-z -]+)", command)
            assert called is not None, command
            assert set(called[1].split()) <= verbs
