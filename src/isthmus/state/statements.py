"""Load named SQL statements from `.sql` files: of this package, and of others that keep theirs the same way.

Each file holds statements that begin with a line `-- name: NAME` and a line that says what they are for. Statements
take psycopg's named parameters.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from isthmus.errors import InternalError

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def statements(file: str, package: str = "isthmus.state") -> dict[str, bytes]:
    """Return name → statement of a file, in its order.

    Args:
        file: File name without `.sql`, below the folder `sql` of the package.
        package: Its full name.
    """
    text = files(package).joinpath("sql", f"{file}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)
    return {name: body.strip().encode() for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def statement(file: str, name: str) -> bytes:
    """Return one named statement.

    Args:
        file: File name without `.sql`, below `isthmus/state/sql`.
        name: The statement's name.

    Returns:
        The SQL as bytes, as psycopg takes constant statements.

    Raises:
        InternalError: No such file or name.
    """
    try:
        return statements(file)[name]
    except (KeyError, FileNotFoundError) as fault:
        raise InternalError(f"There is no SQL statement {name} in {file}.sql.", code="no-statement") from fault
