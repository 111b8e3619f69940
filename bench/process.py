"""Run a command and measure it: seconds, processor time, resident memory of its process tree. Linux only."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
SAMPLE_SECONDS = 0.01


@dataclass(frozen=True)
class Measured:
    """What one command cost.

    Attributes:
        code: Exit code.
        began_at: Seconds of the monotonic clock.
        seconds: From start to exit.
        cpu_seconds: User and system time of the process and the children it waited for.
        peak_bytes: Largest sampled sum of resident memory over the process tree; None when not sampled.
        longest_gap_seconds: Longest time between two samples; None when not sampled.
        output: Standard output and standard error.
    """

    code: int
    began_at: float
    seconds: float
    cpu_seconds: float
    peak_bytes: int | None
    longest_gap_seconds: float | None
    output: str


def run(command: Sequence[str], *, sample_memory: bool = False, folder: Path | None = None) -> Measured:
    """Run a command to its end.

    Args:
        command: Program and arguments.
        sample_memory: Whether to look at the tree's resident memory every 10 ms.
        folder: Where it is started; None for here.
    """
    began_at = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder) as child:
        sampler = Sampler(child.pid) if sample_memory else None
        if sampler is not None:
            sampler.start()
        assert child.stdout is not None
        output = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        ended_at = time.monotonic()
        child.returncode = os.waitstatus_to_exitcode(status)
        if sampler is not None:
            sampler.stop()
    return Measured(
        child.returncode,
        began_at,
        ended_at - began_at,
        usage.ru_utime + usage.ru_stime,
        sampler.peak_bytes if sampler is not None else None,
        sampler.longest_gap_seconds if sampler is not None else None,
        output,
    )


class Sampler(threading.Thread):
    """Samples the resident memory of a process and all its descendants until stopped."""

    def __init__(self, pid: int) -> None:
        super().__init__(name="memory-sampler", daemon=True)
        self._pid = pid
        self._stopped = threading.Event()
        self.peak_bytes = 0
        self.longest_gap_seconds = 0.0

    def run(self) -> None:
        last = time.monotonic()
        while not self._stopped.wait(SAMPLE_SECONDS):
            self.peak_bytes = max(self.peak_bytes, sum(_resident_bytes(pid) for pid in tree(self._pid)))
            now = time.monotonic()
            self.longest_gap_seconds = max(self.longest_gap_seconds, now - last)
            last = now

    def stop(self) -> None:
        """End the sampling and wait for it."""
        self._stopped.set()
        self.join()


def tree(pid: int) -> list[int]:
    """Return a process and its descendants, as far as they live."""
    found = [pid]
    for one in found:
        with suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0


def high_water_bytes(pid: int) -> int:
    """Return the kernel's own peak of a process's resident memory (VmHWM), 0 when it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def tree_cpu_seconds(pid: int) -> float:
    """Return processor time of a process, its living descendants and every child they waited for."""
    ticks = 0
    for one in tree(pid):
        with suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(int(value) for value in fields[11:15])
    return ticks / _TICKS
