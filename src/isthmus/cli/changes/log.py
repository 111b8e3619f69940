"""`isthmus changes log`: CHANGELOG.md from the entries."""

from __future__ import annotations

from pathlib import Path


def log() -> int:
    """Write CHANGELOG.md anew from the entries in the working tree, as after a merge; the README where there is none.

    It is a command of its own, and no option of check: check reads what git holds and writes nothing.

    Exit codes: 0 written, 2 the settings cannot be used.
    """
    from isthmus.cli.output import out, show_hint
    from isthmus.govern.changes.writing import write_log
    from isthmus.govern.settings import find_project

    for file in write_log(find_project(Path.cwd(), section="changes")):
        out.print(str(file), markup=False, soft_wrap=True)
    show_hint(out, "git add it, with every entry.", indent=0)
    return 0
