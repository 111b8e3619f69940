"""What becomes of a value that refers to another document: a derived id, a kept one, or a value to compare with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from isthmus.verify.reference import became, bson, ids, json_values
from isthmus.verify.reference.became import Word
from isthmus.verify.reference.bson import Document, Value
from isthmus.verify.reference.finding import is_null
from isthmus.verify.reference.journal import Journal, Refusal
from isthmus.verify.reference.replacing import normalised, replaced
from isthmus.verify.reference.rules import Column, Reference
from isthmus.verify.reference.values import Type, convert
from isthmus.verify.reference.written import written


@dataclass(frozen=True)
class References:
    """Makes references of one document; id map entries and counts go to its journal."""

    keys: ids.Ids
    journal: Journal

    def made(self, value: Value, reference: Reference, column: Column, place: str | None) -> Any:
        """What a value refers with, None for null; counted at `place` unless that is None.

        Args:
            value: The value met.
            reference: Where it points.
            column: The referring column; changes are counted there.
            place: `table.column`.

        Raises:
            Refusal: It cannot refer.
        """
        if is_null(value):
            return None
        if reference.by is not None:
            content = converted(value, reference.by, self.journal, column.place)
            return self.counted(content, place)
        target = self.target(value, reference)
        if target is None:
            return None
        if target.type == bson.ARRAY:
            raise Refusal("type")
        if reference.ids == "keep":
            content = convert(target, reference.type, column.setting, self.journal.noted(column.place))
            return self.counted(content, place)
        return self.derived(target, reference, place)

    def written(self, value: Value, reference: Reference, column: Column, place: str) -> Any:
        """What stands for a value at a rewritten path of jsonb: the derived id, or under `keep` the id itself."""
        target = self.target(value, reference)
        if target is None:
            return None
        if reference.keep_others and target is value and not is_id(value, reference.ids):
            self.journal.adjust(column.place, "not_an_id")
            return json_values.plain_json(value, column.setting.policies, self.journal.noted(column.place))
        if target.type == bson.ARRAY:
            raise Refusal("type")
        if reference.ids == "keep":
            self.journal.references[place] += 1
            kept = json_values.plain_json(target, column.setting.policies, self.journal.noted(column.place))
            return written(kept, reference.entry)
        return written(self.derived(target, reference, place), reference.entry)

    def target(self, value: Value, reference: Reference) -> Value | None:
        """The id a value refers with: a DBRef's `$id`, else the value; None for null.

        A DBRef has a string `$ref`, then `$id`, then perhaps a string `$db`, and nothing else. One whose `$id` is null
        names a document, too: the one whose `_id` is null. Under `keep` there can be none, so it is a null there.
        """
        if value.type == bson.DOCUMENT:
            parts: Document = value.data
            names = [key for key, _ in parts]
            if names in ([b"$ref", b"$id"], [b"$ref", b"$id", b"$db"]):
                texts = [part.type == bson.STRING for key, part in parts if key != b"$id"]
                if all(texts):
                    if parts[0][1].data != reference.collection.encode("utf-8"):
                        raise Refusal("wrong-collection")
                    value = parts[1][1]
                    if is_null(value) and reference.ids != "keep":
                        return Value(bson.NULL, None, b"")
        return None if is_null(value) else value

    def derived(self, value: Value, reference: Reference, place: str | None) -> str:
        """The id of the document referred to; a hashed one is also written to the id map."""
        stands = reference.rewritten or reference.keep_others
        if stands and (standing := ids.standing_id(value, reference.ids)) is not None:
            return self.counted(standing, place)
        text = self.keys.derive(reference.collection, value, reference.ids)
        if ids.object_id_of(value) is None:
            self.journal.id_map.append((reference.collection, id_document(value), text, "reference"))
        return self.counted(text, place)

    def counted(self, content: Any, place: str | None) -> Any:
        """The same, counted unless it is NULL."""
        if content is not None and place is not None:
            self.journal.references[place] += 1
        return content


def is_id(value: Value, scheme: str) -> bool:
    """Whether a value looks like an id: an ObjectId, one written out, or an id of the target already."""
    return ids.object_id_of(value) is not None or ids.standing_id(value, scheme) is not None


def converted(value: Value, rule: Column, journal: Journal, place: str) -> Any:
    """One value that is not null by a column's rule: normalised, replaced, else converted (not jsonb).

    Changes are counted at `place`, which is the column's own unless another refers to it.
    """
    note = journal.noted(place)
    hit, value = exchanged(value, rule, journal, place)
    if hit is not None:
        return hit[0]
    element = Type(rule.type.kind, rule.type.length, rule.type.precision, rule.type.scale, rule.type.values)
    return convert(value, element, rule.setting, note)


def exchanged(value: Value, rule: Column, journal: Journal, place: str) -> tuple[tuple[Any] | None, Value]:
    """What is written instead of a value, as the one item of a tuple, or None; and the value, normalised."""
    note, listed = journal.noted(place), journal.listing(place, value)
    value = normalised(value, rule.normalise, rule.setting.policies, note, listed)

    def told(was: Word, becomes: Any) -> None:
        held = becomes.value if rule.type.kind == "jsonb" and becomes is not None else becomes
        journal.tell(place, "value_mapped", was, became.value(held, rule.type.kind))

    return replaced(value, rule.values, note, listed, told), value


def id_document(value: Value) -> bytes:
    """`{"_id": value}` as BSON: how a source id is written down."""
    body = bytes([value.type]) + b"_id\0" + value.raw + b"\0"
    return (len(body) + 4).to_bytes(4, "little") + body
