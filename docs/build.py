"""Build the site: a folder a language, and a page that chooses between them.

Example: python docs/build.py build/docs
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parent
LANGUAGES = ("en", "zh")


def main() -> int:
    """Build all languages at once; 1 where one has a warning or an error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="the folder that is filled")
    parser.add_argument("--no-notebooks", action="store_true", help="do not run the notebooks")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    more = ("--define", "nb_execution_mode=off") if options.no_notebooks else ()
    running = [start(language, options.out, *more) for language in LANGUAGES]
    failed = [process.wait() for process in running]
    shutil.copy(DOCS / "site" / "index.html", options.out / "index.html")
    if any(failed):
        return 1
    print(f"The site is in {options.out}: open {(options.out / 'index.html').resolve().as_uri()}")
    return 0


def start(language: str, out: Path, *more: str) -> subprocess.Popen[bytes]:
    """Start Sphinx for one language; what it has made before is kept beside its pages."""
    command = (
        sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going",
        "--conf-dir", DOCS, "--tag", language, "--doctree-dir", out / ".doctrees" / language,
        *more, DOCS / language, out / language,
    )  # fmt: skip
    # Notebooks call `onecell` as at a prompt, and it answers in the language of the page.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"PATH": path, "ONECELL_LANG": language}
    return subprocess.Popen(list(map(str, command)), env=os.environ | own)


if __name__ == "__main__":
    sys.exit(main())
