"""Run a MindSpore program as it is, past the first operator of its process.

On NumPy 2 that operator raises SystemError in MindSpore 2.10. Programs that use onecell's cell do
not need this: `import onecell.mindspore` sees to it.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from onecell.mindspore.first_operator import get_over_first_operator

if __name__ == "__main__":
    get_over_first_operator()
    del sys.argv[0]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    runpy.run_path(sys.argv[0], run_name="__main__")
