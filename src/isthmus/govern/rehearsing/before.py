"""What a database has before the first migration: schemas, extensions, rights that somebody else makes.

It stands in `before.sql` beside the migrations. Only scratch databases are given it; a deployer never looks at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from isthmus.errors import ConfigError, Where
from isthmus.govern.migrations.names import BEFORE_FILE, SQL_FILE, Name
from isthmus.govern.migrations.script import Script
from isthmus.govern.schema_json import checksum_of
from isthmus.govern.sql.statements import SqlFault, split


def read_before(scripts: Sequence[Script]) -> list[Script]:
    """Read what the folders of some migrations say of it, each as a script; none where they say nothing.

    Raises:
        ConfigError: It is no SQL (code `bad-before`).
    """
    folders = dict.fromkeys(_folder(Path(one.file)) for one in scripts)
    return [_script(folder / BEFORE_FILE) for folder in folders if (folder / BEFORE_FILE).is_file()]


def _folder(file: Path) -> Path:
    return file.parent.parent if file.name == SQL_FILE else file.parent


def _script(file: Path) -> Script:
    try:
        text = file.read_text(encoding="utf-8")
        statements = tuple(split(text))
    except (UnicodeDecodeError, SqlFault) as fault:
        line = fault.line if isinstance(fault, SqlFault) else None
        said = str(fault) if isinstance(fault, SqlFault) else "it is not UTF-8"
        raise ConfigError(
            f"What comes before the migrations cannot be read: {said}.",
            code="bad-before",
            where=Where(file=str(file), line=line),
        ) from None
    return Script(Name(file.name, "0", "before"), str(file), text, checksum_of(text, None), statements, None)
