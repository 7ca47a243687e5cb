"""What a reader needs to know of the machine, to compare."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any, Final

import onecell

LIBRARIES: Final = (
    "onecell", "numpy", "torch", "onnxruntime", "jax", "openvino", "mindspore"
)  # fmt: skip


def describe() -> dict[str, Any]:
    """Return processor, CPUs that this process may use, caches, instruction set and versions."""
    return {
        "processor": _processor(),
        "cpus": len(os.sched_getaffinity(0)),
        "caches": _caches(),
        "isa": onecell.isa(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: version for name in LIBRARIES if (version := _version(name))},
    }


def busy() -> float:
    """Return how many others ran on average over the last minute; more than a half disturbs."""
    return os.getloadavg()[0]


def _version(name: str) -> str | None:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(name)
    return None


def _processor() -> str:
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    return platform.processor() or platform.machine()


def _caches() -> dict[str, str]:
    """Return the size of each cache that the first CPU sees."""
    found = {}
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        with contextlib.suppress(OSError):
            level, kind, size = (
                (folder / name).read_text().strip() for name in ("level", "type", "size")
            )
            if kind != "Instruction":
                found[f"L{level}"] = size
    return found
