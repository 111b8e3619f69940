"""The fields of a collection as rows of a table: how often they are there, of which types, and what is in them. Pure.

An array and what it holds are one row; what its sub-documents hold follows, one level deeper.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from isthmus.survey.profile import ANY_KEY, ELEMENT, Arrays, Binaries, Collapsed, Node, Path, Profile, Texts
from isthmus.survey.report.words import date_text, key_text, number_text, path_text, range_text, value_text
from isthmus.survey.sensitive_names import is_sensitive
from isthmus.work.amounts import plural, share_text, size_text

MOST_VALUES = 12
"""More different values than this are counted, not listed."""
_MOST_VALUE_CHARACTERS = 40

_TYPE_WORDS = {
    "objectId": "ObjectId",
    "binData": "binary",
    "object": "document",
    "long": "long",
    "javascriptWithScope": "javascript",
}
_LOOKS = (
    ("email", "e-mail addresses"),
    ("uuid", "UUIDs"),
    ("hex24", "24 hexadecimal digits"),
    ("url", "URLs"),
    ("date", "ISO dates"),
    ("number", "numbers"),
    ("html", "HTML"),
)


@dataclass(frozen=True)
class Part:
    """One type's share of the values at a path; `null` and `missing` are parts as well.

    Attributes:
        kind: MongoDB's name of the type, `null` or `missing`.
        count: Values, or documents where it is missing.
        whole: Of how many.
    """

    kind: str
    count: int
    whole: int

    @property
    def word(self) -> str:
        """The type for people."""
        return type_word(self.kind)


@dataclass(frozen=True)
class FieldRow:
    """One field.

    Attributes:
        path: Where.
        name: What stands in the table: the last key, with `[]` before it inside of an array.
        depth: How deep it lies inside of others.
        node: What was met there.
        parts: The types of its values, most frequent first, then null and missing.
        elements: The same of the elements of its arrays.
        details: What its values are like: phrases.
        warnings: What PostgreSQL or a reader may stumble over: phrases.
        secret: Whether its values are hidden.
        paths: Its path, and those of its elements.
    """

    path: Path
    name: str
    depth: int
    node: Node
    parts: tuple[Part, ...]
    elements: tuple[Part, ...] = ()
    details: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    secret: bool = False
    paths: tuple[Path, ...] = ()

    @property
    def shares(self) -> tuple[int, int, int]:
        """In how many of the documents that could have it it is present, null and missing."""
        missing = self.node.missing
        null = min(self.node.null, self.node.holders)
        return self.node.holders - null, null, missing

    @property
    def full_name(self) -> str:
        """The whole path for people."""
        return path_text(self.path)

    @property
    def types(self) -> str:
        """The types of its values for people: `string 98 %, int 2 %`, `array of ObjectId`."""
        kinds = [part for part in self.parts if part.kind not in {"null", "missing"}]
        whole = sum(part.count for part in kinds)
        inner = _types_text([part for part in self.elements if part.kind != "missing"])
        words: list[str] = []
        for part in kinds:
            word = f"array of {inner}" if part.kind == "array" and inner else part.word
            words.append(word if len(kinds) == 1 else f"{word} {share_text(part.count, whole)}")
        return ", ".join(words) or ("null" if self.node.null else "–")


def type_word(kind: str) -> str:
    """Return MongoDB's name of a type as people write it."""
    return _TYPE_WORDS.get(kind, kind)


def _types_text(parts: list[Part]) -> str:
    whole = sum(part.count for part in parts)
    if len(parts) == 1:
        return parts[0].word
    return " | ".join(f"{part.word} {share_text(part.count, whole)}" for part in parts)


def field_rows(profile: Profile) -> Iterator[FieldRow]:
    """Yield the fields of a collection as rows, each before what lies inside of it."""
    yield from _inside(profile.root, (), "", 0)


def _inside(node: Node, path: Path, lead: str, depth: int) -> Iterator[FieldRow]:
    children = [(key, key_text(key), child) for key, child in node.fields.items()]
    if node.collapsed is not None:
        children.append((ANY_KEY, ANY_KEY, node.collapsed.node))
    for key, name, child in children:
        yield _row(child, (*path, key), f"{lead}.{name}" if lead else name, depth)
        yield from _inside(child, (*path, key), "", depth + 1)
    if node.elements is not None:
        yield from _inside(node.elements, (*path, ELEMENT), lead + ELEMENT, depth)


def _row(node: Node, path: Path, name: str, depth: int) -> FieldRow:
    chain, paths = [node], [path]
    while chain[-1].elements is not None and chain[-1].elements.present:
        chain.append(chain[-1].elements)
        paths.append((*paths[-1], ELEMENT))
    secret = is_sensitive(path)
    details = [phrase for one in chain for phrase in _details(one, secret=secret, is_id=path == ("_id",))]
    return FieldRow(
        path=path,
        name=name,
        depth=depth,
        node=node,
        parts=_parts(node, missing=True),
        elements=_parts(chain[1], missing=False) if len(chain) > 1 else (),
        details=tuple(dict.fromkeys(details)),
        warnings=tuple(dict.fromkeys(phrase for one in chain for phrase in _warnings(one))),
        secret=secret,
        paths=tuple(paths),
    )


def _parts(node: Node, *, missing: bool) -> tuple[Part, ...]:
    absent = node.missing if missing else 0
    whole = node.present + absent
    parts = [Part(kind, count, whole) for kind, count in node.kinds.items()]
    if node.null:
        parts.append(Part("null", node.null, whole))
    if absent:
        parts.append(Part("missing", absent, whole))
    return tuple(parts)


def _details(node: Node, *, secret: bool, is_id: bool) -> Iterator[str]:
    if secret:
        yield "values hidden: secret by its name"
    labels = _labels(node) if not secret else None
    if node.texts is not None and node.kinds.get("string"):
        yield from _texts(node.texts, node.kinds["string"], mixed=len(node.kinds) > 1, listed_too=labels is not None)
    if not secret:
        yield from _ranges(node, listed_too=labels is not None)
    if node.arrays is not None:
        yield from _arrays(node.arrays, node.kinds.get("array", 0))
    if node.documents is not None:
        documents = node.documents
        if documents.dbref:
            yield f"{plural(documents.dbref, 'DBRef')}"
        if documents.empty:
            yield f"{documents.empty:,} empty"
    if node.collapsed is not None:
        yield keys_text(node.collapsed, secret=secret)
    if node.binaries is not None:
        yield from _binaries(node.binaries)
    if labels is not None:
        yield labels
    elif node.distinct > 1 and node.scalars and not secret and not is_id:
        yield _distinct_text(node)


def _binaries(binaries: Binaries) -> Iterator[str]:
    if set(binaries.subtypes) <= {"3", "4"} and binaries.length == (16, 16):
        yield "UUIDs"
        return
    yield range_text(*map(size_text, binaries.length)) + " each"
    if set(binaries.subtypes) - {"0"}:
        yield f"subtypes {', '.join(sorted(binaries.subtypes))}"


def keys_text(collapsed: Collapsed, *, secret: bool) -> str:
    """Return what is to be said of keys that are data."""
    look = "" if collapsed.look == "mixed" else f" ({dict(_LOOKS).get(collapsed.look, collapsed.look)})"
    known = [] if secret else [key_text(key, 24) for key in collapsed.examples[:3]]
    some = f", such as {', '.join(known)}" if known else ""
    return f"its keys are data: {plural(collapsed.keys, 'different key')}{look}{some}"


def _distinct_text(node: Node) -> str:
    estimate = node.distinct > len(node.sketch) > 0
    if node.distinct >= node.filled:
        return "all different"
    if estimate and node.distinct >= 0.85 * node.filled:
        return "nearly all different, or all"
    return f"{'about ' if estimate else ''}{node.distinct:,} different values"


def _labels(node: Node) -> str | None:
    """Return the values of a field that has few and short ones; addresses and ids are nobody's labels."""
    values, texts = node.values, node.texts
    if not values or len(values) > MOST_VALUES:
        return None
    if texts is not None and (texts.email or texts.url or texts.length[1] > _MOST_VALUE_CHARACTERS):
        return None
    kinds = {kind for (kind, _), _ in values}
    if len(values) > 2 and (kinds <= {"i", "d"} or sum(count for _, count in values) < 2 * len(values)):
        return None
    if "o" in kinds:
        return None
    return ", ".join(f"{value_text(value)} ({count:,})" for value, count in values)


def _texts(texts: Texts, count: int, *, mixed: bool, listed_too: bool) -> Iterator[str]:
    for attribute, word in _LOOKS:
        alike = getattr(texts, attribute)
        if alike and alike >= 0.9 * max(1, count - texts.empty):
            yield f"{'texts are ' if mixed else ''}{'' if alike == count else 'nearly all '}{word}"
            break
        if alike and attribute != "html":
            yield f"{alike:,} look like {word}"
    if texts.zero_led:
        yield f"{texts.zero_led:,} with a leading zero or +, as codes have"
    low, high = texts.length
    same = low == high and count in {texts.hex24, texts.uuid}
    if not listed_too and not same:
        yield f"{range_text(f'{low:,}', f'{high:,}')} {'character' if low == high == 1 else 'characters'}"
    if texts.empty and not listed_too:
        yield f"{texts.empty:,} empty"
    if texts.padded:
        yield f"{texts.padded:,} with a space at an end"


def _ranges(node: Node, *, listed_too: bool) -> Iterator[str]:
    if listed_too:
        return
    if node.integers is not None:
        yield range_text(*map(number_text, node.integers.range))
    if node.doubles is not None:
        if node.doubles.range is not None:
            yield range_text(*map(number_text, node.doubles.range))
        if node.doubles.whole and node.doubles.whole == node.kinds.get("double"):
            yield "all whole"
        elif node.doubles.fraction_digits:
            yield f"up to {plural(node.doubles.fraction_digits, 'digit')} behind the point"
    if node.decimals is not None and node.decimals.range is not None:
        yield range_text(*map(number_text, node.decimals.range))
        before, behind = plural(node.decimals.digits_before, "digit"), node.decimals.digits_after
        yield f"up to {before} before the point and {behind} behind it"
    if node.dates is not None:
        yield range_text(*map(date_text, node.dates.range))
        if node.dates.midnight and node.dates.midnight == node.kinds.get("date"):
            yield "days without a time"


def _arrays(arrays: Arrays, count: int) -> Iterator[str]:
    low, high = arrays.length
    yield f"{range_text(f'{low:,}', f'{high:,}')} {'element' if high == 1 else 'elements'} each"
    if arrays.empty:
        yield "all empty" if arrays.empty == count else f"{arrays.empty:,} empty"


def _warnings(node: Node) -> Iterator[str]:
    """Yield what a copy or a reader may stumble over."""
    texts, arrays = node.texts, node.arrays
    if texts is not None and texts.nul:
        yield f"{plural(texts.nul, 'text')} with NUL"
    if texts is not None and texts.invalid_utf8:
        yield plural(texts.invalid_utf8, "text that is not UTF-8", "texts that are not UTF-8")
    if node.dates is not None and node.dates.out_of_range:
        yield f"{plural(node.dates.out_of_range, 'date')} beyond PostgreSQL's range"
    for numbers in (node.doubles, node.decimals):
        if numbers is not None and numbers.nan:
            yield f"{numbers.nan:,} NaN"
        if numbers is not None and numbers.infinite:
            yield f"{numbers.infinite:,} infinite"
    if arrays is not None and arrays.nested:
        yield plural(arrays.nested, "array that holds arrays", "arrays that hold arrays")
    if arrays is not None and arrays.mixed:
        yield f"{plural(arrays.mixed, 'array')} of several kinds"
    if node.duplicate_keys:
        yield f"the key stands twice in {plural(node.duplicate_keys, 'document')}"
    if node.unlisted:
        yield f"{plural(node.unlisted, 'value')} under further keys that are not followed"
