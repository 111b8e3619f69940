"""Which column type takes every value that was met at a path, exactly. Pure.

What no type takes exactly goes to jsonb, which takes everything. The types are told apart by what BSON says, never by
what a text looks like: a date written as text stays text, and a comment says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from isthmus.mapping.types import INTEGER_RANGES
from isthmus.survey.profile import Node
from isthmus.survey.propose.figures import several, share
from isthmus.survey.propose.proposal import CHECK

_NUMBERS = frozenset({"int", "long", "double", "decimal"})
_TEXTS = frozenset({"string", "symbol"})
_EXACT_DOUBLE = 2**53
_FEW_DATES_OUT = 0.05
"""Share of dates beyond PostgreSQL's years up to which they become infinite rather than all dates JSON."""
_OPAQUE = frozenset({"javascript", "javascriptWithScope", "regex", "dbPointer", "timestamp", "minKey", "maxKey"})


@dataclass(frozen=True)
class Chosen:
    """A column type.

    Attributes:
        type: As a mapping writes it.
        notes: Comments.
        policies: Those without which it refuses some values, which are replaced.
    """

    type: str
    notes: tuple[str, ...] = ()
    policies: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def is_plain(self) -> bool:
        """Whether it holds single values that an ordinary index takes."""
        return self.type not in {"jsonb", "bytea"} and not self.type.endswith("[]")


def choose_type(node: Node, *, hidden: bool = False) -> Chosen:
    """Choose the type of a column.

    Args:
        node: What was met at the field.
        hidden: Whether nothing of the values may be told.
    """
    kinds = set(node.kinds)
    if not kinds:
        met = "only null was met" if node.present else "no value was met"
        return Chosen("jsonb", (f"{CHECK}{met}, so the type is open",))
    if kinds == {"array"}:
        return _array(node)
    scalar = scalar_type(node)
    if scalar is not None:
        return Chosen(scalar.type, (*scalar.notes, *([] if hidden else _remarks(node, scalar.type))), scalar.policies)
    return Chosen("jsonb", tuple(_why_json(node)))


def scalar_type(node: Node) -> Chosen | None:
    """Choose the type that takes all scalars of a node exactly; None where there is none but jsonb."""
    kinds = set(node.kinds)
    if kinds <= _TEXTS or kinds == {"objectId"}:
        return Chosen("text")
    if kinds <= _TEXTS | {"objectId"}:
        return Chosen("text", (f"ObjectIds as their 24 digits: {several(node.kinds)}",))
    if kinds == {"bool"}:
        return Chosen("boolean")
    if kinds <= _NUMBERS:
        return _number(node)
    if kinds == {"date"}:
        return _date(node)
    if kinds == {"binData"}:
        return _binary(node)
    return None


def fits(type_: str, node: Node) -> bool:
    """Tell whether a column of a scalar type takes every value of a node exactly."""
    kinds = set(node.kinds)
    if not kinds:
        return True
    if type_ == "text":
        return kinds <= _TEXTS | {"objectId"}
    if type_ in INTEGER_RANGES:
        if not kinds <= _NUMBERS - {"decimal"}:
            return False
        low, high = INTEGER_RANGES[type_]
        span = _span(node)
        return _all_whole(node) and (span is None or (low <= span[0] and span[1] <= high))
    if type_ == "numeric":
        return kinds <= _NUMBERS
    if type_ == "double":
        return kinds <= {"int", "double"}
    own = scalar_type(node)
    return own is not None and own.type == type_ and not own.policies


def _number(node: Node) -> Chosen:
    kinds = set(node.kinds)
    if "decimal" in kinds:
        special = node.decimals is not None and (node.decimals.nan or node.decimals.infinite)
        notes = ["NaN and infinities among the decimals stay what they are"] if special else []
        return Chosen("numeric", tuple(notes))
    if "double" not in kinds:
        low, high = node.integers.range if node.integers is not None else (0, 0)
        small = "long" not in kinds and INTEGER_RANGES["integer"][0] <= low and high <= INTEGER_RANGES["integer"][1]
        return Chosen("integer" if small else "bigint")
    if kinds == {"double"}:
        whole = f"{CHECK}all {node.kinds['double']:,} doubles are whole numbers; bigint would take them"
        return Chosen("double", (whole,) if _all_whole(node) and node.kinds["double"] > 1 else ())
    if _all_whole(node):
        return Chosen("bigint", (f"whole numbers of several types: {several(node.kinds)}",))
    low, high = node.integers.range if node.integers is not None else (0, 0)
    if low >= -_EXACT_DOUBLE and high <= _EXACT_DOUBLE:
        return Chosen("double")
    return Chosen("numeric", ("longs beyond 2^53 beside doubles: only numeric holds both exactly",))


def _all_whole(node: Node) -> bool:
    doubles = node.doubles
    return not node.kinds.get("double") or (doubles is not None and doubles.whole == node.kinds["double"])


def _span(node: Node) -> tuple[float, float] | None:
    ranges: list[tuple[float, float]] = []
    if node.integers is not None and (node.kinds.get("int") or node.kinds.get("long")):
        ranges.append(node.integers.range)
    if node.doubles is not None and node.kinds.get("double"):
        if node.doubles.range is None:  # hidden: no more is known than that they are whole
            return (float(-_EXACT_DOUBLE), float(_EXACT_DOUBLE))
        ranges.append(node.doubles.range)
    return (min(low for low, _ in ranges), max(high for _, high in ranges)) if ranges else None


def _date(node: Node) -> Chosen:
    out = node.dates.out_of_range if node.dates is not None else 0
    if not out:
        return Chosen("timestamptz")
    if out > _FEW_DATES_OUT * node.filled:
        return Chosen(
            "jsonb", (f"{CHECK}{share(out, node.filled)} dates lie beyond PostgreSQL's years; JSON keeps them all",)
        )
    return Chosen("timestamptz", policies={"range": "infinity"})


def _binary(node: Node) -> Chosen:
    binaries = node.binaries
    subtypes = {int(one) for one in binaries.subtypes} if binaries is not None else set[int]()
    if binaries is not None and subtypes == {4} and binaries.length == (16, 16):
        return Chosen("uuid")
    if subtypes == {0}:
        return Chosen("bytea")
    if subtypes == {3}:
        return Chosen(
            "jsonb", (f"{CHECK}UUIDs of the old binary subtype 3, whose byte order is not known, stay as they are",)
        )
    return Chosen("jsonb", (f"binary of subtype {', '.join(str(one) for one in sorted(subtypes))} keeps it in JSON",))


def _array(node: Node) -> Chosen:
    arrays, elements = node.arrays, node.elements
    if elements is None or not elements.kinds:
        return Chosen("jsonb", (f"{CHECK}no array holds a value, so the type of the elements is open",))
    if arrays is not None and (arrays.nested or arrays.mixed):
        return Chosen("jsonb", tuple(_why_json_array(elements)))
    scalar = scalar_type(elements)
    if scalar is None or scalar.type == "jsonb":
        return Chosen("jsonb", tuple(_why_json_array(elements)))
    return Chosen(
        f"{scalar.type}[]", tuple(note for note in scalar.notes if "bigint would" not in note), scalar.policies
    )


def _why_json_array(elements: Node) -> list[str]:
    if len(elements.kinds) > 1:
        return [f"{CHECK}elements of several types, which only JSON takes as they are: {several(elements.kinds)}"]
    return []


def _why_json(node: Node) -> list[str]:
    kinds = node.kinds
    if len(kinds) == 1 and set(kinds) & _OPAQUE:
        return [f"{next(iter(kinds))} has no column type; its Extended JSON stands here"]
    if len(kinds) > 1:
        return [f"{CHECK}values of several types, which only JSON takes as they are: {several(kinds)}"]
    return []


_LOOKS = (
    ("date", "dates written as text; timestamptz with coerce: true takes ISO 8601"),
    ("uuid", "UUIDs written as text; uuid with coerce: true takes them"),
    ("number", "numbers written as text; numeric with coerce: true takes them"),
)


def _remarks(node: Node, type_: str) -> list[str]:
    texts = node.texts
    if type_ != "text" or texts is None or node.kinds.get("string") != node.filled or node.filled < 2:
        return []
    for look, meaning in _LOOKS:
        if getattr(texts, look) == node.filled:
            if look == "number" and texts.zero_led:
                return [f"numbers, {texts.zero_led:,} of them with leading zeros, which only a text keeps"]
            return [f"{CHECK}all {node.filled:,} values are {meaning}"]
    return []
