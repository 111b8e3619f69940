"""What is done to a value before it is converted: texts are normalised, listed values are replaced.

`trim` takes the characters with the Unicode property White_Space from both ends (PropList.txt; U+200B is none of them,
U+0085 and the no-break space are), `lower` is Unicode's default lower-casing, full mapping, of no language.

Blind spot: lower-casing follows the Unicode version of the running Python; a core with a later one knows more letters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from isthmus.verify.reference import became, bson
from isthmus.verify.reference.became import Word
from isthmus.verify.reference.bson import Value
from isthmus.verify.reference.ids import canonical
from isthmus.verify.reference.json_values import Noted, Policies, text_of
from isthmus.verify.reference.literals import as_bson
from isthmus.verify.reference.rules import Values

_BLANKS = (*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)
WHITE_SPACE = "".join(map(chr, _BLANKS))

Listed = Callable[[str], None]
"""Takes the kind of a change whose original cannot be told from the result."""

Told = Callable[[Word, Any], None]
"""Takes what a value was, as the author names it, and what the column holds instead."""


def normalised(value: Value, how: tuple[str, ...], policies: Policies, note: Noted, listed: Listed) -> Value:
    """A text trimmed, then lower-cased, as far as it is asked for; every other value as it is.

    What PostgreSQL cannot hold leaves the text first, by the policies of the column.
    """
    if not how or value.type not in (bson.STRING, bson.SYMBOL):
        return value
    before = text_of(value.data, policies, note)
    after = before.strip(WHITE_SPACE) if "trim" in how else before
    if "lower" in how:
        after = after.lower()
    if after != before:
        note("normalised")
        listed("normalised")
    return Value(bson.STRING, after.encode("utf-8"), b"")


def replaced(value: Value, values: Values, note: Noted, listed: Listed, told: Told) -> tuple[Any] | None:
    """What the column holds instead of this value, as the one item of a tuple; None when it is to be converted."""
    for said, becomes in values.pairs:
        if canonical(value) == canonical(as_bson(said)):
            note("value_mapped")
            told(became.value(said), becomes)
            if sum(other == becomes for _, other in values.pairs) > 1:
                listed("value_mapped")
            return (becomes,)
    if values.others is not None:
        note("value_mapped")
        listed("value_mapped")
        told(became.word("*"), values.others[0])
    return values.others
