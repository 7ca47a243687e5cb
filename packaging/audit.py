"""Look into wheels before anybody installs them: what they carry, ask of a system, and give away.

python packaging/audit.py WHEEL ... ends with 1 where anything is amiss, and says what.
"""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import IO

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile

LARGEST = 4 << 20  # bytes of a wheel, which PyPI keeps for ever
# Of every Linux with the GNU C library; whatever else is asked for must lie in the wheel.
SYSTEM = re.compile(r"(libc|libm|libdl|libpthread|libgcc_s|libstdc\+\+|ld-linux-[\w-]+)\.so\.\d+")
ROOM = re.compile(r"onecell(-[\d.]+\.dist-info)?/")


def faults(path: Path) -> list[str]:
    """Return what is amiss with a wheel, a line each."""
    with zipfile.ZipFile(path) as wheel:
        names = wheel.namelist()
        found = [f"{name} is out of place" for name in names if not ROOM.match(name)]
        found += [
            f"{wanted} is missing"
            for wanted in ("onecell/py.typed", "onecell/_kernel.pyi", "licenses/LICENSE")
            if not any(name.endswith(wanted) for name in names)
        ]
        if path.stat().st_size > LARGEST:
            found.append(f"it has {path.stat().st_size} bytes, more than {LARGEST}")
        compiled = [name for name in names if name.endswith(".so")]
        if len(compiled) != 1:
            found.append(f"it has compiled modules {compiled}, not one")
        for name in compiled:
            with wheel.open(name) as module:
                found += [f"{name} {fault}" for fault in _faults_of_module(module)]
    return found


def _faults_of_module(file: IO[bytes]) -> list[str]:
    try:
        module = ELFFile(file)
    except ELFError:
        return ["is no module of Linux"]
    found = [
        f"has debug information, {section.name}"
        for section in module.iter_sections()
        if section.name.startswith(".debug")
    ]
    dynamic = module.get_section_by_name(".dynamic")
    assert isinstance(dynamic, DynamicSection)
    for tag in dynamic.iter_tags():
        if tag.entry.d_tag in {"DT_RPATH", "DT_RUNPATH"}:
            found.append("says where to look for libraries, which lies on the machine of its maker")
        if tag.entry.d_tag == "DT_NEEDED" and not SYSTEM.fullmatch(tag.needed):
            found.append(f"needs {tag.needed}")
    return found


def main(paths: list[Path]) -> int:
    """Audit wheels by their contents, those of the stable interface by abi3audit too."""
    status = 0 if paths else 1
    for path in paths:
        found = faults(path)
        size = f"{path.stat().st_size / 1e6:.2f} MB"
        print(f"{path.name}: {size}, {'; '.join(found) or 'as it should be'}", flush=True)
        status |= bool(found)
        if "-abi3-" in path.name:
            audit = [sys.executable, "-m", "abi3audit", "--strict", "--summary", str(path)]
            status |= subprocess.run(audit, check=False).returncode
    return status


if __name__ == "__main__":
    sys.exit(main([Path(each) for each in sys.argv[1:]]))
