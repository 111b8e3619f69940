"""The block that stands for isthmus in a hook: how it is put into a text, found in it and taken out. Pure.

A hook may be run by another one, as git's own sample lets pre-merge-commit run pre-commit. The block says in the
environment which process it asked for, so that nothing is asked twice; a commit that a hook itself makes is another
process, and is asked for.
"""

from __future__ import annotations

import re
import shlex
import zlib
from collections.abc import Sequence

_BLOCK = re.compile(r"# >>> isthmus(?: (?P<place>.*?))? >>>\n.*?# <<< isthmus(?: (?P=place))? <<<\n", re.DOTALL)
_NOTHING = frozenset({"", "#!/bin/sh"})
"""What a hook holds that does nothing."""


def with_block(text: str | None, commands: Sequence[str], executable: str, place: str = "") -> str:
    """Return a hook's text with the block behind its first line, in place of one that it has.

    Args:
        text: The hook; None where there is none yet.
        commands: What isthmus is asked, such as `schema check --staged`.
        executable: What to run where isthmus is not on the path.
        place: The project's folder, from the top of the working tree, where hooks begin; empty for that itself.
    """
    block = _block(commands, executable, place)
    if text is None:
        return f"#!/bin/sh\n{block}"
    for found in _BLOCK.finditer(text):
        if (found["place"] or "") == place:
            return text[: found.start()] + block + text[found.end() :]
    if not text.startswith("#!"):
        return block + text
    first, _, rest = text.partition("\n")
    return f"{first}\n{block}{rest}"


def has_block(text: str) -> bool:
    """Tell whether a hook asks isthmus."""
    return _BLOCK.search(text) is not None


def without_blocks(text: str) -> str | None:
    """Return a hook's text without what asks isthmus; None where nothing of it is left."""
    rest = _BLOCK.sub("", text)
    return None if rest.strip() in _NOTHING else rest


def _block(commands: Sequence[str], executable: str, place: str) -> str:
    of = f" {place}" if place else ""
    mark = f"{zlib.crc32(place.encode()):08x}"
    # Below the top git would take the folder for the top where the environment names its own folder alone.
    settled = "GIT_DIR=$(git rev-parse --absolute-git-dir); GIT_WORK_TREE=$PWD; export GIT_DIR GIT_WORK_TREE"
    begun = f"({settled}; cd {shlex.quote(place)} && " if place else ""
    ended = ")" if place else ""
    lines = [
        f"# >>> isthmus{of} >>>",
        'case " ${ISTHMUS_ASKED-} " in',
        f'*" $$:{mark} "* | *" $PPID:{mark} "*) ;;',
        "*)",
        f'  export ISTHMUS_ASKED="${{ISTHMUS_ASKED-}} $$:{mark}"',
        f"  isthmus_command=$(command -v isthmus || echo {shlex.quote(executable)})",
        "  isthmus_code=0",
        *(f'  {begun}"$isthmus_command" {one}{ended} || isthmus_code=$?' for one in commands),
        '  [ "$isthmus_code" -eq 0 ] || exit "$isthmus_code"',
        "  ;;",
        "esac",
        f"# <<< isthmus{of} <<<",
        "",
    ]
    return "\n".join(lines)
