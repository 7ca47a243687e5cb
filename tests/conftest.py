"""What holds for every test: machines may be shared and slow, and a test is not timed."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import HealthCheck, settings

# MindSpore's threads raise an error at whatever call comes next. `launch_blocking` has no effect
# once the process has run an operator, which the file before may have done.
os.environ["MS_DEV_LAUNCH_BLOCKING"] = "1"

# What a command prints is compared with English, whatever the machine's locale.
os.environ["ONECELL_LANG"] = "en"

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def _denormals_are_numbers() -> None:
    """Undo what a convolution of MindSpore's leaves: its thread takes denormals for zero."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)
