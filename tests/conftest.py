"""What all tests share: `builders` importable from every folder (pytest puts this one on the path), and no test that a busy machine makes fail."""

import os
import sys

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes to be made, or to run, says something of the machine and nothing of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

AS_ON_WINDOWS = os.name == "nt" or "winlike_files" in sys.modules


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if AS_ON_WINDOWS and item.get_closest_marker("posix"):
            item.add_marker(pytest.mark.skip(reason="of POSIX alone"))


# Whatever the machine speaks, tests read both languages; those of one language say so.
os.environ["LC_ALL"] = "C.UTF-8"
