"""MongoDB's indexes as PostgreSQL's: carried where a column holds what they index, else a comment says why not. Pure.

An index that would cost a document (unique where values repeat) or could not be made (texts too long) is not carried.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from isthmus.mapping.reading.indexes import SEARCH_LANGUAGES
from isthmus.survey.model import Survey, Surveyed
from isthmus.survey.paths import node_at
from isthmus.survey.profile import Node, Path
from isthmus.survey.propose.partial import Secret, Untranslated, translate
from isthmus.survey.propose.pointing import Pointing, column_fault, unique_fault
from isthmus.survey.propose.proposal import CHECK, Fields, Index
from isthmus.survey.propose.spelling import spelling_fault
from isthmus.survey.propose.tables import Place, Shared, TableMaker
from isthmus.survey.unique import Counts, known_distinct

_MOST_BYTES = 2_600
"""Bytes of one entry of a B-tree, of all columns together; PostgreSQL takes 2,704."""
_OVERHEAD_BYTES = 8
"""Of each further value in such an entry: what says how long it is, and what aligns it."""
_UUID_BYTES = 40
"""Of a key that is derived, as a UUID or as text."""
_HEX_BYTES = 24
_MOST_COLUMNS = 32
_GIN_BYTES = 2_000


@dataclass(frozen=True)
class _Refused(Exception):  # noqa: N818  becomes a comment
    """An index that is not carried, and why."""

    why: str


def column_of(place: Place) -> str:
    """Return the column of a rule."""
    return place.rule.column


def carry_indexes(survey: Survey, one: Surveyed, maker: TableMaker, shared: Shared, counts: Counts) -> None:
    """Carry the indexes of a collection into its tables."""
    carrier = _Carrier(survey, one, maker, shared, counts)
    for index in sorted(one.info.indexes, key=lambda found: str(found.get("name"))):
        carrier.carry(index)


class _Carrier:
    def __init__(self, survey: Survey, one: Surveyed, maker: TableMaker, shared: Shared, counts: Counts) -> None:
        self._survey = survey
        self._one = one
        self._maker = maker
        self._shared = shared
        self._counts = counts

    def _pointing(self, place: Place) -> Pointing | None:
        return self._shared.pointers.good.get((self._one.info.name, place.at)) if place.type == "reference" else None

    def carry(self, index: Mapping[str, object]) -> None:
        keys = index.get("key")
        if not isinstance(keys, Mapping) or not keys:
            return
        spec = {str(name): kind for name, kind in cast("Mapping[str, object]", keys).items()}
        if list(spec) == ["_id"]:
            return
        name = str(index.get("name") or "_".join(spec))
        try:
            self._carry(index, spec, name)
        except _Refused as refused:
            kind = "unique index" if index.get("unique") else "index"
            self._maker.root.notes.append(f"{CHECK}{kind} {name} of MongoDB is not carried: {refused.why}")

    def _carry(self, index: Mapping[str, object], spec: dict[str, object], name: str) -> None:
        if "text" in spec.values():
            self._text(index, spec, name)
            return
        special = {str(kind) for kind in spec.values() if isinstance(kind, str)} - {"hashed"}
        if special:
            raise _Refused(f"{' and '.join(sorted(special))} has no like in PostgreSQL itself (PostGIS has for places)")
        if any("$**" in path for path in spec):
            raise _Refused("a wildcard index; make a gin index over a jsonb column where it is needed")
        places = [self._place(path) for path in spec]
        tables = {id(place.table): place.table for place in places if place is not None}
        if len(tables) > 1:
            raise _Refused("its fields are in several tables")
        table = next(iter(tables.values()), self._maker.root)
        columns = ["id" if place is None else self._column(place) for place in places]
        if len(set(columns)) < len(columns) or len(columns) > _MOST_COLUMNS:
            raise _Refused("it names a column twice, or too many")
        notes = self._remarks(index, name)
        where = self._where(index)
        if index.get("unique"):
            self._unique(places, columns, table, where, notes)
            return
        self._plain(places, columns, table, where, notes)

    def _place(self, shown: str) -> Place | None:
        """Return what a path of an index leads to; None for `_id`."""
        path = tuple(shown.split("."))
        if path == ("_id",):
            return None
        found = self._maker.places.get(path)
        if found is not None:
            return found
        for length in range(len(path) - 1, 0, -1):
            outer = self._maker.places.get(path[:length])
            if outer is not None and outer.type == "jsonb":
                raise _Refused(f"{shown} is inside the JSON of {column_of(outer)}; index an expression over it by hand")
        if any(known[: len(path)] == path for known in self._maker.places):
            raise _Refused(f"{shown} is a document that became columns")
        raise _Refused(f"no document has {shown}" if not self._is_met(path) else f"{shown} is no column of its own")

    def _is_met(self, path: Path) -> bool:
        node: Node | None = self._one.profile.root
        for key in path:
            while node is not None and node.elements is not None and key not in node.fields:
                node = node.elements
            node = node.fields.get(key) if node is not None else None
        return node is not None

    def _column(self, place: Place) -> str:
        body = place.rule.body
        if "junction" in body:
            raise _Refused(f"{place.rule.path[-1]} became the junction {body['junction']}, which is indexed both ways")
        if "child" in body:
            raise _Refused(f"{place.rule.path[-1]} became the table {body['child']}")
        if "route" in body:
            raise _Refused(f"{place.rule.path[-1]} became a column for each collection, which are indexed")
        return column_of(place)

    def _remarks(self, index: Mapping[str, object], name: str) -> list[str]:
        notes: list[str] = []
        seconds = index.get("expireAfterSeconds")
        if seconds is not None:
            notes.append(
                f"{CHECK}{name} let MongoDB delete documents {_number(seconds)} seconds after this date (TTL);"
                " PostgreSQL deletes nothing by itself"
            )
        if index.get("collation"):
            notes.append(f"{CHECK}{name} had a collation of its own, which is not carried")
        if index.get("hidden"):
            notes.append(f"{CHECK}{name} was hidden in MongoDB")
        return notes

    def _where(self, index: Mapping[str, object]) -> str | None:
        condition = index.get("partialFilterExpression")
        if not condition:
            return None
        try:
            return translate(condition, self._maker.places, column_of)
        except Secret as fault:
            raise _Refused(f"its condition compares {fault}, whose values are secret and stand in no mapping") from None
        except Untranslated as fault:
            raise _Refused(f"its condition has no like in SQL here ({fault})") from None

    def _unique(
        self, places: list[Place | None], columns: list[str], table: Fields, where: str | None, notes: list[str]
    ) -> None:
        if table is not self._maker.root:
            raise _Refused("inside an array it says something of documents, not of rows")
        for place in places:
            if place is not None:
                fault = self._unique_fault(place)
                if fault is not None:
                    raise _Refused(f"{column_of(place)}: {fault}")
        if len(places) > 1 or where is not None:
            self._check_length(places)
        if len(places) == 1 and where is None:
            place = places[0]
            if place is None:
                return
            fault = self._repeats(place)
            if fault is not None:
                raise _Refused(fault)
            place.rule.body.pop("index", None)
            place.rule.body["unique"] = True
            place.rule.notes += notes
            return
        if where is not None and not any(self._is_proven(place) for place in places):
            notes.append(
                f"{CHECK}unique in MongoDB under this condition; whether it is was not counted, so it is not here"
            )
            table.indexes.append(Index(_index(columns, where, unique=False), notes))
            return
        if not any(self._is_proven(place) for place in places):
            self._check_combinations(places)
        table.indexes.append(Index(_index(columns, where, unique=True), notes))

    def _is_proven(self, place: Place | None) -> bool:
        """Tell whether the values of one column alone are known to differ."""
        return place is None or self._repeats(place) is None

    def _repeats(self, place: Place) -> str | None:
        """Say why one column alone cannot be unique; of DBRefs of one shape their `$id` tells."""
        name, at = self._one.info.name, place.at
        inner = place.node.fields.get("$id")
        if place.type != "reference" or inner is None:
            return unique_fault(self._survey, name, at, self._counts)
        distinct = self._counts.get((name, (*at, "$id")), known_distinct(inner))
        if distinct is None or self._one.sampled:
            return f"it was not counted whether all {inner.present:,} DBRefs differ"
        again = inner.present - distinct - (1 if inner.null else 0)  # null is an id as any other is
        return f"{again:,} of its {inner.present:,} DBRefs are there a second time" if again > 0 else None

    def _check_combinations(self, places: list[Place | None]) -> None:
        """Refuse what cannot be unique: fewer combinations of values than documents that have them all."""
        most = 1
        for place in places:
            distinct = known_distinct(place.node) if place is not None else None
            if place is None or distinct is None or place.node.missing or place.node.null:
                return
            most *= distinct
        if most < self._one.profile.documents:
            raise _Refused(f"its fields have {most:,} combinations at most, fewer than documents")

    def _unique_fault(self, place: Place) -> str | None:
        if place.node.duplicate_keys:
            return "documents have the field twice"
        pointing = self._pointing(place)
        if pointing is not None and pointing.by is None:
            return spelling_fault(place.node, kept=self._shared.ids[pointing.targets[0]].keep)
        return column_fault(place.node)

    def _check_length(self, places: list[Place | None]) -> None:
        total = sum(self._bytes(place) for place in places)
        if total + _OVERHEAD_BYTES * (len(places) - 1) > _MOST_BYTES:
            raise _Refused(f"its values have up to {total:,} bytes together, too many for an index")

    def _bytes(self, place: Place | None) -> int:
        """Return the most bytes of a value in an index; None is the key of the table."""
        if place is None:
            return self._key_bytes(self._one.info.name, self._id(self._one.info.name))
        pointing = self._pointing(place)
        if pointing is None:
            return _bytes(place.type, place.node)
        name = pointing.targets[0]
        if pointing.by is None:
            return max(self._key_bytes(name, place.node), self._key_bytes(name, self._id(name)))
        target = node_at(self._survey.collections[name].profile.root, pointing.by)
        return max(_bytes(pointing.type, place.node), _bytes(pointing.type, target))

    def _key_bytes(self, collection: str, node: Node | None) -> int:
        ids = self._shared.ids[collection]
        return _bytes(ids.type, node) if ids.keep else _UUID_BYTES

    def _id(self, collection: str) -> Node | None:
        return self._survey.collections[collection].profile.root.fields.get("_id")

    def _plain(
        self, places: list[Place | None], columns: list[str], table: Fields, where: str | None, notes: list[str]
    ) -> None:
        wide = [place for place in places if place is not None and (place.type == "jsonb" or _is_array(place))]
        if wide and len(places) == 1:
            place = wide[0]
            longest = place.node.elements.texts if place.node.elements is not None else None
            if longest is not None and longest.bytes_max > _GIN_BYTES:
                raise _Refused(f"its texts have up to {longest.bytes_max:,} bytes, too many for an index")
            if where is None:
                place.rule.body.setdefault("index", True)
                _after(place.rule.body)
                place.rule.notes += notes
            else:
                table.indexes.append(Index({"columns": columns, "where": where, "method": "gin"}, notes))
            return
        if wide:
            raise _Refused(f"{' and '.join(column_of(place) for place in wide)} holds several values, beside others")
        self._check_length(places)
        if len(places) == 1 and where is None:
            place = places[0]
            if place is not None:
                if "references" not in place.rule.body and not place.rule.body.get("unique"):
                    place.rule.body.setdefault("index", True)
                    _after(place.rule.body)
                place.rule.notes += notes
            return
        body = _index(columns, where, unique=False)
        if all(known.body != body for known in table.indexes):
            table.indexes.append(Index(body, notes))

    def _text(self, index: Mapping[str, object], spec: dict[str, object], name: str) -> None:
        root = self._maker.root
        weights = index.get("weights")
        paths = list(cast("Mapping[str, object]", weights)) if isinstance(weights, Mapping) else []
        paths = paths or [path for path, kind in spec.items() if kind == "text" and not path.startswith("_fts")]
        columns: list[str] = []
        left: list[str] = []
        for path in sorted(paths):
            place = self._maker.places.get(tuple(path.split(".")))
            if place is None or place.table is not root or not (place.type or "").startswith(("text", "jsonb")):
                left.append(f"{path} (no column of text)")
            elif place.rule.body.get("sensitive"):
                left.append(f"{path} (a secret)")
            else:
                columns.append(column_of(place))
        if not columns:
            raise _Refused("none of its fields is a column of text")
        language = str(index.get("default_language") or "english")
        root.search = {"columns": columns, "language": language if language in SEARCH_LANGUAGES else "simple"}
        root.notes.append(f"search is the text index {name} of MongoDB, without its weights")
        others = [path for path, kind in spec.items() if kind != "text" and path != "_ftsx"]
        lost = [*([f"its keys beside the text ({', '.join(others)})"] if others else []), *left]
        lost += ["its condition: it finds all rows"] if index.get("partialFilterExpression") else []
        if lost:
            root.notes.append(f"{CHECK}not carried of {name}: {'; '.join(lost)}")


def _index(columns: list[str], where: str | None, *, unique: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"columns": columns}
    if unique:
        body["unique"] = True
    if where is not None:
        body["where"] = where
    return body


def _after(body: dict[str, Any]) -> None:
    """Keep `sensitive` and `policies` behind `index`, where rules have them."""
    for key in ("sensitive", "policies"):
        if key in body:
            body[key] = body.pop(key)


def _is_array(place: Place) -> bool:
    return place.type is not None and place.type.endswith("[]")


def _bytes(type_: str | None, node: Node | None) -> int:
    """Return the most bytes of a value in a column of a type, as far as they were met at a node."""
    node = node or Node()
    if type_ == "bytea" and node.binaries is not None:
        return node.binaries.length[1]
    if type_ == "numeric":
        return 400 if node.doubles is None else 700
    return max(node.texts.bytes_max if node.texts is not None else 0, _HEX_BYTES)


def _number(value: object) -> str:
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)
