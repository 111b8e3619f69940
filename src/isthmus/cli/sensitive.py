"""What must not be shown of a run, as its own mapping says: fields of documents, columns, ids, words of causes.

The state holds all of it (dead letters are whole documents), so every output goes through here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

from isthmus.mapping import Mapping, parse_mapping
from isthmus.mapping.model import ChildField, ColumnField, FieldRule, JunctionField, RouteField
from isthmus.mapping.reading.fields import show_path
from isthmus.mapping.tables import TargetSchema, build_schema
from isthmus.state.reports import LetterLine
from isthmus.state.runs import Run
from isthmus.work.hidden import HIDDEN

Path = tuple[str, ...]
AnyLetter = TypeVar("AnyLetter", bound=LetterLine)


@dataclass(frozen=True)
class Sensitive:
    """What a mapping calls sensitive.

    Attributes:
        mapping: The mapping.
        also: What other mappings call so with which the run's dead letters were retried: it is hidden as well.
    """

    mapping: Mapping
    also: Sensitive | None = None

    @cached_property
    def _schema(self) -> TargetSchema:
        return build_schema(self.mapping)

    @cached_property
    def _paths(self) -> dict[str, list[Path]]:
        return {name: list(_sensitive(self._fields(name), ())) for name in self.mapping.source_collections}

    def _fields(self, collection: str) -> tuple[FieldRule, ...]:
        """Return the rules of every entry that reads a source collection."""
        entries = dict.fromkeys(flow.entry for flow in self.mapping.flows_of(collection))
        return tuple(field for entry in entries for field in self.mapping.collections[entry].fields)

    def paths(self, collection: str) -> list[Path]:
        """Return the paths of a collection's sensitive fields; `[]` stands for every element of a child array."""
        more = self.also.paths(collection) if self.also else []
        return list(dict.fromkeys([*self._paths.get(collection, []), *more]))

    @cached_property
    def columns(self) -> set[tuple[str, str]]:
        """(table, column) of sensitive columns; of a jsonb column also its rewritten places, of a route all of it."""
        found: set[tuple[str, str]] = set(self.also.columns) if self.also else set()
        for table in self._schema.tables.values():
            for column in table.columns:
                if column.sensitive:
                    found.add((table.name, column.name))
                    found |= {(table.name, f"{column.name}.{show_path(path)}") for path, _ in column.rewrites}
                    if column.reference is not None and column.reference.routed:
                        found.add((table.name, "|".join(column.reference.routed)))
        return found

    @cached_property
    def secret_tables(self) -> set[str]:
        """Tables whose rows are known by a value that must not be shown."""
        found: set[str] = set(self.also.secret_tables) if self.also else set()
        return found | {table.name for table in self._schema.tables.values() if table.has_secret_key}

    @cached_property
    def referred(self) -> set[str]:
        """Names that the ids a sensitive column refers to are hashed with: source collections and entries.

        An `_id` that was only met in a reference may be its value.
        """
        found: set[str] = set(self.also.referred) if self.also else set()
        for table in self._schema.tables.values():
            for column in table.columns:
                if column.sensitive:
                    found |= {column.reference.collection} if column.reference is not None else set()
                    for _, entry in column.rewrites:
                        found |= {entry, *self.mapping.collections[entry].source_names}
        return found

    @cached_property
    def _extras(self) -> set[str]:
        return {
            f"{table.name}.{column.name}"
            for table in self._schema.tables.values()
            for column in table.columns
            if column.role == "extras"
        }

    def letter(self, letter: AnyLetter) -> AnyLetter:
        """Return a dead letter with its headline as it may be shown."""
        headline = {"code": letter.code, "path": letter.path, "message": letter.message}
        shown = self.cause(letter.collection, headline)
        return replace(letter, path=shown["path"], message=shown["message"])

    def cause(self, collection: str, cause: dict[str, Any]) -> dict[str, Any]:
        """Return a cause as it may be shown; nothing changes where the collection has no sensitive field.

        Args:
            collection: Collection of the document.
            cause: At least code, path and message; value where there is one.
        """
        if self.also is not None:
            cause = self.also.cause(collection, cause)
        hidden = self._paths.get(collection, [])
        if not hidden:
            return cause
        code, path, message = str(cause["code"]), str(cause["path"]), str(cause["message"])
        if code == "target-refused":
            return {**cause, "message": _server_words(message)}
        steps = _steps(path)
        if message.startswith(_MALFORMED):  # where bytes are broken, a value may have been read as a key
            return {**cause, "path": _known_part(steps, self._fields(collection))}
        told = _COLUMN.match(message)
        concealed = any(_meet(steps, one) for one in hidden) or (told is not None and told["column"] in self._extras)
        if not concealed:
            return cause
        lengths = [length for one in hidden if (length := _reach(steps, one)) is not None]
        kept = _printed(steps[: min(lengths)], more=min(lengths) < len(steps)) if lengths else path
        shown = {**cause, "path": kept, "message": _conceal(code, path, kept, message)}
        if shown.get("value"):
            shown["value"] = HIDDEN
        return shown


def sensitive_of(*runs: Run) -> Sensitive:
    """Return what the mappings of some runs call sensitive, and those with which their dead letters were retried.

    What one of them calls so is hidden of all.
    """
    found: Sensitive | None = None
    for text in dict.fromkeys(text for run in reversed(runs) for text in reversed(run.mapping_texts)):
        found = Sensitive(parse_mapping(text, file_name="the run's mapping"), also=found)
    assert found is not None  # noqa: S101  the mapping a run began with is always there
    return found


def _sensitive(fields: tuple[FieldRule, ...], above: Path) -> Iterator[Path]:
    for field in fields:
        if isinstance(field, ColumnField | RouteField) and field.sensitive:
            yield from ((*above, *path) for path in field.paths)
        elif isinstance(field, JunctionField) and field.sensitive:
            yield (*above, *field.path)
        elif isinstance(field, ChildField):
            yield from _sensitive(field.fields, (*above, *field.path, "[]"))


_MALFORMED = "At byte "
_COLUMN = re.compile(r"Column (?P<column>.+?) cannot (?:take|be filled) ", re.DOTALL)
_ORPHAN = re.compile(r"(?P<name>\S+) refers to .* of (?P<rest>.*, which is not in the target\.)", re.DOTALL)
# Sentences of PostgreSQL that name tables, columns, constraints and sizes, and nothing of a row.
_HARMLESS = re.compile(
    r"PostgreSQL refuses the document: (?:"
    r"new row for relation \"[^\"]*\" violates check constraint \"[^\"]*\""
    r"|null value in column \"[^\"]*\" of relation \"[^\"]*\" violates not-null constraint"
    r"|duplicate key value violates unique constraint \"[^\"]*\""
    r"|insert or update on table \"[^\"]*\" violates foreign key constraint \"[^\"]*\""
    r"|row is too big: size \d+, maximum size \d+"
    r"|index row size \d+ exceeds (?:btree version \d+ )?maximum \d+ for index \"[^\"]*\""
    r")\."
)


def _server_words(message: str) -> str:
    """Return what PostgreSQL said of a row; other words than the usual ones may quote a value of it."""
    if _HARMLESS.fullmatch(message):
        return message
    return f"PostgreSQL refuses the document: {HIDDEN}. Its words may hold a sensitive value."


def _conceal(code: str, path: str, kept: str, message: str) -> str:
    """Return the sentence of a cause without the value and without the part of the path that is not shown."""
    if orphan := _ORPHAN.fullmatch(message):
        return f"{orphan['name']} refers to {HIDDEN} of {orphan['rest']}"
    told = _COLUMN.match(message)
    if told is None:
        return message.replace(path, kept) if kept != path else message
    place, shown_place = path or "the document", kept or "the document"
    _, found, reason = message.rpartition(f" from {place}: ")  # from the right: the value may say anything
    if code == "wrong-collection" or not found:
        reason = "it refers to another collection than the mapping says." if found else f"{HIDDEN}."
    if "cannot be filled" in told[0]:
        return f"{told[0]}from {shown_place}: {reason}"
    return f"{told[0]}{HIDDEN} from {shown_place}: {reason}"


def _steps(path: str) -> list[str]:
    """Return the keys of a printed path, as `show_path` and the core print it."""
    keys = re.findall(r"(?:\\.|[^.\\])+", path, re.DOTALL)
    return ["" if key == '""' else re.sub(r"\\(.)", r"\1", key, flags=re.DOTALL) for key in keys]


def _printed(steps: Sequence[str], *, more: bool) -> str:
    return ".".join([show_path(tuple(steps)), HIDDEN]) if more else show_path(tuple(steps))


def _is_position(step: str) -> bool:
    return step == "[]" or (step.isascii() and step.isdigit())


def _meet(steps: Sequence[str], hidden: Path) -> bool:
    """Tell whether a place lies on the way to a hidden field, at it or below it."""
    at = 0
    for step in steps:
        if at == len(hidden):
            return True
        if hidden[at] == "[]":
            at += 1
            if not _is_position(step):
                return True
        elif hidden[at] == step:
            at += 1
        elif not _is_position(step):
            return False
    return True


def _reach(steps: Sequence[str], hidden: Path) -> int | None:
    """Return how many steps of a place lead to a hidden field; None when it does not lead there."""
    at = 0
    for number, step in enumerate(steps):
        if at == len(hidden):
            return number
        if hidden[at] == step or (hidden[at] == "[]" and _is_position(step)):
            at += 1
        elif not _is_position(step):
            return None
    return len(steps) if at == len(hidden) else None


def _known_part(steps: Sequence[str], fields: tuple[FieldRule, ...]) -> str:
    """Return as much of a path as the mapping names."""
    named = list(_named(fields, ()))
    for length in range(len(steps), 0, -1):
        if any(_begins(one, steps[:length]) for one in named):
            return _printed(steps[:length], more=length < len(steps))
    return HIDDEN if steps else ""


def _begins(named: Path, steps: Sequence[str]) -> bool:
    if len(steps) > len(named):
        return False
    return all(key == step or (key == "[]" and _is_position(step)) for key, step in zip(named, steps, strict=False))


def _named(fields: tuple[FieldRule, ...], above: Path) -> Iterator[Path]:
    yield (*above, "_id")
    for field in fields:
        paths = field.paths if isinstance(field, ColumnField | RouteField) else (field.path,)
        yield from ((*above, *path) for path in paths)
        if isinstance(field, ChildField):
            yield (*above, *field.path, "[]")
            yield from _named(field.fields, (*above, *field.path, "[]"))
