"""Open JSON of mongoexport: a folder of files, or one of them."""

from __future__ import annotations

from pathlib import Path

from isthmus.errors import SourceError, Where
from isthmus.sources.extended_json.folder import list_exported
from isthmus.sources.extended_json.source import JsonSource
from isthmus.sources.shown import shown


def open_json(path: Path, *, database: str | None = None) -> JsonSource:
    """Open a folder or a file; looks at the first 64 KiB of each file.

    Args:
        path: The folder, or the file of one collection.
        database: Checked against the folder's name, for JSON itself names no database.

    Raises:
        SourceError: The folder has another name (`unknown-database`), no collection or no document is there
            (`empty-source`), two files are one collection (`ambiguous-collection`), or a file cannot be read
            (`unreadable`).
    """
    folder = path if path.is_dir() else path.parent
    if database is not None and database != folder.name:
        raise SourceError(
            f"JSON does not say which database it is of, and the folder is called {shown(folder.name)}, not"
            f" {shown(database)}.",
            code="unknown-database",
            where=Where(file=shown(path)),
            hint="If it is the right one, leave --db out.",
        )
    found = list_exported([one for one in folder.iterdir() if one.is_file()] if path.is_dir() else [path])
    readable = [one for one in found.values() if one.info.readable]
    if not any(one.info.bytes_total != 0 for one in readable):
        what = "is empty" if len(found) == len(readable) else "is empty or belongs to the server"
        raise SourceError(
            f"Every collection of the JSON {what}: there is nothing to carry.",
            code="empty-source",
            where=Where(file=shown(path)),
            hint="Was it exported from the right database?",
        )
    return JsonSource(path, found)
