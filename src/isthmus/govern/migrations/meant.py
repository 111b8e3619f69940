"""Which migration a person means: by its name, its number, or words that no other one has. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from isthmus.errors import ConfigError
from isthmus.work.listed import listed

_MOST_NAMES = 12


def meant(names: Sequence[str], wanted: str) -> str:
    """Return the name that somebody means.

    Args:
        names: All there are, in order.
        wanted: A name; else its number, with or without its zeros, or what stands behind the number; else a part.

    Raises:
        ConfigError: It is in no name, or in several (code `unknown-migration`).
    """
    parts = {name: name.partition("_") for name in names}
    ways = (
        [name for name in names if name == wanted],
        [name for name, (number, _, _) in parts.items() if _number(number) == _number(wanted) is not None],
        [name for name, (_, _, words) in parts.items() if words == wanted],
        [name for name in names if wanted and wanted in name],
    )
    found = next((one for one in ways if one), list[str]())
    if len(found) == 1:
        return found[0]
    if found:
        message, shown = f"{wanted} is in the names of {len(found)} migrations.", found
    else:
        message, shown = f"There is no migration {wanted}.", list(names)
    hint = f"Name one of {listed(shown, _MOST_NAMES)}." if shown else "The folder has none."
    raise ConfigError(message, code="unknown-migration", hint=hint)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() else None
