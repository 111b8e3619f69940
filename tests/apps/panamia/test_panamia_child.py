"""A command as a process of its own, and the signal that comes before it has begun.

Oracle: the exit code that the child alone can have.
"""

from __future__ import annotations

import subprocess
import sys

from tests.apps.panamia.conftest import HOME

# Popen reads the environment behind the moment when signals are ours, and before there is a child.
EARLY = """
import os, signal, sys
from apps.panamia.moving.child import run_child
class Environment(dict):
    def items(self):
        os.kill(os.getpid(), signal.SIGTERM)
        return super().items()
sys.exit(run_child([sys.executable, "-c", "import time; time.sleep(25)"], Environment(os.environ), quiet=False))
"""


def test_a_signal_before_the_child_is_there_ends_it_all_the_same() -> None:
    ran = subprocess.run([sys.executable, "-c", EARLY], cwd=HOME.parents[1], check=False, timeout=60)
    assert ran.returncode == 128 + 15
