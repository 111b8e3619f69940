"""The file format as JSON Schema (draft 2020-12), for editors that complete and check a mapping while it is written.

The schema knows the forms; names that must exist and rules that must agree are `check`'s. It is made from the same
constants that the reader uses, and a test holds it against the reader.
"""

from __future__ import annotations

import json
from typing import Any, get_args

from isthmus.mapping.keys import (
    CHILD_KEYS,
    COLLECTION_KEYS,
    COLUMN_KEYS,
    CONSTANT_KEYS,
    DROP_KEYS,
    EXPECT_KEYS,
    FLAG_COLUMN_KEYS,
    IDENTITY_KEYS,
    IDENTITY_SOURCE_KEYS,
    JUNCTION_KEYS,
    REWRITE_KEYS,
    ROOT_KEYS,
    ROUTE_COLUMN_KEYS,
    ROUTE_KEYS,
    TARGET_KEYS,
    TO_FLAGS_KEYS,
)
from isthmus.mapping.model import (
    Ids,
    JunctionOnOrphan,
    Method,
    Naming,
    Normalise,
    OnConflict,
    OnDelete,
    OnDuplicate,
    OnOrphan,
    OnUpdate,
    Policies,
)
from isthmus.mapping.names import NAME_BYTES
from isthmus.mapping.reading.columns import NOT_WITH_FLAGS, NOT_WITH_OBJECT, NOT_WITH_VALUES
from isthmus.mapping.reading.conditions import INSTANTS
from isthmus.mapping.reading.indexes import SEARCH_LANGUAGES
from isthmus.mapping.reading.literals import EXTENDED
from isthmus.mapping.rules import Form
from isthmus.mapping.types import KINDS

Json = dict[str, Any]


def json_schema() -> Json:
    """Build the schema of mapping files as a plain dict."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Isthmus mapping",
        "description": "Says what of a MongoDB database goes where in PostgreSQL.",
        **_closed(ROOT_KEYS, _root(), required=["isthmus", "collections"]),
        "$defs": {
            "name": {
                "type": "string",
                "minLength": 1,
                "maxLength": NAME_BYTES,
                "description": f"A PostgreSQL name, at most {NAME_BYTES} bytes.",
            },
            "word": {"type": "string", "minLength": 1},
            "type": _type(),
            "ids": _words(Ids, "What becomes of `_id`."),
            "extras": {
                "$ref": "#/$defs/name",
                "description": "JSONB column for fields nobody named, or dead_letter to refuse such documents.",
            },
            "policies": _policies(),
            "collection": _collection(),
            "fields": _fields(),
            "column": _column(),
            "junctionField": _closed(JUNCTION_KEYS, _junction_field(), required=["junction"]),
            "child": _closed(CHILD_KEYS, _child(), required=["child", "fields"]),
            "drop": _closed(
                DROP_KEYS, {"path": _path(), "drop": _text("Why the field is left behind.")}, required=["drop"]
            ),
            "toFlags": _closed(TO_FLAGS_KEYS, _to_flags(), required=["to_flags"]),
            "route": _closed(ROUTE_KEYS, _route(), required=["route"]),
            "constant": _constant(),
            "indexes": _indexes(),
            "search": _search(),
            "onConflict": _words(OnConflict, "What happens when a row of the target stands against one of the source."),
            "rerun": {"const": "tracked", "description": "Remember each row, so that a later run can tell changes."},
            "onUpdate": _words(OnUpdate, "What becomes of a row when the value it points by is changed."),
            "condition": _condition(),
            "junction": _junction(),
            "identity": _identity(),
            "identitySource": _identity_source(),
        },
    }


def json_schema_text() -> str:
    """Write the schema as JSON text, ending in a line break; always the same text."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _ref(name: str) -> Json:
    return {"$ref": f"#/$defs/{name}"}


def _closed(keys: tuple[str, ...], properties: Json, *, required: list[str] | None = None) -> Json:
    """An object of exactly these keys; the schema of each must be given."""
    if set(keys) != set(properties):
        raise ValueError(f"keys and schemas differ: {sorted(set(keys) ^ set(properties))}")
    schema: Json = {
        "type": "object",
        "properties": {key: properties[key] for key in keys},
        "additionalProperties": False,
    }
    if required:
        schema["required"] = required
    return schema


def _words(literal: Any, description: str, *, null: bool = False) -> Json:
    words: list[Any] = list(get_args(literal))
    return {"enum": [*words, None] if null else words, "description": description}


def _text(description: str) -> Json:
    return {"type": "string", "minLength": 1, "description": description}


def _flag(description: str) -> Json:
    return {"type": "boolean", "description": description}


def _list(items: Json, *, least: int = 1, most: int | None = None) -> Json:
    schema: Json = {"type": "array", "items": items, "minItems": least}
    if most is not None:
        schema["maxItems"] = most
    return schema


def _map(values: Json, description: str) -> Json:
    return {"type": ["object", "null"], "additionalProperties": values, "description": description}


def _path() -> Json:
    return {
        "anyOf": [{"type": "string", "minLength": 1}, _list({"type": ["string", "number", "boolean", "null"]})],
        "description": "Path of the field: dotted, or a list of keys; the rule's key unless stated.",
    }


def _type() -> Json:
    kinds = [kind for kind in KINDS if kind != "enum"]
    return {
        "type": "string",
        "minLength": 1,
        "description": "A column type or an enum of this mapping; ! at the end makes the column required.",
        "examples": [*kinds, "text!", "varchar(40)", "numeric(10,2)", "timestamp(3)", "text[]"],
    }


def _root() -> Json:
    return {
        "isthmus": {"const": 1, "description": "Version of the language."},
        "target": {
            **_closed(
                TARGET_KEYS,
                {
                    "schema": {"$ref": "#/$defs/name", "description": "PostgreSQL schema of all tables."},
                    "tables": {"enum": ["create", "existing"], "description": "Who makes the tables."},
                    "on_conflict": _ref("onConflict"),
                    "rerun": _ref("rerun"),
                    "on_update": _ref("onUpdate"),
                },
            ),
            "type": ["object", "null"],
            "description": "Where the tables are, and who makes them.",
        },
        "ids": _ref("ids"),
        "extras": _ref("extras"),
        "extensions": {
            **_list(_ref("name"), least=0),
            "description": "Made when the server has them; of tables that exist their migrations make them.",
        },
        "naming": _words(Naming, "How tables and columns are named by default."),
        "enums": _map(_list(_ref("name")), "Enum types with their values."),
        "policies": _ref("policies"),
        "collections": {
            "type": "object",
            "minProperties": 1,
            "properties": {"*": _others()},
            "additionalProperties": _ref("collection"),
            "description": "What becomes of each collection.",
        },
        "junctions": _map(_ref("junction"), "Tables of pairs, fed by arrays of references."),
        "identities": _map(_ref("identity"), "Documents of several collections that are one thing."),
    }


def _others() -> Json:
    why = _text("Why all collections nobody named are left behind.")
    return {"type": "object", "properties": {"skip": why}, "required": ["skip"], "additionalProperties": False}


def _policies() -> Json:
    meanings = {
        "nul": "NUL characters in text.",
        "utf8": "Bytes in text that are not UTF-8.",
        "nan": "NaN and infinities inside jsonb.",
        "range": "Instants outside the range of the column type.",
    }
    properties: Json = {}
    for key, field in Policies.model_fields.items():
        words = get_args(field.annotation)
        properties[key] = _words(field.annotation, meanings[key], null="null" in words)
    return {
        **_closed(tuple(properties), properties),
        "type": ["object", "null"],
        "description": "What happens to values that PostgreSQL has no place for.",
    }


def _collection() -> Json:
    rule = _closed(
        ("when", "why"), {"when": _when(), "why": _text("Why they are left behind.")}, required=["when", "why"]
    )
    return {
        **_closed(
            COLLECTION_KEYS,
            {
                "table": {
                    "$ref": "#/$defs/name",
                    "description": "Its root table; its own name, folded, unless stated.",
                },
                "from": _from(),
                "optional": {
                    "anyOf": [_ref("word"), _list(_ref("word"))],
                    "description": "Which of these a source may lack; a missing one is read as one without documents.",
                },
                "when": {**_when(), "description": "Which documents this entry takes; else the entries behind it."},
                "constants": _map(_ref("constant"), "Columns filled with a constant."),
                "key": {
                    "anyOf": [_ref("word"), _list(_ref("word"))],
                    "description": "Columns of the primary key instead of the id, or none.",
                },
                "on_duplicate": _words(OnDuplicate, "What happens to documents that a unique index or key refuses."),
                "match": {
                    **_list(_list(_ref("word"))),
                    "description": "Columns that tell which row of an existing table is the same thing.",
                },
                "on_conflict": _ref("onConflict"),
                "rerun": _ref("rerun"),
                "rewritten": _flag("References to it may hold ids of its rows already (isthmus refs rewrite)."),
                "asked": _text("Why the collection is left behind unless a copy is told to carry it (--only)."),
                "skip": {
                    "anyOf": [_text("Why the whole collection is left behind."), _list(rule, least=0)],
                    "description": "The reason for leaving the whole collection behind, or rules for documents.",
                },
                "ids": _ref("ids"),
                "extras": _ref("extras"),
                "fields": _root_fields(),
                "indexes": _ref("indexes"),
                "search": _ref("search"),
            },
        ),
        "type": ["object", "null"],
    }


def _from() -> Json:
    constants = {"type": ["object", "null"], "additionalProperties": {"not": {"type": "null"}}}
    by_source: Json = {"type": "object", "minProperties": 1, "additionalProperties": constants}
    return {
        "anyOf": [_ref("word"), _list(_ref("word")), by_source],
        "description": "The source collections, by name with the constants of each; its own name unless stated.",
    }


def _constant() -> Json:
    value: Json = {"not": {"type": "null"}, "description": "A literal that fits the type."}
    long_form = _closed(
        CONSTANT_KEYS, {"type": _ref("type"), "value": value, "index": _flag("Make an index.")}, required=["type"]
    )
    return {"anyOf": [_ref("type"), long_form]}


def _when() -> Json:
    return {"type": "object", "minProperties": 1, "additionalProperties": _ref("condition")}


def _condition() -> Json:
    scalar: Json = {"type": ["string", "number", "boolean"]}
    extended: Json = {
        "type": "object",
        "properties": dict.fromkeys(EXTENDED, True),
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    value = {"anyOf": [scalar, extended]}
    values = {"anyOf": [scalar, extended, _list({"anyOf": [scalar, extended, {"type": "null"}]})]}
    states = [_closed((state,), {state: {"const": True}}, required=[state]) for state in ("missing", "null", "present")]
    return {
        "anyOf": [
            *value["anyOf"],
            values["anyOf"][2],
            *states,
            _closed(("not",), {"not": values}, required=["not"]),
            *(_closed((word,), {word: {"type": "string"}}, required=[word]) for word in INSTANTS),
        ],
        "description": 'A value, any of several, {not: …}, {missing: true}, {"null": true}, {present: true}, or for'
        " dates {before: …} and {not_before: …} with an instant or now.",
    }


def _fields() -> Json:
    return {
        "type": ["object", "null"],
        "additionalProperties": {
            "anyOf": [_ref(name) for name in ("type", "column", "junctionField", "child", "drop", "toFlags", "route")]
        },
        "description": "What becomes of each field; dots go into sub-documents.",
    }


def _root_fields() -> Json:
    key_rule = _closed(("column", "type"), {"column": _ref("name"), "type": _ref("type")})
    return {**_fields(), "properties": {"_id": {"anyOf": [_ref("type"), key_rule]}}}


def _column() -> Json:
    scalar_or_any: Json = {
        "not": {"type": "null"},
        "description": "A literal that fits the type, or now, or id_time (the time inside the ObjectId).",
    }
    state: Json = {"enum": ["missing", "null", None]}
    keep: Json = {"const": "keep", "description": "What has not the form of an id stays as it is."}
    place_of_ids = _closed(REWRITE_KEYS, {"to": _ref("word"), "others": keep}, required=["to"])
    schema = _closed(
        COLUMN_KEYS,
        {
            **_choice(),
            "flags": {**_some(_text("Label.")), "description": "Boolean fields that are put together as labels."},
            "object": {
                "anyOf": [_list(_ref("word")), _some(_path())],
                "description": "Fields that are put together as one jsonb object: keys with paths, or a list.",
            },
            "column": _ref("name"),
            "type": _ref("type"),
            "required": _flag("Documents without a value are dead letters."),
            "default": scalar_or_any,
            "default_for": {"anyOf": [state, _list(state)], "description": "Which states the default fills."},
            "coerce": _flag("Carry values that must be changed to fit; each is counted."),
            "normalise": {
                "anyOf": [_words(Normalise, "One step."), _list({"enum": list(get_args(Normalise))})],
                "description": "What is done to texts before they are stored.",
            },
            "values": {**_some(True), "description": "Values that are replaced; * for all others, null for NULL."},
            "table_default": {
                "type": ["string", "number", "boolean", "object"],
                "description": "What the table gives to rows that others add later: a literal, or now.",
            },
            "index": _flag("Make an index (gin for jsonb and arrays)."),
            "unique": _flag("Make a unique index."),
            "references": _text("The collection whose documents the value names, or a unique field of it."),
            "identity": _text("The identity that says to which thing the document belongs."),
            "on_orphan": {"enum": [*get_args(OnOrphan), "drop", None], "description": "What an orphan gets."},
            "on_delete": _words(OnDelete, "What becomes of the row when the row it points at is deleted.", null=True),
            "on_update": _ref("onUpdate"),
            "rewrite": _map(
                {"anyOf": [_ref("word"), place_of_ids]},
                "Ids inside jsonb that are replaced: path to collection, [] for every element.",
            ),
            "rename": _map(
                _ref("word"), "Keys inside jsonb that are written otherwise: path to key, [] for every element."
            ),
            "sensitive": _flag("Never in logs, exports or pages."),
            "policies": _ref("policies"),
            "expect": _expect(),
        },
    )
    contrary = [
        ("path", "first_of"),
        ("first_of", "element"),
        *(("flags", word) for word in NOT_WITH_FLAGS),
        *(("object", word) for word in NOT_WITH_OBJECT),
        *(("values", word) for word in NOT_WITH_VALUES),
        ("references", "default"),
        ("references", "table_default"),
        ("references", "expect"),
    ]
    return {
        **schema,
        "anyOf": [{"required": ["type"]}, {"required": ["references"]}],
        "allOf": [_not_both(one, other) for one, other in contrary],
        "dependentRequired": {"of": ["element"], "others": ["element"], "default_for": ["default"]},
    }


def _expect() -> Json:
    form = _words(Form, "A form of text.")
    bound: Json = {"type": ["number", "string"]}
    long_form = _closed(
        EXPECT_KEYS,
        {
            "form": form,
            "pattern": _text("Regular expression of PostgreSQL that some part of a text must match."),
            "min": {**bound, "description": "The least value."},
            "max": {**bound, "description": "The greatest value."},
            "not_before": _text("Column of the same row that this instant may not come before."),
            "not_after": _text("Column of the same row that this instant may not come after."),
        },
    )
    return {
        "anyOf": [form, {**long_form, "minProperties": 1}],
        "description": "What isthmus verify looks the values through for; the copy carries them all the same.",
    }


def _not_both(one: str, other: str) -> Json:
    return {"not": {"required": [one, other]}}


def _some(values: Json | bool) -> Json:
    return {"type": "object", "minProperties": 1, "additionalProperties": values}


def _choice() -> Json:
    return {
        "path": _path(),
        "first_of": {**_list(_path(), least=2), "description": "Fields of which the first that has a value is taken."},
        "element": {"type": "integer", "description": "Position in an array, from 0, negative from its end."},
        "of": {**_path(), "description": "Path inside that element."},
        "others": _text("Why the rest of the array is left behind."),
    }


def _to_flags() -> Json:
    long_form = _closed(
        FLAG_COLUMN_KEYS,
        {
            "column": _ref("name"),
            "required": _flag("Documents without the array are dead letters."),
            "default": {"type": "boolean", "description": "What a missing array means."},
            "index": _flag("Make an index."),
        },
    )
    column = {"anyOf": [_ref("name"), {**long_form, "type": ["object", "null"]}]}
    return {"path": _path(), "to_flags": {**_some(column), "description": "Labels, each with its boolean column."}}


def _route() -> Json:
    long_form = _closed(
        ROUTE_COLUMN_KEYS,
        {
            "column": _ref("name"),
            "field": {**_path(), "description": "Which field of first_of belongs to this column, as it stands there."},
            "index": _flag("Make an index."),
            "on_delete": _words(OnDelete, "What becomes of the row when the row it points at is deleted.", null=True),
            "on_update": _ref("onUpdate"),
        },
        required=["column"],
    )
    columns: Json = {"type": "object", "minProperties": 2, "additionalProperties": {"anyOf": [_ref("name"), long_form]}}
    return {
        **_choice(),
        "route": {**columns, "description": "Collections that the id may point at, each with its column."},
        "required": _flag("One of them must hold the document."),
        "on_orphan": _words(OnOrphan, "What an id gets that none of them holds.", null=True),
        "sensitive": _flag("Never in logs, exports or pages."),
    }


def _junction_field() -> Json:
    return {
        "path": _path(),
        "junction": _text("The junction this array of references feeds."),
        "own": {"$ref": "#/$defs/name", "description": "Its column with the id of the document that holds the array."},
    }


def _child() -> Json:
    return {
        "path": _path(),
        "child": {"$ref": "#/$defs/name", "description": "The child table of this array of sub-documents."},
        "own": {"$ref": "#/$defs/name", "description": "Its column with the id of the root document."},
        "extras": _ref("extras"),
        "fields": _ref("fields"),
        "indexes": _ref("indexes"),
        "search": _ref("search"),
    }


def _indexes() -> Json:
    columns = _list(_ref("word"), most=32)
    long_form = _closed(
        ("columns", "unique", "where", "method", "name"),
        {
            "columns": {"anyOf": [_ref("word"), columns]},
            "unique": _flag("No two rows with the same values."),
            "where": _text("SQL of a partial index, taken as it is."),
            "method": _words(Method, "gin for jsonb and arrays."),
            "name": _ref("name"),
        },
        required=["columns"],
    )
    return {**_list({"anyOf": [_ref("word"), columns, long_form]}, least=0), "description": "Indexes over columns."}


def _search() -> Json:
    columns = _list(_ref("word"))
    long_form = _closed(
        ("columns", "language"),
        {"columns": columns, "language": {"enum": list(SEARCH_LANGUAGES)}},
        required=["columns"],
    )
    return {"anyOf": [columns, long_form], "description": "One full-text index over these columns."}


def _junction() -> Json:
    pair: Json = {
        "type": "object",
        "minProperties": 2,
        "maxProperties": 2,
        "propertyNames": _ref("name"),
        "additionalProperties": _ref("word"),
    }
    long_form = _closed(
        ("columns", "on_orphan"),
        {"columns": pair, "on_orphan": _words(JunctionOnOrphan, "What happens to a pair without one of its ends.")},
        required=["columns"],
    )
    return {"anyOf": [pair, long_form], "description": "Two columns with the collection each refers to."}


def _identity() -> Json:
    step: Json = {"enum": list(get_args(Normalise))}
    steps: Json = {"anyOf": [step, _list(step), {"type": "null"}]}
    return _closed(
        IDENTITY_KEYS,
        {
            "keys": {
                "anyOf": [_list(_ref("word")), _some(steps)],
                "description": "Values by which documents are recognised, with what is done to texts before.",
            },
            "members": {
                **_some(_ref("identitySource")),
                "description": "Collections whose documents become one row; a thing takes the id of the first one.",
            },
            "linked": _map(_ref("identitySource"), "Collections with rows of their own that belong to a thing."),
            "wins": _map(_ref("word"), "Column, and the member collection whose value is taken."),
        },
        required=["members"],
    )


def _identity_source() -> Json:
    to: Json = {"anyOf": [_ref("word"), _list(_ref("word"))]}
    return _closed(
        IDENTITY_SOURCE_KEYS,
        {
            "keys": {**_some(_path()), "description": "Key, and the path of the field that holds it."},
            "links": {**_some(to), "description": "Field that holds the id of a document, and of which collections."},
        },
    )
