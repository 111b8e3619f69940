"""A folder of migrations as a tree of git holds it: what belongs to which, and what belongs to none. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from isthmus.govern.migrations.names import JOURNAL, Name, is_exempt, name_of, owner, rollback_path, sql_path
from isthmus.govern.repository.tree import Blob, Tree
from isthmus.govern.settings import SchemaSettings


@dataclass(frozen=True)
class Migration:
    """One migration.

    Attributes:
        text: What must be its name: the folder's, or the file's without `.sql`.
        name: The name taken apart; None where it has not its form.
        sql: Its SQL; None where that is missing.
        rollback: A rollback of its own file; None where there is none.
        others: What else stands in its folder.
    """

    text: str
    name: Name | None
    sql: Blob | None = None
    rollback: Blob | None = None
    others: tuple[Blob, ...] = ()

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """All that belongs to it."""
        return tuple(one for one in (self.sql, self.rollback, *self.others) if one is not None)

    @property
    def path(self) -> str:
        """A path to name it by."""
        return self.blobs[0].path


@dataclass(frozen=True)
class Folder:
    """A folder of migrations in one tree.

    Attributes:
        path: From the repository's root.
        settings: Its settings.
        migrations: By the text of their names, in order: well-formed ones by number.
        strays: Files that are neither of a migration nor exempt.
        journal: Drizzle's journal; None where there is none.
        exempt: Files that are none of a migration's.
    """

    path: str
    settings: SchemaSettings
    migrations: dict[str, Migration] = field(default_factory=dict[str, Migration])
    strays: tuple[Blob, ...] = ()
    journal: Blob | None = None
    exempt: dict[str, Blob] = field(default_factory=dict[str, Blob])

    @property
    def named(self) -> list[Migration]:
        """Those whose names have their form, in the order in which they are applied."""
        return [one for one in self.migrations.values() if one.name is not None]

    @property
    def blobs(self) -> dict[str, Blob]:
        """Path → every file of a migration."""
        return {blob.path: blob for one in self.migrations.values() for blob in one.blobs}


def read_folder(tree: Tree, path: str, settings: SchemaSettings) -> Folder:
    """Sort what a tree holds in a folder of migrations.

    Args:
        tree: The tree.
        path: The folder, from the repository's root.
        settings: Its settings.
    """
    layout = settings.layout
    files: dict[str, list[Blob]] = {}
    strays: list[Blob] = []
    exempt: dict[str, Blob] = {}
    for blob in tree.below(path):
        inside = blob.path.removeprefix(f"{path}/")
        if is_exempt(inside, layout):
            exempt[inside] = blob
        elif (text := owner(inside, layout)) is not None:
            files.setdefault(text, []).append(blob)
        else:
            strays.append(blob)
    migrations = [_migration(text, blobs, path, settings) for text, blobs in files.items()]
    migrations.sort(key=lambda one: (one.name is None, one.name.order if one.name else (0, one.text)))
    return Folder(path, settings, {one.text: one for one in migrations}, tuple(strays), exempt.get(JOURNAL), exempt)


def _migration(text: str, blobs: list[Blob], path: str, settings: SchemaSettings) -> Migration:
    layout = settings.layout
    sql, rollback = (f"{path}/{part(text, layout)}" for part in (sql_path, rollback_path))
    known = {blob.path: blob for blob in blobs}
    return Migration(
        text,
        name_of(text, settings),
        known.pop(sql, None),
        known.pop(rollback, None),
        tuple(known.values()),
    )
