"""What field rules take from the mapping around them, and the names of columns nobody named."""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from dataclasses import dataclass
from typing import cast, get_args

from isthmus.mapping.keys import POLICY_KEYS
from isthmus.mapping.model import FieldPath, Naming, Policies
from isthmus.mapping.names import fold
from isthmus.mapping.paths import show_path
from isthmus.mapping.reading.nodes import Node
from isthmus.mapping.reading.reader import Place, Reader, shorten
from isthmus.mapping.types import ColumnType, TypeFault, parse_type


@dataclass(frozen=True)
class Context:
    """What field rules take from the mapping around them.

    Attributes:
        enums: Values of each enum.
        collections: Names of all collections, for hints.
        naming: How columns are named by default.
        extras: Default of a child's `extras`.
        policies: Mapping-wide ones, where a field says nothing.
    """

    enums: MappingABC[str, tuple[str, ...]]
    collections: tuple[str, ...]
    naming: Naming
    extras: str
    policies: Policies


def default_name(path: FieldPath, naming: Naming) -> str:
    """The name of a column or table nobody named: folded, or the keys joined with `_` under `naming: keep`."""
    return fold(" ".join(path)) if naming == "fold" else "_".join(path)


def read_column_name(reader: Reader, path: FieldPath, place: Place, context: Context) -> str:
    """Make the name of a column nobody named."""
    name = default_name(path, context.naming)
    if name:
        reader.check_name(name, place, "The column name")
    else:
        message = f"No column name can be made of `{shorten(show_path(path))}`."
        reader.report("bad-name", place, message, "Name it: {column: …}.")
    return name or "unnamed"


def read_type(reader: Reader, text: str, place: Place, context: Context) -> ColumnType:
    """Read a column type; `!` at its end is passed over."""
    word = text.strip().removesuffix("!").rstrip()
    try:
        return parse_type(word, context.enums)
    except TypeFault as fault:
        hint = fault.hint
        if word in context.collections:
            hint = f"To refer to a collection write {{references: {word}}}."
        elif word in ("drop", "skip", "ignore"):
            hint = 'To leave a field behind write {drop: "why"}.'
        reader.report("unknown-type", place, f"This type cannot be used: {fault.message}", hint)
        return ColumnType("text")


def read_policies(reader: Reader, node: Node, place: Place, base: Policies) -> Policies:
    """Read policies; those not stated stay as in `base`."""
    found = reader.keys(node, place, "`policies`", POLICY_KEYS)
    stated: dict[str, str] = {}
    for key, value in found.items():
        options = cast("tuple[str, ...]", get_args(Policies.model_fields[key].annotation))
        stated[key] = reader.choice(value, (*place, key), f"The policy `{key}`", options, "dead_letter")
    return Policies.model_validate({**base.model_dump(), **stated})
