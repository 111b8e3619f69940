"""Folders that the settings of HEAD or of the base govern, and those of now do not. Pure.

A folder that is moved together with its line in the settings would else be a new one, whose files nothing holds against
what they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from isthmus.govern.findings import Finding
from isthmus.govern.repository.tree import Tree
from isthmus.govern.settings import ChangesSettings, Settings
from isthmus.govern.settings_before import changes_before, folder_of, off_in, schemas_before

UNCHANGED, ENTRY_UNCHANGED = "migration-unchanged", "entry-unchanged"
"""The rules that such a folder would pass by; where one was switched off for a folder, that may be given up."""


def given_up(now: Settings, file: str, before: Tree, home: str, texts: Mapping[str, bytes]) -> Iterator[Finding]:
    """Yield folders of migrations that a commit's settings name and those of now do not.

    Args:
        now: The settings.
        file: Where they stand.
        before: The commit.
        home: The project's folder, from the repository's root.
        texts: Object → content.
    """
    kept = {one.folder for one in now.schemas}
    for table in schemas_before(before, home, texts):
        if UNCHANGED not in off_in(table) and folder_of(table) not in kept:
            yield _finding(UNCHANGED, file, before, folder_of(table), "migrations")


def log_given_up(
    now: ChangesSettings, file: str, before: Tree, home: str, texts: Mapping[str, bytes]
) -> Iterator[Finding]:
    """Yield the folder of the log, where a commit's settings name another one; as of migrations."""
    table = changes_before(before, home, texts)
    if table and ENTRY_UNCHANGED not in off_in(table) and folder_of(table) != now.folder:
        yield _finding(ENTRY_UNCHANGED, file, before, folder_of(table), "entries")


def _finding(rule: str, file: str, before: Tree, folder: str, what: str) -> Finding:
    return Finding(
        file,
        0,
        rule,
        f"The settings of {before.name} name the folder {folder}, and these do not: nothing would look at its {what}.",
        f"Keep it in the settings. To give it up, first commit `off = {{{rule} = …}}` for it.",
    )
