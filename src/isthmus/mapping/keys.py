"""The keys of the language, for the reader, the JSON Schema and the page that describes them."""

from __future__ import annotations

from isthmus.mapping.model import Policies
from isthmus.mapping.rules import Expect

ROOT_KEYS = (
    "isthmus",
    "target",
    "ids",
    "extras",
    "extensions",
    "naming",
    "enums",
    "policies",
    "collections",
    "junctions",
    "identities",
)
TARGET_KEYS = ("schema", "tables", "on_conflict", "rerun", "on_update")
COLLECTION_KEYS = (
    "table",
    "from",
    "optional",
    "when",
    "constants",
    "key",
    "skip",
    "asked",
    "ids",
    "extras",
    "fields",
    "indexes",
    "search",
    "on_duplicate",
    "match",
    "on_conflict",
    "rerun",
    "rewritten",
)
CONSTANT_KEYS = ("type", "value", "index")
POLICY_KEYS = tuple(Policies.model_fields)
CHOICE_KEYS = ("path", "first_of", "element", "of", "others")
COLUMN_KEYS = (
    *CHOICE_KEYS,
    "flags",
    "object",
    "column",
    "type",
    "required",
    "default",
    "default_for",
    "table_default",
    "coerce",
    "normalise",
    "values",
    "index",
    "unique",
    "references",
    "identity",
    "on_orphan",
    "on_delete",
    "on_update",
    "rewrite",
    "rename",
    "sensitive",
    "policies",
    "expect",
)
EXPECT_KEYS = tuple(Expect.model_fields)
REWRITE_KEYS = ("to", "others")
IDENTITY_KEYS = ("keys", "members", "linked", "wins")
IDENTITY_SOURCE_KEYS = ("keys", "links")
JUNCTION_KEYS = ("path", "junction", "own")
CHILD_KEYS = ("path", "child", "own", "extras", "fields", "indexes", "search")
DROP_KEYS = ("path", "drop")
TO_FLAGS_KEYS = ("path", "to_flags")
FLAG_COLUMN_KEYS = ("column", "required", "default", "index")
ROUTE_KEYS = (*CHOICE_KEYS, "route", "required", "on_orphan", "sensitive")
ROUTE_COLUMN_KEYS = ("column", "field", "index", "on_delete", "on_update")
FORMS = {
    "junction": JUNCTION_KEYS,
    "child": CHILD_KEYS,
    "drop": DROP_KEYS,
    "to_flags": TO_FLAGS_KEYS,
    "route": ROUTE_KEYS,
}
"""Keys of the field rules that are no columns, by the key that tells them."""
