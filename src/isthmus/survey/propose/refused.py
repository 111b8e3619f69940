"""What PostgreSQL refuses of a field's values: the policy that each needs, and the comment on what becomes of it. Pure.

A new mapping states its policies once, for all columns. Beside a mapping that is there, what it states is followed; for
what it does not state a new column has a policy of its own, so that nothing changes for the columns there are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from isthmus.mapping.model import Mapping
from isthmus.survey.profile import Node
from isthmus.survey.propose.figures import share
from isthmus.survey.propose.proposal import CHECK
from isthmus.work.amounts import plural

MENDED = {"nul": "remove", "utf8": "replace", "nan": "null", "range": "infinity"}
"""Policy → the word by which a value is carried, though not as it is."""
_REFUSES = "dead_letter"
_WHOLE_FILE = ("nul", "utf8", "nan")
"""Policies that a new mapping states for all columns; the others stand at the columns that need them."""
_RAW_TEXTS = frozenset({"javascript", "javascriptWithScope", "symbol", "regex", "dbPointer"})
"""Types that hold texts whose bytes the profile does not look at."""
_REPLACEMENT = "\ufffd"
_LISTED = "isthmus.adjustment lists the originals"


@dataclass(frozen=True)
class Standing:
    """The policies of the mapping that columns are proposed for.

    Attributes:
        words: Policy → the word that is stated for the whole file; what is not in it, columns state themselves.
    """

    words: dict[str, str] = field(default_factory=lambda: {name: MENDED[name] for name in _WHOLE_FILE})

    @property
    def dates_vanish(self) -> bool:
        """Whether dates that PostgreSQL cannot hold become NULL, which no column that is required takes."""
        return self.words.get("range") == "null"

    @property
    def refusing(self) -> tuple[str, ...]:
        """Policies by which what goes to extras makes its document a dead letter."""
        return tuple(name for name in _WHOLE_FILE if self.words.get(name, _REFUSES) == _REFUSES)


def standing_of(mapping: Mapping | None, stated: Collection[str]) -> Standing:
    """Return the policies of a mapping that is there, or of a new one.

    Args:
        mapping: The one that is there.
        stated: Names of the policies that its file states.
    """
    if mapping is None:
        return Standing()
    return Standing({name: getattr(mapping.policies, name) for name in MENDED if name in stated})


@dataclass(frozen=True)
class Refused:
    """How many values of a field PostgreSQL cannot hold.

    Attributes:
        nul: Texts that hold NUL.
        utf8: Texts that are not UTF-8, and keys of documents inside.
        nan: Numbers that are NaN or infinite.
        raw: Values that hold texts nobody looked at.
    """

    nul: int = 0
    utf8: int = 0
    nan: int = 0
    raw: int = 0


def count_refused(node: Node) -> Refused:
    """Count what stands at a field and below it."""
    found = [_own(one) for one in nodes(node)]
    return Refused(
        sum(one.nul for one in found),
        sum(one.utf8 for one in found),
        sum(one.nan for one in found),
        sum(one.raw for one in found),
    )


def _own(node: Node) -> Refused:
    texts, doubles, decimals = node.texts, node.doubles, node.decimals
    return Refused(
        texts.nul if texts is not None else 0,
        (texts.invalid_utf8 if texts is not None else 0) + sum(_REPLACEMENT in key for key in node.fields),
        (doubles.nan + doubles.infinite if doubles is not None else 0)
        + (decimals.nan + decimals.infinite if decimals is not None else 0),
        sum(node.types.get(kind, 0) for kind in _RAW_TEXTS),
    )


def nodes(node: Node) -> Iterator[Node]:
    """Yield a node and all below it."""
    yield node
    for child in node.fields.values():
        yield from nodes(child)
    if node.collapsed is not None:
        yield from nodes(node.collapsed.node)
    if node.elements is not None:
        yield from nodes(node.elements)


def settle(node: Node, type_: str, said: Standing) -> tuple[list[str], dict[str, str]]:
    """Say what becomes of a column's values that PostgreSQL refuses.

    Args:
        node: What was met at the field.
        type_: Of its column.
        said: What the mapping says of such values.

    Returns:
        Comments, and the policies that the column must state itself.
    """
    needs: dict[str, Callable[[str], list[str]]] = {}
    met = count_refused(node)
    if met.nul or met.raw:
        needs["nul"] = lambda word: _nul(node, type_, met.nul, word)
    if met.utf8 or met.raw:
        needs["utf8"] = lambda word: _utf8(node, type_, met.utf8, word)
    if met.nan and type_ == "jsonb":
        needs["nan"] = lambda word: _nan(met.nan, word)
    late = (node.elements or Node()) if type_.endswith("[]") else node
    if type_.startswith("timestamptz") and late.dates is not None and late.dates.out_of_range:
        needs["range"] = lambda word: _range(late, word)
    notes = [note for name, tell in needs.items() for note in tell(said.words.get(name, MENDED[name]))]
    return notes, {name: MENDED[name] for name in needs if name not in said.words}


def left_over(met: Refused, carried: list[Refused], said: Standing) -> list[str]:
    """Comment on values that go to extras though the mapping's policies refuse them there.

    Args:
        met: Of the whole collection.
        carried: Of what has a column.
        said: What the mapping says of such values.
    """
    notes: list[str] = []
    for name in said.refusing:
        rest = getattr(met, name) - sum(getattr(one, name) for one in carried)
        if rest > 0:
            shown = '"null"' if MENDED[name] == "null" else MENDED[name]
            go, make = ("goes", "makes") if rest == 1 else ("go", "make")
            notes.append(
                f"{CHECK}{plural(rest, 'value')} with {_WHAT[name]} {go} to extras, and {make} dead letters of"
                f" documents as long as the policies of this mapping do not say {name}: {shown}"
            )
    return notes


_WHAT = {"nul": "NUL", "utf8": "what is not UTF-8", "nan": "NaN or infinite numbers"}


def _lost(name: str) -> str:
    return f"which makes their documents dead letters, as {name} in the policies of this mapping says"


def _texts(node: Node, type_: str, met: int) -> str:
    """Name texts: those of a column as a share of its values, those inside of it by their number."""
    if type_ == "jsonb":
        return f"{plural(met, 'text')} inside"
    one = node.elements if type_.endswith("[]") and node.elements is not None else node
    return f"{share(met, one.filled)} texts"


def _nul(node: Node, type_: str, met: int, word: str) -> list[str]:
    if not met:
        return []
    end = f"which is removed; {_LISTED}" if word != _REFUSES else _lost("nul")
    hold = "holds" if type_ == "jsonb" and met == 1 else "hold"
    return [f"{CHECK}{_texts(node, type_, met)} {hold} NUL, {end}"]


def _utf8(node: Node, type_: str, met: int, word: str) -> list[str]:
    if not met:
        return []
    inside = f"{plural(met, 'text or key', 'texts or keys')} inside {'is' if met == 1 else 'are'}"
    what = inside if type_ == "jsonb" else f"{_texts(node, type_, met)} are"
    end = f"; U+FFFD stands for the bytes that are not, {_LISTED}" if word != _REFUSES else f", {_lost('utf8')}"
    return [f"{CHECK}{what} not UTF-8{end}"]


def _nan(met: int, word: str) -> list[str]:
    mended = f"become null, which is all JSON has; {_LISTED}"
    end = mended if word != _REFUSES else f"have no form in JSON, {_lost('nan')}"
    return [f"{CHECK}{met:,} NaN or infinite numbers inside {end}"]


def _range(node: Node, word: str) -> list[str]:
    out = node.dates.out_of_range if node.dates is not None else 0
    ends = {"infinity": f" and become infinity; {_LISTED}", "null": f" and become NULL; {_LISTED}"}
    end = ends.get(word, f", {_lost('range')}")
    return [f"{CHECK}{share(out, node.filled)} dates lie beyond PostgreSQL's years{end}"]
