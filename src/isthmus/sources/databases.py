"""The databases that a source holds, in words: which are there, and how one of them is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from isthmus.sources.shown import quoted, shown
from isthmus.work.listed import listed as some

SERVER_DATABASES = frozenset({"admin", "config", "local"})
"""What a server keeps for itself; nobody means to carry it."""

_LISTED = 10
_OFFERED = 5


def listed(names: Sequence[str]) -> str:
    """Return `the database a`, `the databases a, b`; of many the first ten and how many more there are."""
    return f"{'the database' if len(names) == 1 else 'the databases'} {some([shown(name) for name in names], _LISTED)}"


def offered(names: Sequence[str]) -> str:
    """Return the options that choose a database, as a shell takes them: `--db a, --db b or --db c`.

    The server's own are offered only where there is nothing else; of many, the first five and how many more.
    """
    mine = [name for name in names if name not in SERVER_DATABASES] or list(names)
    options = [f"--db {quoted(name)}" for name in mine[:_OFFERED]]
    if len(mine) > _OFFERED:
        options.append(f"{'another one' if len(mine) == _OFFERED + 1 else f'one of {len(mine) - _OFFERED:,} more'}")
    return options[0] if len(options) == 1 else f"{', '.join(options[:-1])} or {options[-1]}"
