"""Tables that were there before the copy: rows of others in them, two copies, and what is done to them afterwards.

Between the copies somebody edits a row, and deletes one. Of every damage it is stated what must be named.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bson import Decimal128, ObjectId

from tests.damage.case import ANY, Case, Named, Names

SCHEMA = "public"
HIDDEN = "between us"
"""What stands in a sensitive column."""
TABLES = """
CREATE TABLE firms (id uuid PRIMARY KEY, name text);
CREATE TABLE staff (
  id uuid PRIMARY KEY, email text UNIQUE, name text, bio text, pin text, wage numeric, age integer, firm uuid,
  boss uuid, friends uuid[], seen timestamptz, note text, CONSTRAINT "Works FOR" FOREIGN KEY (firm) REFERENCES firms,
  CONSTRAINT grown CHECK (age >= 0)
);
CREATE INDEX "Staff ""By"" Name" ON staff (name) WHERE age > 1;
CREATE TABLE phones (staff_id uuid, position integer, number text, PRIMARY KEY (staff_id, position));
INSERT INTO firms VALUES ('00000000-0000-4000-8000-000000000009', 'theirs');
INSERT INTO staff (id, email, name, bio, pin, wage, age, boss, friends, seen) VALUES
  ('00000000-0000-4000-8000-000000000001', 'e1', 'Kept', repeat('a', 200), 'between us', 7.5, 70,
   '00000000-0000-4000-8000-000000000002', '{00000000-0000-4000-8000-000000000002}', '2001-02-03 04:05:06+00'),
  ('00000000-0000-4000-8000-000000000002', 'other', 'Other', NULL, NULL, 1, 1, NULL, NULL, NULL);
INSERT INTO phones VALUES ('00000000-0000-4000-8000-000000000001', 0, 'theirs'),
  ('00000000-0000-4000-8000-000000000001', 1, 'theirs too');
"""
MAPPING = """
isthmus: 1
target: {tables: existing, on_conflict: keep_target, rerun: tracked}
collections:
  firms: {fields: {name: text}}
  staff:
    match: [[email]]
    fields:
      email: {type: text, unique: true}
      name: text
      bio: text
      pin: {type: text, sensitive: true}
      wage: numeric
      age: integer
      firm: {references: firms}
      boss: {references: staff, on_orphan: "null"}
      friends: {references: staff, type: "uuid[]", on_orphan: drop}
      seen: {type: timestamptz, default: now}
      phones: {child: phones, fields: {number: text}}
"""
BETWEEN = (
    "UPDATE staff SET name = 'edited', wage = 3.0 WHERE email = 'e4'",
    "DELETE FROM phones WHERE staff_id = (SELECT id FROM staff WHERE email = 'e6')",
    "DELETE FROM staff WHERE email = 'e6'",
)
"""What somebody does between the copies."""


def _oid(number: int) -> ObjectId:
    return ObjectId(number.to_bytes(12, "big"))


def database() -> dict[str, list[dict[str, Any]]]:
    """Return the documents, the same for both copies."""
    staff: list[dict[str, Any]] = [
        {
            "_id": _oid(n),
            "email": f"e{n}",
            "name": f"n{n}",
            "bio": "b",
            "pin": f"pin {n}",
            "wage": Decimal128(f"{n}.50"),
            "age": n,
            "firm": _oid(101),
            "boss": _oid(999) if n == 3 else _oid(1),
            "friends": [_oid(1), _oid(2)],
            "phones": [{"number": "1"}],
            "shoe": n,
        }
        for n in range(1, 9)
    ]
    return {"firms": [{"_id": _oid(101), "name": "one"}], "staff": staff}


KEPT = "00000000-0000-4000-8000-000000000001"
_MADE = f"SELECT derived_id FROM isthmus.id_map WHERE origin = 'matched' AND id = '{KEPT}'"


def _id(email: str) -> str:
    return f"SELECT id::text FROM staff WHERE email = '{email}'"


def _of(row: str, *paths: str, made: str | None = None) -> Names:
    """Name columns of a row of staff in the layers that compare rows; samples knows it by the id of its document."""
    return tuple(
        name
        for path in paths
        for name in (Named("checksum", "staff", row, path), Named("samples", "staff", made or row, path))
    )


def _kept(change: str, *paths: str) -> Case:
    """Damage to the row that was kept."""
    types = tuple(Named("types", "staff", None, path) for path in paths)
    damage = (f"UPDATE staff SET {change} WHERE id = '{KEPT}'",)
    return Case(f"kept row: {change}", _of(KEPT, *paths, made=_MADE), damage, may=types)


def _forged(name: str, insert: Callable[[str], str], must: Names) -> Case:
    """A reference is taken away, and a ledger says that it had to be."""
    damage = ("UPDATE staff SET boss = NULL WHERE email = 'e5'", insert("{0}"))
    return Case(
        name,
        (*_of(_id("e5"), "boss"), *must),
        damage,
        (_id("e5"),),
        may=(Named("types", "staff", None, "boss"), Named("references", "staff", ANY, "boss")),
    )


_ORPHAN = (
    "INSERT INTO isthmus.orphan OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(o, jsonb_build_object('id', 9999,"
    " 'row_id', '{row}', 'target_id', gen_random_uuid()::text))).* FROM isthmus.orphan o"
    " WHERE column_name = 'boss' AND run_id = (SELECT max(id) FROM isthmus.run)"
)
_PENDING = (
    "INSERT INTO isthmus.pending_reference (run_id, table_schema, table_name, column_name, row_id, row_position,"
    " target_table, target_id) SELECT max(id), 'public', 'staff', 'boss', '{row}', '{{}}', 'staff', {target}"
    " FROM isthmus.run"
)
_CONFLICT = (
    "INSERT INTO isthmus.conflict (run_id, collection, table_name, row_id, source_row_id, differing, policy, action)"
    " SELECT max(id), 'staff', 'staff', '{0}', '{0}', '{1}', 'keep_target', '{2}' FROM isthmus.run"
)


def _conflict(row: str, differing: str, action: str) -> str:
    return _CONFLICT.replace("{0}", row).replace("{1}", differing).replace("{2}", action)


_BOOKS = (Named("references", "staff", None, "boss"),)
_NOBODY = "SELECT DISTINCT target_id FROM isthmus.orphan WHERE column_name = 'boss'"
_KEPT_VALUE = (
    "INSERT INTO isthmus.kept_value SELECT run_id, root_table, table_name, column_name, '{0}', '{0}', row_position,"
    " why, digest FROM isthmus.kept_value WHERE table_name = 'staff' AND column_name = 'age'"
)
_LEDGER = (Named("counts", "staff", None, "(conflicts)"),)

CASES = (
    _kept("age = 999", "age"),
    _kept("wage = 7.51", "wage"),
    _kept("pin = 'changed'", "pin"),
    _kept("bio = repeat('a', 80) || 'HACKED'", "bio"),
    _kept("seen = now()", "seen"),
    _kept("firm = '00000000-0000-4000-8000-000000000009'", "firm"),
    _kept("boss = (SELECT id FROM staff WHERE email = 'e5')", "boss"),
    _kept("friends = '{}'", "friends"),
    Case(
        "kept child row: its value",
        (Named("checksum", "phones", f"{KEPT}/0", "number"), Named("samples", "phones", ANY, "number")),
        (f"UPDATE phones SET number = 'x' WHERE staff_id = '{KEPT}' AND position = 0",),
        may=(Named("types", "phones", None, "number"),),
    ),
    Case(
        "kept child row that no document gives: its value",
        (Named("checksum", "phones", f"{KEPT}/1", "(row)"),),
        (f"UPDATE phones SET number = 'x' WHERE staff_id = '{KEPT}' AND position = 1",),
    ),
    Case(
        "kept child row that no document gives: gone",
        (Named("checksum", "phones", f"{KEPT}/1", "(row)"),),
        (f"DELETE FROM phones WHERE staff_id = '{KEPT}' AND position = 1",),
    ),
    Case(
        "a child row more of a kept row",
        (Named("checksum", "phones", f"{KEPT}/2", "(row)"),),
        (f"INSERT INTO phones VALUES ('{KEPT}', 2, 'x')",),
    ),
    Case(
        "a time that was filled in, in a row that a copy made",
        _of(_id("e5"), "seen"),
        ("UPDATE staff SET seen = '2001-01-01' WHERE email = 'e5'",),
    ),
    Case(
        "zeros behind a number, in a row that a copy made",
        (Named("checksum", "staff", _id("e5"), "wage"),),
        ("UPDATE staff SET wage = (wage::text || '000')::numeric WHERE email = 'e5'",),
        may=(Named("samples", "staff", ANY, "wage"),),
    ),
    Case(
        "the row that was edited is restored, and another one is edited",
        _of(_id("e5"), "name"),
        (
            "UPDATE staff SET name = 'n4', wage = 4.50 WHERE email = 'e4'",
            "UPDATE staff SET name = 'hacked' WHERE email = 'e5'",
        ),
        may=(Named("types", "staff", None, "name"),),
    ),
    Case(
        "the row that was edited is edited once more",
        _of(_id("e4"), "name"),
        ("UPDATE staff SET name = 'edited again' WHERE email = 'e4'",),
        may=(Named("types", "staff", None, "name"),),
    ),
    Case(
        "another row is deleted",
        (
            Named("checksum", "staff", _id("e7"), "(row)"),
            Named("samples", "staff", _id("e7"), "(row)"),
            Named("counts", "staff", None, "(rows)"),
            Named("checksum", "phones", "SELECT id || '/0' FROM staff WHERE email = 'e7'", "(row)"),
        ),
        (
            "DELETE FROM phones WHERE staff_id = (SELECT id FROM staff WHERE email = 'e7')",
            "DELETE FROM staff WHERE email = 'e7'",
        ),
        may=(Named(ANY, "staff", ANY, ANY), Named(ANY, "phones", ANY, ANY)),
    ),
    Case(
        "a row with an id of Isthmus's making that no copy brought",
        tuple(Named(layer, "staff", _NOBODY, "(row)") for layer in ("checksum", "counts")),
        ("INSERT INTO staff (id) VALUES ('{0}')",),
        (_NOBODY,),
        may=tuple(Named(layer, "staff", ANY, "boss") for layer in ("checksum", "types", "references")),
    ),
    _forged("a forged orphan", lambda row: _ORPHAN.replace("{row}", row), _BOOKS),
    _forged(
        "a forged reference that waits for nothing its document says",
        lambda row: _PENDING.replace("{row}", row).replace("{target}", "gen_random_uuid()::text").replace("{{}}", "{}"),
        _BOOKS,
    ),
    _forged(
        "a forged reference that waits for a row that is there",
        lambda row: _PENDING.replace("{row}", row).replace("{target}", f"({_MADE})").replace("{{}}", "{}"),
        _BOOKS,
    ),
    Case(
        "a forged conflict",
        (*_of(_id("e5"), "email"), *_LEDGER),
        (
            "UPDATE staff SET email = 'evil' WHERE email = 'e5'",
            _conflict("{0}", '{"email": {"target": "evil"}}', "kept"),
        ),
        (_id("e5"),),
        may=(Named("types", "staff", None, "email"),),
    ),
    Case(
        "a forged kept value",
        (*_of(_id("e5"), "age"), Named("counts", "staff", None, "(kept values)")),
        (
            "UPDATE staff SET age = 6 WHERE email = 'e5'",
            _KEPT_VALUE,
        ),
        (_id("e5"),),
    ),
    *(
        Case(f"{what}", (Named("schema", table, None, path),), damage)
        for what, table, path, damage in (
            ("a foreign key is gone", "staff", "Works FOR", ('ALTER TABLE staff DROP CONSTRAINT "Works FOR"',)),
            (
                "a foreign key that nothing has proven",
                "staff",
                "Works FOR",
                (
                    'ALTER TABLE staff DROP CONSTRAINT "Works FOR"',
                    'ALTER TABLE staff ADD CONSTRAINT "Works FOR" FOREIGN KEY (firm) REFERENCES firms NOT VALID',
                ),
            ),
            (
                "a foreign key that nothing enforces",
                "staff",
                "Works FOR",
                ("ALTER TABLE staff DISABLE TRIGGER ALL",),
            ),
            ("a CHECK constraint is gone", "staff", "grown", ("ALTER TABLE staff DROP CONSTRAINT grown",)),
            (
                "a unique constraint is gone",
                "staff",
                "staff_email_key",
                ("ALTER TABLE staff DROP CONSTRAINT staff_email_key",),
            ),
            ("a primary key is gone", "phones", "phones_pkey", ("ALTER TABLE phones DROP CONSTRAINT phones_pkey",)),
            ("an index is gone", "staff", 'Staff "By" Name', ('DROP INDEX "Staff ""By"" Name"',)),
            (
                "an index over fewer rows",
                "staff",
                'Staff "By" Name',
                ('DROP INDEX "Staff ""By"" Name"', 'CREATE INDEX "Staff ""By"" Name" ON staff (name) WHERE age > 2'),
            ),
        )
    ),
    Case(
        "an index, a column and a constraint more",
        damage=(
            "CREATE INDEX later ON staff (age)",
            "ALTER TABLE staff ADD later text",
            "ALTER TABLE staff ADD CONSTRAINT later CHECK (wage > 0) NOT VALID",
        ),
        code=0,
    ),
    Case(
        "a kept value forgotten",
        (*_of(KEPT, "age", made=_MADE), Named("counts", "staff", None, "(kept values)")),
        (f"DELETE FROM isthmus.kept_value WHERE row_id = '{KEPT}' AND column_name = 'age'",),
        may=(Named("types", "staff", None, "age"),),
    ),
)
