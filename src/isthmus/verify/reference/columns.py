"""What the columns of one row hold: defaults, conversions, arrays, flags, references."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from isthmus.verify.reference import became, bson, ids, json_values
from isthmus.verify.reference.bson import Document, Value
from isthmus.verify.reference.finding import Met, flag_state, is_null, labels_in
from isthmus.verify.reference.journal import Journal, Refusal
from isthmus.verify.reference.references import References, converted, exchanged
from isthmus.verify.reference.rules import Column, Default, Field, Flags, Object, Path, Reference, Route, ToFlags
from isthmus.verify.reference.values import rounded_to


@dataclass(frozen=True)
class Json:
    """A jsonb value, so that JSON null, a text and a number are told from SQL's own."""

    value: Any

    @property
    def text(self) -> str:
        """The canonical text that comparison uses."""
        return json_values.canonical_json(self.value)


@dataclass
class Columns:
    """Fills the columns of one document's rows.

    Attributes:
        references: Makes references.
        journal: Of the document.
        now_us: What `now` means.
        id_value: The document's `_id`; None when it has none.
    """

    references: References
    journal: Journal
    now_us: int
    id_value: Value | None = None

    def column(self, column: Column, value: Value | None, refuse: Callable[[Refusal], None] | None = None) -> Any:
        """Default, NULL or converted value of one column.

        Args:
            column: Its rule.
            value: What was found; None when it is missing.
            refuse: Takes the refusals of an array's elements; None: the first of them is that of the array.

        Raises:
            Refusal: The value does not fit, or the column is required and would be NULL.
        """
        content = None
        if value is None:
            if column.default is not None:
                content = self.filled(column, column.default, "missing")
        elif is_null(value):
            if column.default is not None and column.default_for_null:
                content = self.filled(column, column.default, "null")
        elif column.type.array:
            content = self.array(column, value, refuse)
        else:
            content = self.one(column, value)
        if content is None and column.required:
            raise Refusal("required")
        return content

    def one(self, column: Column, value: Value) -> Any:
        """A value that is not null, or one element of an array."""
        if column.reference is not None:
            return self.references.made(value, column.reference, column, column.place)
        if column.type.kind != "jsonb":
            return converted(value, column, self.journal, column.place)
        hit, value = exchanged(value, column, self.journal, column.place)
        return hit[0] if hit is not None else self.jsonb(column, value)

    def filled(self, column: Column, default: Default, state: str) -> Any:
        """The default's value in the place of a missing field or of null, counted.

        `id_time` has none where the `_id` is no ObjectId.
        """
        moment = self.now_us
        if default.kind == "id_time":
            object_id = ids.object_id_of(self.id_value) if self.id_value is not None else None
            if object_id is None:
                return None
            moment = int.from_bytes(object_id[:4], "big") * 1_000_000
        self.journal.adjust(column.place, "default")
        held = default.value.value if isinstance(default.value, Json) else default.value
        said = became.value(held, column.type.kind) if default.kind == "literal" else became.word(default.kind)
        self.journal.tell(column.place, "default", became.word(state), said)
        if default.kind == "literal":
            return default.value
        return moment // 86_400_000_000 if column.type.kind == "date" else rounded_to(moment, column.type.precision)

    def array(self, column: Column, value: Value, refuse: Callable[[Refusal], None] | None) -> list[Any]:
        """Every element by the column's element rule; null stays; one value alone is wrapped when asked for."""
        if value.type != bson.ARRAY:
            if not column.setting.coerce:
                raise Refusal("type")
            self.journal.adjust(column.place, "coerced")
            return [self.one(column, value)]
        content: list[Any] = []
        elements: list[Value] = value.data
        for position, element in enumerate(elements):
            if is_null(element):
                content.append(None)
                continue
            try:
                content.append(self.one(column, element))
            except Refusal as refusal:
                at = Refusal(refusal.code, (str(position),))
                if refuse is None:
                    raise at from None
                refuse(at)
        return content

    def jsonb(self, column: Column, value: Value) -> Json:
        """Plain JSON, references inside it rewritten."""
        rewrites = [(path, self.rewrite(column, path, reference)) for path, reference in column.rewrite]
        note = self.journal.noted(column.place)
        return Json(json_values.plain_json(value, column.setting.policies, note, rewrites, column.rename))

    def rewrite(self, column: Column, path: Path, reference: Reference) -> Callable[[Value], Any]:
        """Writes the values at one rewritten path."""
        names = dict(column.rename)
        written = tuple(names.get(path[: end + 1], key) for end, key in enumerate(path))
        place = f"{column.place}.{printed(written)}"
        return lambda value: self.references.written(value, reference, column, place)

    def route(self, rule: Route, value: Value | None) -> dict[str, Any]:
        """The same value as an id of every entry it may be one of; NULL where it can be none, such as another's DBRef.

        Raises:
            Refusal: It can be an id of none of them (with the reason of the first), or is none where one is required.
        """
        made: dict[str, Any] = dict.fromkeys(column.name for column, _ in rule.columns)
        if value is not None and not is_null(value):
            refused: list[Refusal] = []
            for number, (column, reference) in enumerate(rule.columns):
                # One value changes once, whatever the number of its columns.
                journal = self.journal if number == 0 else Journal(id_map=self.journal.id_map)
                named = replace(column, name=rule.name)
                try:
                    made[column.name] = References(self.references.keys, journal).made(value, reference, named, None)
                except Refusal as refusal:
                    refused.append(refusal)
            if len(refused) == len(rule.columns):
                raise refused[0]
        if any(content is not None for content in made.values()):
            self.journal.references[rule.place] += 1
        elif rule.required:
            raise Refusal("required")
        return made

    def flags(self, rule: Flags, document: Document, paths: Sequence[Path]) -> tuple[Any, list[tuple[str, Path]]]:
        """The labels of the flags that are set, or the first; with the code and path of each refusal."""
        column = rule.column
        note = self.journal.noted(column.place)
        refused: list[tuple[str, Path]] = []
        labels: list[str] = []
        present = False
        for path, label in zip(paths, rule.labels, strict=True):
            value = bson.value_at(document, path)
            present = present or value is not None
            try:
                if flag_state(value, rule, note):
                    labels.append(label)
            except Refusal as refusal:
                refused.append((refusal.code, path))
        if refused:
            return None, refused
        content: Any = labels if column.type.array else next(iter(labels), None)
        if content is None or (column.type.array and not present):
            content = self.filled(column, column.default, "missing") if column.default is not None else None
        if content is None and column.required:
            refused.append(("required", paths[0]))
        return content, refused

    def object(self, rule: Object, document: Document, paths: Sequence[Path]) -> Any:
        """One object of the fields that are there; nothing where none is.

        Raises:
            Refusal: A value has no place in JSON, or there is none where one is required. Its path is the document's.
        """
        column, content = rule.column, dict[str, Any]()
        note = self.journal.noted(column.place)
        for path, key in zip(paths, rule.keys, strict=True):
            value = bson.value_at(document, path)
            if value is None:
                continue
            try:
                content[key] = json_values.plain_json(value, column.setting.policies, note)
            except Refusal as refusal:
                raise Refusal(refusal.code, (*path, *refusal.path)) from None
        if content:
            return Json(content)
        made = self.filled(column, column.default, "missing") if column.default is not None else None
        if made is None and column.required:
            raise Refusal("required", paths[0])
        return made

    def to_flags(self, rule: ToFlags, value: Value | None) -> tuple[dict[str, Any], list[str]]:
        """True for each label that is there, else false; with the codes of refusals."""
        made: dict[str, Any] = {}
        refused: list[str] = []
        if value is None or is_null(value):
            for _, column in rule.columns:
                try:
                    made[column.name] = self.column(column, value)
                except Refusal as refusal:
                    refused.append(refusal.code)
            return made, refused
        if value.type not in (bson.ARRAY, bson.STRING, bson.SYMBOL):
            return made, ["not-an-array"]
        if value.type != bson.ARRAY:
            self.journal.adjust(rule.columns[0][1].place, "single_as_array")
        texts = {item.data for item in labels_in(value) if item.type in (bson.STRING, bson.SYMBOL)}
        return {column.name: label.encode("utf-8") in texts for label, column in rule.columns}, refused

    def wrapped(self, field_rule: Field, met: Met) -> None:
        """Count a single value that stands for an array of one."""
        if met.wrapped and isinstance(field_rule.rule, Column):
            self.journal.adjust(field_rule.rule.place, "single_as_array")


def printed(path: Sequence[str | int]) -> str:
    """A path as causes and counts print it: keys and positions joined by dots.

    A dot or backslash in a key stands after a backslash; an empty key is printed as two double quotes.
    """
    return ".".join(str(step).replace("\\", "\\\\").replace(".", "\\.") or '""' for step in path)
