"""What each layer looks at and what it cannot see, in words for people; and the verdict. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.sources.shown import shown
from isthmus.verify.result import LAYERS, MOST_LISTED, Difference, Layer, LayerResult, Verified
from isthmus.work.amounts import plural


@dataclass(frozen=True)
class LayerWords:
    """One layer in words.

    Attributes:
        briefly: What it looks at, for a narrow table.
        sees: The same as a sentence.
        blind: What it cannot see, and which layer does where one can.
    """

    briefly: str
    sees: str
    blind: str


WORDS: dict[Layer, LayerWords] = {
    "counts": LayerWords(
        "the books anew",
        "The books, drawn up anew from both databases: documents read, carried, left behind; rows of every table;"
        " pairs.",
        "Numbers that agree say nothing of values: samples and checksum look at those.",
    ),
    "samples": LayerWords(
        "conversion anew",
        "Documents of every collection, converted a second time by plain code that shares nothing with what wrote the"
        " rows.",
        "A rule that both conversions misread alike.",
    ),
    "references": LayerWords(
        "what points where",
        "Whatever points at a row, looked up by no foreign key's word: columns, arrays, routes, pairs, child rows, ids"
        " in jsonb; and the ledger of orphans against the rows it speaks of.",
        "A reference that leads to another row than the document says, and pairs that are missing: checksum sees both.",
    ),
    "types": LayerWords(
        "nulls and extremes",
        "Each column against its field, counted by code that shares nothing with the conversion: how many values, of"
        " which types, the smallest and the greatest.",
        "Which row a value stands in, and what lies between the extremes: checksum sees that.",
    ),
    "rules": LayerWords(
        "mapping's demands",
        "What the mapping states about values, asked of every row and by no constraint's word: required, labels of"
        " enums, lengths, constants, unique keys, positions of child rows.",
        "A wrong value that obeys every rule: checksum sees that.",
    ),
    "schema": LayerWords(
        "keys and indexes",
        "Tables, columns, types, keys, constraints and whether they are validated, indexes and whether they are valid.",
        "What is in the rows; owners and rights; tables that the mapping does not name.",
    ),
    "checksum": LayerWords(
        "every single value",
        "Every value of every row: what the source gives now against what the target holds.",
        "It uses the core that wrote the rows: a fault in how it converts shows in samples, not here.",
    ),
}


def checked_words(layer: LayerResult) -> str:
    """Return what a layer checked, with its unit: `12,345 rows`, `1 row`, `nothing`."""
    if not layer.checked:
        return "nothing"
    unit = layer.unit
    if layer.checked == 1 and " " not in unit:
        unit = unit.removesuffix("ies") + "y" if unit.endswith("ies") else unit.removesuffix("s")
    return f"{layer.checked:,} {unit}"


def value_words(text: str | None) -> str:
    """Return a value for people: without control characters, in quotes where blanks would not be seen."""
    if text is None:
        return "nothing"
    plain = shown(text)
    unclear = plain != plain.strip() or not plain or "  " in plain or plain == "nothing"
    return f'"{plain}"' if unclear else plain


def side_words(one: Difference, text: str | None) -> str:
    """Return what a difference says of one side; no value in a column of a row is NULL."""
    in_column = one.layer in {"samples", "checksum"} and one.id is not None and not one.path.startswith("(")
    return "NULL" if text is None and in_column else value_words(text)


def found_words(layer: LayerResult) -> str:
    """Return how many differences a layer found, and in how many entries where these are fewer."""
    found, listed = plural(layer.found, "difference"), len(layer.differences)
    if listed >= MOST_LISTED:
        return f"{found}, of which the first {MOST_LISTED:,} entries are kept"
    return f"{found} in {plural(listed, 'entry', 'entries')}" if layer.found > listed else found


def remarks(layer: LayerResult) -> list[str]:
    """Return what must be said of a layer: what it cannot see first, then what it noted."""
    return layer.notes or [WORDS[layer.layer].blind]


def verdict(verified: Verified) -> str:
    """Return what a verification came to, as one sentence.

    It says `Verified` only when every layer was asked, came to its end, could look at all and found nothing.
    """
    layers = verified.layers
    found = sum(one.found for one in layers.values())
    failing = [name for name, one in layers.items() if not one.passed]
    differences = plural(found, "difference")
    if verified.interrupted:
        return "Stopped before its end, so nothing is proven" + (f"; {differences} so far." if found else ".")
    if failing:
        return f"Differs: {len(failing)} of {plural(len(layers), 'layer')} found {differences}."
    if not layers:
        return "Nothing was asked, so nothing is proven."
    idle = [name for name, one in layers.items() if not one.checked]
    if len(idle) == len(layers):
        return "Nothing was compared, so nothing is proven."
    lacking = [f"{name} could not look at {one.lacking}" for name, one in layers.items() if one.lacking]
    asked, others = "", ""
    if set(layers) != set(LAYERS):
        asked, others = (
            f" in {len(layers)} of {len(LAYERS)} layers ({', '.join(layers)})",
            "; the others were not asked",
        )
    if lacking:
        return f"Nothing differs{asked} as far as could be compared: {'; '.join(lacking)}{others}."
    if asked:
        return f"Nothing differs{asked}{others}."
    without = f" Nothing to compare: {', '.join(idle)}." if idle else ""
    return f"Verified: {len(layers) - len(idle)} layers, {_compared(verified)}nothing differs.{without}"


def tone(verified: Verified) -> str:
    """Return how a verdict is to be taken: good, warn or bad."""
    if any(not one.passed for one in verified.layers.values()):
        return "bad"
    return "good" if verified.outcome == "passed" else "warn"


def _compared(verified: Verified) -> str:
    checksum = verified.layers.get("checksum")
    return f"{checked_words(checksum)} compared, " if checksum is not None and checksum.checked else ""
