"""What each code of a dead letter means and what an operator can do: the one place where that is written by hand.

The contract tests hold this table against the sources: no code without an entry, no entry without a code.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Reject(NamedTuple):
    """One reject code.

    Attributes:
        code: The slug, as it stands in `isthmus.dead_letter`.
        stage: Who finds it: `core` (while the document is read), `target` (PostgreSQL refuses its rows), `finish`.
        meaning: One sentence or two.
        remedy: What to do, in Markdown; links lead from docs/reference.
    """

    code: str
    stage: str
    meaning: str
    remedy: str


REJECTS = (
    Reject(
        "bson",
        "core",
        "The document's bytes break the rules of BSON at the named path and offset.",
        "Export the letter and look at the bytes. Dump the collection again; if the server holds the document like "
        "this, repair it there.",
    ),
    Reject(
        "bson-type",
        "core",
        "A field has a type byte that BSON does not define.",
        "Export the letter and look at the bytes. Dump the collection again; if the server holds the document like "
        "this, repair it there.",
    ),
    Reject(
        "nesting",
        "core",
        "Documents or arrays are nested more than 100 deep, which MongoDB itself does not allow.",
        "Flatten the document in the source, or leave it behind with a `skip` rule that says why.",
    ),
    Reject(
        "bad-id",
        "core",
        "`_id` is missing, or is an array, a regular expression or undefined.",
        "Give the document a usable `_id` in the source.",
    ),
    Reject(
        "required",
        "core",
        "A field that the mapping requires (`text!`), or that goes into a column of a table that exists which takes no "
        "NULL, is missing or null and has no default for that state.",
        "Drop the `!`, give a `default` (with `default_for: [missing, null]` if null shall have it too), or repair "
        "the document. In a table that exists, the column itself must take NULL, too: `ALTER TABLE … ALTER COLUMN … "
        "DROP NOT NULL`.",
    ),
    Reject(
        "type",
        "core",
        "The value's BSON type does not go into the column's type, or only if that is asked for.",
        "Look the pair up under [types](mapping.md). If the page says *coerce*, `coerce: true` on the field allows "
        ""
        "it. Where the field says so already, or the page does not: repair the value, replace it with `values`, or "
        "choose another column type: `text` takes nearly everything with `coerce: true`, `jsonb` everything.",
    ),
    Reject(
        "out-of-range",
        "core",
        "The number does not fit the column's type or precision.",
        "Take a wider type: `bigint` for `integer`, `numeric` for `numeric(p,s)`, `double` for `real`.",
    ),
    Reject(
        "fraction",
        "core",
        "A number with a fraction was to go into an integer column.",
        "Take `numeric` or `double`.",
    ),
    Reject(
        "inexact",
        "core",
        "The number would lose digits in a `real` or `double` column.",
        "Take `numeric`, or allow rounding with `coerce: true`.",
    ),
    Reject(
        "scale",
        "core",
        "The number has more digits behind the point than `numeric(p,s)` keeps.",
        "Take a larger scale or plain `numeric`, or allow rounding with `coerce: true`.",
    ),
    Reject(
        "precision",
        "core",
        "The instant has more digits of a second than `timestamp(p)` keeps.",
        "Take a larger precision, or allow rounding with `coerce: true`.",
    ),
    Reject(
        "too-long",
        "core",
        "The text is longer than `varchar(n)`, of the mapping or of a column of a table that exists; the length counts "
        "characters.",
        "Take `text` or a larger `n`. In a table that exists, make the column itself longer, too: `ALTER TABLE … ALTER "
        "COLUMN … TYPE …`.",
    ),
    Reject(
        "enum",
        "core",
        "The text is none of the enum's values; upper and lower case count.",
        "Add the value to `enums`, or take `text`.",
    ),
    Reject(
        "nul",
        "core",
        "The text holds the character NUL (U+0000), which PostgreSQL's text and jsonb cannot hold.",
        "Set the policy `nul: remove` for the column or the mapping; each removal is then counted and listed.",
    ),
    Reject(
        "utf8",
        "core",
        "The text, or a field's name, is not valid UTF-8.",
        "Set the policy `utf8: replace`; each replacement is then counted and listed.",
    ),
    Reject(
        "nan",
        "core",
        "NaN or an infinity was to go into JSON, which has no word for it.",
        "Set the policy `nan: null`, or give the field a column of its own (`double`).",
    ),
    Reject(
        "range",
        "core",
        "The date lies outside what PostgreSQL can hold (4713 BC to 294276 AD for timestamps).",
        "Set the policy `range: null` or `range: infinity`, or repair the date.",
    ),
    Reject(
        "time-of-day",
        "core",
        "An instant that is not midnight UTC was to go into a `date` column.",
        "Take `timestamptz`, or allow cutting the time off with `coerce: true`.",
    ),
    Reject(
        "uuid-legacy",
        "core",
        "A binary value of the old UUID subtype 3. Its byte order depended on the driver that wrote it.",
        "Take `bytea`, or rewrite the field in the source as subtype 4.",
    ),
    Reject(
        "not-an-array",
        "core",
        "The field has a child table, and its value is no array.",
        "Repair the document, or map the field as `jsonb`.",
    ),
    Reject(
        "not-a-document",
        "core",
        "An element of an array that has a child table is no document.",
        "Map the array as `jsonb` or as an array of scalars.",
    ),
    Reject(
        "wrong-collection",
        "core",
        "A DBRef names another collection than the mapping does.",
        "Correct `references`, or map the field as `jsonb`.",
    ),
    Reject(
        "no-entry",
        "core",
        "No entry of the mapping takes the document: it meets the `when` of none that reads its collection.",
        "Add an entry without `when` behind the others, or one that skips such documents with a reason.",
    ),
    Reject(
        "thing-unknown",
        "core",
        "The document is of a collection whose documents an identity makes one with others, and nobody found out yet "
        "with which: it was not there when the copy began.",
        "Copy again: who is one with whom is found out before anything is loaded.",
    ),
    Reject(
        "key-taken",
        "core",
        "A document inside the value has two keys that would become one, because the mapping gives one of them another "
        "name (`rename`).",
        "Repair the document, or take that key out of `rename`.",
    ),
    Reject(
        "unknown-field",
        "core",
        "The document has a field without a rule, and the mapping says `extras: dead_letter`.",
        "Map the field, drop it with a reason, or set `extras: extras`.",
    ),
    Reject(
        "target-refused",
        "target",
        "PostgreSQL refused the rows of this document; its own words are in the message.",
        "Read the message. A trigger, a check or a unique key of an existing table is the usual cause.",
    ),
    Reject(
        "duplicate-id",
        "finish",
        "Another document of the collection has the same `_id`, or one that becomes the same id "
        "(an ObjectId and its own 24 hex digits).",
        "Decide in the source which one stays. The document with the lowest `_id` was carried.",
    ),
    Reject(
        "duplicate-key",
        "finish",
        "Another document has the same value in a column that must be unique.",
        "Decide in the source which one stays, or take the unique index out of the mapping. The document with the "
        "lowest `_id` was carried.",
    ),
    Reject(
        "orphan",
        "finish",
        "A required reference points at a document that does not exist.",
        'Restore the document it points at, or drop the `!` and state `on_orphan: "null"`.',
    ),
    Reject(
        "key-too-long",
        "finish",
        "A value is longer than PostgreSQL takes into an index that must exist.",
        "Take the unique index out of the mapping, or shorten the value.",
    ),
    Reject(
        "original-gone",
        "finish",
        "The document could not stay (its second cause says why) and was removed from a running server since it was "
        "read, so that the letter has no bytes.",
        "Nothing can be carried again. If it was removed by mistake, restore it in MongoDB and copy with `--fresh`.",
    ),
    Reject(
        "original-changed",
        "finish",
        "Stands behind another cause: the document was written to on a running server since it was read, so the letter "
        "has the bytes that it had when it was found bad.",
        "Decide as for the cause in front of it.",
    ),
    Reject(
        "match-ambiguous",
        "finish",
        "Several rows of a table that exists agree with the document in a list of `match`, and none alone.",
        "Add a list to `match` that tells them apart, or make one row of them.",
    ),
    Reject(
        "match-taken",
        "finish",
        "The row that the document matches is another document, or matches another document as well.",
        "Decide in the source which document it is; narrow `match`.",
    ),
    Reject(
        "target-has-row",
        "finish",
        "A table that exists holds the document already, with other values, and the mapping says "
        "`on_conflict: dead_letter`.",
        "Look at `isthmus letters show` and the row; then set `keep_target` or `overwrite`, or change one of them.",
    ),
    Reject(
        "target-has-value",
        "finish",
        "Another row of a table that exists holds a value of the document that must be unique.",
        "If they are one thing, say so with `match`; otherwise decide which of them has the value.",
    ),
    Reject(
        "reference-pending",
        "finish",
        "A reference leads to a collection that this copy does not carry (`--only`), and its column takes no NULL.",
        "Carry that collection first, then this one again.",
    ),
)

_REMEDIES = {reject.code: reject.remedy for reject in REJECTS}


def remedy_of(code: str) -> str:
    """Return what to do about a cause, for a terminal; empty for a code of another version of Isthmus."""
    plain = re.sub(r"\[(.+?)\]\((.+?)\)", r"\1 (docs/reference/\2)", _REMEDIES.get(code, ""))
    return re.sub(r"\*(\w+)\*", r"\1", plain)
