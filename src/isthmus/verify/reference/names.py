"""Names that follow from other names, and paths as texts: what the language means by them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, cast

from isthmus.verify.reference.rules import Path
from isthmus.verify.reference.values import Type

SAME_TYPE = {
    "int": "integer",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double",
    "float": "double",
    "double precision": "double",
    "decimal": "numeric",
    "bool": "boolean",
    "character varying": "varchar",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
}


def split_path(text: str) -> Path:
    """Keys of a dotted path; a dot or a backslash after a backslash belongs to the key."""
    parts = [""]
    escaped = False
    for index, character in enumerate(text):
        if escaped:
            parts[-1] += character
            escaped = False
        elif character == "\\" and text[index + 1 : index + 2] in (".", "\\"):
            escaped = True
        elif character == ".":
            parts.append("")
        else:
            parts[-1] += character
    return tuple(parts)


def stated_path(said: Any) -> Path:
    """A path as dotted text, or as a list of keys."""
    return tuple(map(str, cast("list[Any]", said))) if isinstance(said, list) else split_path(str(said))


def rewrite_path(text: str) -> Path:
    """A path inside jsonb: `[].userId`, `a.b[].c`; `[]` is every element."""
    steps: list[str] = []
    for part in split_path(text):
        name, brackets = part, 0
        while name.endswith("[]"):
            name, brackets = name[:-2], brackets + 1
        steps += [*([name] if name or not brackets else []), *["[]"] * brackets]
    return tuple(steps)


@lru_cache(maxsize=16_384)
def fold(name: str) -> str:
    """`dueDateAt` to `due_date_at`, `documentIDs` to `document_ids`, `ABCThing` to `abc_thing`, `__v` to `v`.

    Whatever is no letter or digit separates words. A capital begins a word after a small letter or a digit, and also at
    the end of a run of capitals that goes on in small letters, unless those are just a plural s.
    """
    words: list[str] = []
    for chunk in re.split(r"[\W_]+", name):
        word = ""
        for index, character in enumerate(chunk):
            before, after = chunk[:index][-1:], chunk[index + 1 : index + 2]
            goes_on = after.islower() and not (after == "s" and not chunk[index + 2 : index + 3].islower())
            if character.isupper() and word and (not before.isupper() or goes_on):
                words.append(word)
                word = ""
            word += character
        if word:
            words.append(word)
    return "_".join(words).lower()


def parse_type(text: str, enums: dict[str, tuple[str, ...]]) -> Type:
    """`numeric(10,2)`, `text[]`, an enum's name: kind, numbers and whether it is an array."""
    array = text.strip().endswith("[]")
    name, _, after = text.strip().removesuffix("[]").strip().partition("(")
    numbers, _, rest = after.partition(")")
    name = name.strip()
    if name in enums:
        return Type("enum", values=enums[name], array=array)
    word = " ".join(f"{name} {rest}".lower().split())
    kind = SAME_TYPE.get(word, word)
    given = [int(number) for number in numbers.split(",")] if numbers else []
    if kind == "varchar":
        return Type(kind, length=given[0] if given else None, array=array)
    if kind == "numeric" and given:
        return Type(kind, precision=given[0], scale=given[1] if len(given) > 1 else 0, array=array)
    return Type(kind, precision=given[0] if given else None, array=array)
