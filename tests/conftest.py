"""What all tests share: `builders` importable from every folder (pytest puts this one on the path), and no test that a busy machine makes fail."""

import os

from hypothesis import HealthCheck, settings

# How long an example takes to be made, or to run, says something of the machine and nothing of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

# Whatever the machine speaks, tests read both languages; those of one language say so.
os.environ["LC_ALL"] = "C.UTF-8"
