"""Where tests keep their files: in memory where there is room, for thousands of databases are made and dropped."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

ON_DISK, IN_MEMORY = Path("/tmp"), Path("/dev/shm")  # noqa: S108  every test has a folder of its own there
_ROOMY = 8 * 2**30
"""Bytes; a run of all tests at reduced size holds a few hundred MiB at a time."""


def short_folder() -> Path:
    """Return the folder in memory, or /tmp where there is none, it is tight, or nothing in it may be executed."""
    try:
        found = os.statvfs(IN_MEMORY)
    except OSError:
        return ON_DISK
    if found.f_flag & os.ST_NOEXEC or shutil.disk_usage(IN_MEMORY).free < _ROOMY:
        return ON_DISK
    return IN_MEMORY
