"""The forms that keys of rows have, and what is wrong with a value that has another. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from uuid import UUID

from isthmus.work.amounts import plural

_CUID2 = re.compile(r"[a-z][a-z0-9]{23}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HEX = re.compile(r"[0-9a-fA-F]{24}")
_OLDER_CUID = re.compile(r"c[a-z0-9]{24}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_OLD_ID = "this is {} of MongoDB, not the id of a row"
_OBJECT_ID = ("bson.objectid", "ObjectId")


@dataclass(frozen=True)
class Pattern:
    """A regular expression that a value fits, or must not fit.

    Attributes:
        text: As Python takes it; looked for anywhere in the value.
        fits: Whether it has to.
    """

    text: str
    fits: bool = True


@dataclass(frozen=True)
class Form:
    """What every key of a column looks like.

    Attributes:
        name: How references call it, such as `cuid2`.
        type: What a key is in Python: `str`, `UUID` or `int`.
        words: What it is, behind "is".
        least: Fewest characters of a text, smallest number.
        most: Most characters of a text, largest number. None for any.
        patterns: What else holds of a text.
    """

    name: str
    type: type
    words: str
    least: int | None = None
    most: int | None = None
    patterns: tuple[Pattern, ...] = field(default=())

    def fault(self, value: object) -> str | None:
        """Return what is wrong with a value, the end of a sentence that begins with "this"; None where nothing is."""
        if (old := self.old_id(value)) is not None:
            return old
        if not isinstance(value, self.type) or isinstance(value, bool):
            return f"this is of type {type(value).__name__}"
        if isinstance(value, str):
            return self._fault_of_text(value)
        if isinstance(value, int) and not (self.least or 0) <= value <= (self.most or value):
            return "this number is out of its range"
        return None

    def old_id(self, value: object) -> str | None:
        """Return the same of an id of MongoDB, where no key can look like one; None of everything else.

        It is told apart before a value is read as what the field holds: an ObjectId is no text, its digits may be one.
        """
        if _is_object_id(value):
            return _OLD_ID.format("an ObjectId")
        if self.name != "text" and isinstance(value, str) and _HEX.fullmatch(value):
            return _OLD_ID.format("the hex text of an ObjectId")
        return None

    def as_json_schema(self) -> dict[str, object]:
        """Return what JSON Schema says of a key, beside its type and its format."""
        if self.name == "cuid2":
            return {"pattern": "^(?![a-f0-9]+$)[a-z][a-z0-9]{23}$"}
        if self.type is int:
            return {"minimum": self.least, "maximum": self.most}
        if self.name == "uuid-text":
            return {"format": "uuid"}
        sizes = {"minLength": self.least, "maxLength": self.most} if self.type is str else {}
        return {name: size for name, size in sizes.items() if size is not None}

    def _fault_of_text(self, value: str) -> str | None:
        if "\0" in value or _SURROGATE.search(value):
            return "this holds characters that PostgreSQL cannot store"
        if self.name == "cuid2" and _CUID2.fullmatch(value) is None:
            return _not_cuid2(value)
        if self.name == "uuid-text" and _UUID.fullmatch(value) is None:
            known = _UUID.fullmatch(value.lower()) is not None
            return "this has capitals" if known else "this is no UUID in 36 characters"
        if not (self.least or 0) <= len(value) <= (self.most or len(value)):
            return f"this has {plural(len(value), 'character')}"
        if any((re.search(one.text, value) is not None) is not one.fits for one in self.patterns):
            return "the CHECK of the column does not let this pass"
        return None


def _is_object_id(value: object) -> bool:
    return any((one.__module__, one.__name__) == _OBJECT_ID for one in type(value).__mro__)


def _not_cuid2(value: str) -> str:
    if _UUID.fullmatch(value.lower()):
        return "this is a UUID"
    if _OLDER_CUID.fullmatch(value):
        return "this has 25 characters and begins with c, as ids of the older cuid do"
    if len(value) != 24:
        return f"this has {plural(len(value), 'character')}"
    if _CUID2.fullmatch(value.lower()):
        return "this has capitals"
    return "this begins with a digit" if value[0].isdigit() else "this has other characters"


def _number(name: str, bits: int) -> Form:
    return Form(name, int, f"a number of {bits} bits", -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


FORMS = {
    one.name: one
    for one in (
        Form("cuid2", str, "a cuid2 (24 of a–z and 0–9, a letter first, not all hex digits)"),
        Form("uuid", UUID, "a UUID"),
        Form("uuid-text", str, "the text of a UUID (36 characters, lower case)"),
        _number("smallint", 16),
        _number("integer", 32),
        _number("bigint", 64),
        Form("text", str, "a text"),
    )
}
"""Name → form, as a reference or `info={"form": …}` of a column may say it."""


def text_form(*, least: int | None = None, most: int | None = None, patterns: tuple[Pattern, ...] = ()) -> Form:
    """Return the form of texts of which more is known than that they are texts.

    Args:
        least: Fewest characters.
        most: Most characters.
        patterns: What else holds.
    """
    return Form("text", str, f"a text{_sizes(least, most)}", least, most, patterns)


def _sizes(least: int | None, most: int | None) -> str:
    if least is None:
        return "" if most is None else f" of at most {most} characters"
    if most is None:
        return f" of at least {least} characters"
    return f" of {most} characters" if least == most else f" of {least} to {most} characters"
