"""Folders that the settings of HEAD or of the base govern, and those of now do not. Pure.

A folder that is moved together with its line in the settings would else be a new one, whose files nothing holds against
what they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from isthmus.govern.changes.names import FOLDER as ENTRIES
from isthmus.govern.changes.names import KEPT
from isthmus.govern.findings import Finding
from isthmus.govern.migrations.names import is_exempt
from isthmus.govern.repository.tree import Tree
from isthmus.govern.settings import ChangesSettings, Settings
from isthmus.govern.settings_before import changes_before, folder_of, is_folder, off_in, schemas_before

UNCHANGED, ENTRY_UNCHANGED = "migration-unchanged", "entry-unchanged"
"""The rules that such a folder would pass by; where one was switched off for a folder, that may be given up."""

Files = Callable[[str], Iterable[str]]
"""Returns what a commit holds in a folder of its settings, by paths from that folder."""


def given_up(
    now: Settings, file: str, before: Tree, home: str, texts: Mapping[str, bytes], files: Files
) -> Iterator[Finding]:
    """Yield folders of migrations that a commit's settings name and those of now do not.

    One that holds none in that commit, such as a name that was mistyped, may be given up.

    Args:
        now: The settings.
        file: Where they stand.
        before: The commit.
        home: The project's folder, from the repository's root.
        texts: Object → content.
        files: Asks the commit.
    """
    kept = {one.folder for one in now.schemas}
    for table in schemas_before(before, home, texts):
        folder, layout = folder_of(table), "flat" if table.get("layout") == "flat" else "folders"
        if UNCHANGED in off_in(table) or folder in kept or not is_folder(folder):
            continue
        if any(not is_exempt(one, layout) for one in files(folder)):
            yield _finding(UNCHANGED, file, before, folder, "migrations")


def log_given_up(
    now: ChangesSettings, file: str, before: Tree, home: str, texts: Mapping[str, bytes], files: Files
) -> Iterator[Finding]:
    """Yield the folder of the log, where a commit's settings name another one; as of migrations."""
    table = changes_before(before, home, texts)
    folder = folder_of(table)
    if not table or ENTRY_UNCHANGED in off_in(table) or folder == now.folder or not is_folder(folder):
        return
    if any(one.startswith(f"{ENTRIES}/") and one != f"{ENTRIES}/{KEPT}" for one in files(folder)):
        yield _finding(ENTRY_UNCHANGED, file, before, folder, "entries")


def _finding(rule: str, file: str, before: Tree, folder: str, what: str) -> Finding:
    return Finding(
        file,
        0,
        rule,
        f"The settings of {before.name} name the folder {folder}, and these do not: nothing would look at its {what}.",
        f"Keep it in the settings. To give it up, first commit `off = {{{rule} = …}}` for it.",
    )
