"""The compiled probes: built when first asked for, from `benchmarks/probes`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from bench.contenders import Missing

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "benchmarks"


def _cmake() -> str:
    """Return the environment's own cmake, or the system's."""
    beside = Path(sys.executable).with_name("cmake")
    found = str(beside) if beside.exists() else shutil.which("cmake")
    if found is None:
        raise Missing("the probes need cmake and a C++20 compiler, and there is no cmake")
    return found


@cache
def build() -> Path:
    """Compile the probes, where they are not up to date, and return their folder.

    Raises:
        Missing: no compiler, or it does not compile them; the message has its last lines.
    """
    cmake = _cmake()
    configure = [cmake, "-S", str(ROOT / "benchmarks" / "probes"), "-B", str(BUILD)]
    configure += ["-DCMAKE_BUILD_TYPE=Release", "-Wno-dev"]
    for command in (configure, [cmake, "--build", str(BUILD), "--parallel", "2"]):
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            last = (done.stdout + done.stderr).strip().splitlines()[-3:]
            raise Missing(f"the probes do not compile: {' | '.join(last)}")
    return BUILD


def ceilings(threads: int, before: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the multiply-add rate and the reading bandwidth of this machine, of 1 and all threads.

    A ceiling is the most that was seen: given what was found `before`, the higher of the two.

    Raises:
        Missing: the probe cannot be built.
    """
    program = build() / "roofline"
    allowed = sorted(os.sched_getaffinity(0))[:threads]

    def bind() -> None:
        os.sched_setaffinity(0, allowed)

    text = subprocess.check_output([program, str(threads)], text=True, preexec_fn=bind)
    found: dict[str, Any] = json.loads(text)
    for run, older in zip(found["runs"], before["runs"] if before else (), strict=False):
        run["gflops"] = max(run["gflops"], older["gflops"])
        for read, other in zip(run["reads"], older["reads"], strict=True):
            read["gbytes"] = max(read["gbytes"], other["gbytes"])
    return found
