"""The site, built once for all of these tests, and what its pages hold."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Browser

from browsers import chromium
from site_pages import Built, read

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, built without a warning; its notebooks are run by other tests."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    built = folder / "site"
    with FileLock(folder / "site.lock"):
        if not (built / "index.html").exists():
            command = [sys.executable, "docs/build.py", str(built), "--no-notebooks"]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr[-6000:]
            assert done.stdout.endswith(f"open {(built / 'index.html').as_uri()}\n")
    return built


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[str, Built]:
    """Place of a page in the site → what is in it."""
    found = sorted(page for language in ("en", "zh") for page in (site / language).rglob("*.html"))
    return {page.relative_to(site).as_posix(): read(page) for page in found}


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Where the site is served."""
    handler = partial(_Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started
