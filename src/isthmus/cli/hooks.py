"""`isthmus hooks`: let git ask isthmus before every commit."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Let git ask isthmus before every commit.", no_args_is_help=True)

_DONE = {
    "written": "written",
    "added": "isthmus was added to what was there",
    "renewed": "renewed",
    "unchanged": "as it should be",
    "removed": "isthmus was taken out",
}


@app.callback()
def _root() -> None:  # pyright: ignore[reportUnusedFunction]  makes `install` a subcommand
    """Let git ask isthmus before every commit."""


@app.command("install")
def install(
    remove: Annotated[bool, typer.Option("--remove", help="Take it out again.")] = False,
) -> int:
    """Put isthmus schema check --staged and changes check --staged into git's hooks pre-commit and pre-merge-commit.

    Each is asked where the settings have what it is about. What stands in a hook already stays, and runs behind it.
    With husky the hooks in .husky are written; lefthook and the pre-commit framework write theirs anew, so what to tell
    them is said instead. Safe to repeat. --no-verify passes hooks over, so let CI run isthmus schema check --base and
    isthmus changes check --base as well.

    Exit codes: 0 done, 2 the settings, the repository or a hook that is there cannot be used; nothing was written.
    """
    from isthmus.cli.output import out
    from isthmus.govern import hooks
    from isthmus.govern.repository.git import Repository
    from isthmus.govern.repository.places import place_of
    from isthmus.govern.settings import find_project

    if remove:
        done = hooks.remove(Repository.around(Path.cwd()))
    else:
        project = find_project(Path.cwd())
        repository = Repository.around(project.folder)
        executable = _executable()
        commands = ["schema check --staged"] if project.settings.schemas else []
        commands += ["changes check --staged"] if project.settings.changes is not None else []
        done = hooks.install(repository, commands, executable, place=place_of(repository, project, "."))
    for one in done:
        out.print(f"{one.file}: {_DONE[one.done]}", markup=False, soft_wrap=True)
    if remove and not done:
        out.print("No hook asks isthmus.")
    return 0


def _executable() -> str:
    """Return where `isthmus` is: beside the Python that runs it, where an installation puts it, or as it was called."""
    beside = Path(sys.executable).with_name("isthmus")
    return str(beside) if beside.is_file() else shutil.which(sys.argv[0]) or sys.argv[0]
