"""The layers that read the source: what is damaged is named with its table, row and column; nothing else is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from isthmus.errors import ConfigError, SourceError, TargetError
from isthmus.mapping import parse_mapping
from isthmus.sources import open_source
from isthmus.verify.result import LAYERS, Layer, Verified
from isthmus.verify.run import verify_database
from isthmus.verify.subject import Options
from tests.fix_dumps import write_collection
from tests.integration.verify.made import Made
from tests.integration.verify.shop import oid

S = '"Shop ""ü"""'
READING: tuple[Layer, ...] = ("counts", "samples", "types", "checksum")


def verified(
    made: Made, layers: tuple[Layer, ...] = READING, *, mapping: str | None = None, **options: Any
) -> Verified:
    source = open_source(str(made.folder))
    try:
        checked = parse_mapping(mapping or made.mapping, file_name="mapping.yaml")
        return verify_database(
            checked,
            source,
            made.conninfo,
            options=Options(sample=options.pop("sample", None), **options),
            layers=layers,
        )
    finally:
        source.close()


def named(result: Verified, layer: Layer) -> set[tuple[str, str]]:
    return {(one.table, one.path) for one in result.layers[layer].differences}


def test_undamaged(shop_twin: Made) -> None:
    result = verified(shop_twin)
    assert result.passed, result.differences
    assert all(layer.checked for layer in result.layers.values())
    checks = {(one.table, one.column): one for one in result.layers["checksum"].columns}
    assert checks["users", ""].compared == 8
    assert checks["users", "email"].compared == 8  # also of the row with orphans in arrays
    assert checks["users", "boss_id"].accounted == 1
    assert shop_twin.one("SELECT outcome FROM isthmus.verification") == "passed"


# what is done; table and column that the checksum must name
CHANGES: dict[str, tuple[str, str, str]] = {
    "text": ("UPDATE {s}.users SET name = name || ' ' WHERE name = 'User 5'", "users", "name"),
    "one character": ("UPDATE {s}.users SET name = 'user 5' WHERE name = 'User 5'", "users", "name"),
    "null for value": ("UPDATE {s}.users SET name = NULL WHERE name = 'User 5'", "users", "name"),
    "value for null": ("UPDATE {s}.orders SET mood = 'bad' WHERE mood IS NULL AND number = 3", "orders", "mood"),
    "array reordered": ("UPDATE {s}.users SET tags = ARRAY[tags[2], tags[1]] WHERE name = 'User 5'", "users", "tags"),
    "array shortened": ("UPDATE {s}.users SET tags = tags[1:1] WHERE name = 'User 5'", "users", "tags"),
    "empty array": ("UPDATE {s}.users SET tags = '{{}}' WHERE name = 'User 5'", "users", "tags"),
    "enum": ("UPDATE {s}.orders SET state = 'BACK' WHERE number = 1", "orders", "state"),
    "enum array": ("UPDATE {s}.users SET kinds = kinds[1:1] WHERE cardinality(kinds) = 2", "users", "kinds"),
    "numeric": ("UPDATE {s}.orders SET total = total + 0.01 WHERE number = 1", "orders", "total"),
    "timestamp": (
        "UPDATE {s}.orders SET placed_at = placed_at + interval '1 microsecond' WHERE number = 1",
        "orders",
        "placed_at",
    ),
    "boolean": ("UPDATE {s}.users SET is_admin = NOT is_admin WHERE name = 'User 1'", "users", "is_admin"),
    "smallint": ("UPDATE {s}.order_lines SET count = count + 1 WHERE position = 0", "order_lines", "count"),
    "jsonb key": (
        "UPDATE {s}.orders SET extras = coalesce(extras, '{{}}') || '{{\"new\": 1}}' WHERE number = 1",
        "orders",
        "extras",
    ),
    "jsonb element": ("UPDATE {s}.orders SET reviewers = '[]' WHERE reviewers IS NOT NULL", "orders", "reviewers"),
    "reference": (
        "UPDATE {s}.users SET boss_id = (SELECT id FROM {s}.users WHERE name = 'User 3') WHERE name = 'User 1'",
        "users",
        "boss_id",
    ),
    "reference by another field": (
        "UPDATE {s}.orders SET team_id = (SELECT id FROM {s}.teams WHERE name = 'green') WHERE team_id IS NOT NULL",
        "orders",
        "team_id",
    ),
    "references in an array": (
        "UPDATE {s}.users SET friend_ids = friend_ids[1:1] WHERE name = 'User 3'",
        "users",
        "friend_ids",
    ),
    "orphan filled": (
        "UPDATE {s}.users SET boss_id = id WHERE name = 'User 2'",
        "users",
        "boss_id",
    ),
    "row deleted": ("DELETE FROM {s}.line_parts WHERE position = 0", "line_parts", "(row)"),
    "row added": ("INSERT INTO {s}.countries (code, name) VALUES ('ZZ', 'Nowhere')", "countries", "(row)"),
    "pair deleted": (
        "DELETE FROM {s}.user_likes WHERE ctid = (SELECT min(ctid) FROM {s}.user_likes)",
        "user_likes",
        "(row)",
    ),
    "pair added": (
        (
            "INSERT INTO {s}.user_likes SELECT u.id, p.id FROM {s}.users u, {s}.products p WHERE NOT EXISTS"
            " (SELECT FROM {s}.user_likes l WHERE l.user_id = u.id AND l.product_id = p.id) LIMIT 1"
        ),
        "user_likes",
        "(row)",
    ),
    "child moved": ("UPDATE {s}.order_lines SET position = position + 7 WHERE position = 0", "order_lines", "(row)"),
}


@pytest.mark.parametrize(("damage", "table", "column"), CHANGES.values(), ids=CHANGES)
def test_damage_is_named(shop_twin: Made, damage: str, table: str, column: str) -> None:
    shop_twin.do(f"SET session_replication_role = replica; {damage.format(s=S)}")
    result = verified(shop_twin, ("checksum",))
    assert named(result, "checksum") == {(table, column)}
    assert all(one.id for one in result.layers["checksum"].differences)
    assert shop_twin.one("SELECT outcome FROM isthmus.verification") == "failed"


def test_a_sensitive_value_is_never_shown(shop_twin: Made) -> None:
    shop_twin.do(f"UPDATE {S}.users SET secret = 'TOPSECRET' WHERE name = 'User 5'")
    result = verified(shop_twin)
    assert ("users", "secret") in named(result, "checksum")
    assert ("users", "secret") in named(result, "samples")
    assert "TOPSECRET" not in str(result.as_json())
    assert "pass5" not in str(result.as_json())


@pytest.mark.parametrize("key", ["key: code", "key: none"])
def test_a_sensitive_key_is_never_shown(make_here: Callable[..., Made], key: str) -> None:
    fields = "fields: {code: {type: text!, sensitive: true}, n: integer}"
    mapping = f"isthmus: 1\ncollections:\n  Cards: {{table: cards, {key}, {fields}}}\n"
    made = make_here(mapping, {"Cards": [{"_id": oid(n), "code": f"SECRET{n}", "n": n} for n in range(1, 4)]})
    made.do("UPDATE cards SET n = 9 WHERE n = 1", "DELETE FROM cards WHERE n = 2")
    result = verified(made)
    assert named(result, "checksum")
    assert named(result, "samples")
    assert "SECRET" not in str(result.as_json())


def test_a_deleted_dead_letter_is_a_lost_document(shop_twin: Made) -> None:
    letters = shop_twin.one("SELECT count(*) FROM isthmus.dead_letter")
    assert letters
    shop_twin.do("DELETE FROM isthmus.dead_letter WHERE id = (SELECT min(id) FROM isthmus.dead_letter)")
    result = verified(shop_twin, ("counts", "checksum"))
    assert not result.passed


def test_a_dead_letter_with_other_bytes(shop_twin: Made) -> None:
    shop_twin.do("UPDATE isthmus.dead_letter SET document = set_bit(document, 100, 1 - get_bit(document, 100))")
    result = verified(shop_twin, ("counts",))
    assert any(path == "(dead letters)" for _, path in named(result, "counts"))


def test_a_forged_dead_letter_excuses_no_row(shop_twin: Made) -> None:
    shop_twin.do(
        f"SET session_replication_role = replica; DELETE FROM {S}.teams WHERE name = 'green'",
        "INSERT INTO isthmus.dead_letter (run_id, collection, location, stage, code, path, message, causes, document,"
        " document_digest) SELECT 1, 'teams', '', 'finish', 'x', '', '', '[]', document, document_digest FROM"
        " isthmus.dead_letter LIMIT 1",
    )
    assert ("teams", "(dead letters)") in named(verified(shop_twin, ("counts",)), "counts")


def test_a_forged_orphan_excuses_no_null(shop_twin: Made) -> None:
    shop_twin.do(
        f"UPDATE {S}.users SET boss_id = NULL WHERE name = 'User 1'",
        "INSERT INTO isthmus.orphan (run_id, source_collection, table_name, column_name, row_id, target_collection,"
        " target_id, action, by_default) SELECT 1, 'users', 'users', 'boss_id', a.id::text, 'users', b.id::text,"
        f" 'null', false FROM {S}.users a, {S}.users b WHERE a.name = 'User 1' AND b.name = 'User 2'",
    )
    result = verified(shop_twin, ("samples", "checksum"))
    assert ("users", "boss_id") in named(result, "samples")
    assert named(result, "checksum") == {("users", "boss_id")}


def test_a_row_that_was_left_to_the_oracle_and_has_no_document(changing_friends: Made) -> None:
    write_collection(changing_friends.folder, "Things", [{"_id": oid(1), "friends": [oid(1)]}])
    result = verified(changing_friends, ("checksum",))
    assert named(result, "checksum") == {("things", "(row)")}


def test_what_cannot_be_looked_at_is_a_difference(shop_twin: Made) -> None:
    shop_twin.do(
        f"ALTER TABLE {S}.users RENAME name TO nom",
        f"ALTER TABLE {S}.order_lines ALTER count TYPE bigint",
        f"DROP TABLE {S}.line_parts",
    )
    result = verified(shop_twin, LAYERS)
    assert {("users", "name"), ("order_lines", "count"), ("line_parts", "")} <= {
        (one.table, "" if one.table == "line_parts" else one.path) for one in result.layers["schema"].differences
    }
    assert {"users", "order_lines", "line_parts"} <= {one.table for one in result.layers["checksum"].differences}
    assert not any(layer.passed for name, layer in result.layers.items() if name in {"counts", "samples", "types"})


@pytest.fixture
def changing_friends(make_here: Callable[..., Made]) -> Made:
    """A copy of its own, with a row whose array holds an orphan."""
    things = [{"_id": oid(1), "friends": [oid(1)]}, {"_id": oid(2), "friends": [oid(1), oid(9)]}]
    mapping = """
        isthmus: 1
        collections:
          Things: {table: things, fields: {friends: {type: "uuid[]", references: Things, on_orphan: drop}}}
    """
    return make_here(mapping, {"Things": things})


@pytest.fixture
def changing(make_here: Callable[..., Made]) -> Made:
    """A copy of its own, whose source may be changed behind it."""
    things = [{"_id": oid(n), "n": n} for n in range(1, 5)]
    mapping = "isthmus: 1\ncollections:\n  Things: {table: things, fields: {n: integer}}\n"
    return make_here(mapping, {"Things": things})


def test_a_source_that_changed_is_never_a_pass(changing: Made) -> None:
    write_collection(changing.folder, "Things", [{"_id": oid(n), "n": n if n != 3 else 4} for n in range(1, 5)])
    result = verified(changing)
    assert ("Things", "(source)") in named(result, "counts")
    assert ("things", "n") in named(result, "checksum")


def test_a_new_document_is_named(changing: Made) -> None:
    write_collection(changing.folder, "Things", [{"_id": oid(n), "n": n} for n in range(1, 6)])
    result = verified(changing)
    assert {("Things", "(source)"), ("things", "(rows)")} <= named(result, "counts")
    (row,) = result.layers["checksum"].differences
    assert (row.table, row.path, row.actual) == ("things", "(row)", None)


def test_other_collections_are_another_source(changing: Made) -> None:
    write_collection(changing.folder, "Others", [{"_id": oid(1)}])
    with pytest.raises(SourceError) as fault:
        verified(changing)
    assert fault.value.code == "source-differs"
    assert "Others" in str(fault.value)


def test_a_source_that_breaks_off(changing: Made) -> None:
    file = changing.folder / "Things.bson"
    file.write_bytes(file.read_bytes()[:-3])
    result = verified(changing)
    assert ("Things", "(source)") in named(result, "counts")
    with pytest.raises(SourceError):
        verified(changing, ("checksum",))


def test_another_mapping_is_refused(changing: Made) -> None:
    with pytest.raises(ConfigError) as fault:
        verified(changing, mapping=changing.mapping.replace("integer", "bigint"))
    assert fault.value.code == "mapping-changed"


def test_a_run_that_is_not_complete_is_refused(changing: Made) -> None:
    changing.do("UPDATE isthmus.run SET stage = 'finishing'")
    with pytest.raises(TargetError) as fault:
        verified(changing)
    assert fault.value.code == "not-complete"


def test_stopped_proves_nothing(changing: Made) -> None:
    stop = threading.Event()
    stop.set()
    source = open_source(str(changing.folder))
    result = verify_database(parse_mapping(changing.mapping), source, changing.conninfo, stop=stop)
    source.close()
    assert result.interrupted
    assert not result.passed
    assert changing.one("SELECT outcome FROM isthmus.verification") == "interrupted"


def test_a_sample_is_the_same_for_the_same_seed(changing: Made) -> None:
    def checked(seed: int) -> int:
        return verified(changing, ("samples",), sample=2, seed=seed).layers["samples"].checked

    assert checked(1) == checked(1) == 2


def test_the_id_key_of_another_target(changing: Made) -> None:
    changing.do("UPDATE isthmus.id_key SET key = decode(repeat('00', 32), 'hex')")
    assert ("things", "(row)") in named(verified(changing, ("checksum",)), "checksum")


def test_types_name_counts_and_extremes(changing: Made) -> None:
    changing.do("UPDATE things SET n = 9 WHERE n = 4", "UPDATE things SET n = NULL WHERE n = 2")
    (count, largest) = verified(changing, ("types",)).layers["types"].differences
    assert (count.path, count.expected, count.actual) == ("n", "4", "3")
    assert (largest.path, largest.expected, largest.actual) == ("n", "4", "9")


ORDERS = """
    isthmus: 1
    collections:
      Orders: {table: orders, fields: {price: double, placed: timestamptz, note: text, tags: "double[]"}}
"""


def placed(make_here: Callable[..., Made]) -> Made:
    days = (datetime(2026, 1, day, 13, 30, 0, 500_000, tzinfo=UTC) for day in (1, 2, 3))
    documents = [
        {"_id": oid(n), "price": 1.5 * n, "placed": day, "note": "x" * n, "tags": [0.5, None]}
        for n, day in enumerate(days, start=1)
    ]
    return make_here(ORDERS, {"Orders": documents})


def test_samples_show_values_as_the_server_prints_them(make_here: Callable[..., Made]) -> None:
    made = placed(make_here)
    made.do(
        "DELETE FROM orders WHERE price = 1.5",
        "UPDATE orders SET price = 3.25, note = NULL, placed = placed + interval '1 day', tags = '{NULL,2}'"
        " WHERE price = 3",
    )
    found = {(one.path, one.expected, one.actual) for one in verified(made, ("samples",)).layers["samples"].differences}
    (row,) = (expected for path, expected, _ in found if path == "(row)")
    assert row is not None
    words = "price=1.5, placed=2026-01-01 13:30:00.5+00, note=x, tags={0.5,NULL}, extras=NULL"
    assert row.endswith(words)
    assert {one for one in found if one[0] != "(row)"} == {
        ("price", "3", "3.25"),
        ("note", "xx", None),
        ("placed", "2026-01-02 13:30:00.5+00", "2026-01-03 13:30:00.5+00"),
        ("tags", "{0.5,NULL}", "{NULL,2}"),
    }


def test_types_say_what_the_extremes_are(make_here: Callable[..., Made]) -> None:
    made = placed(make_here)
    made.do(
        "UPDATE orders SET note = 'xxxxx', placed = '0044-03-15 12:00:00+00 BC', price = 0.25 WHERE price = 1.5",
        "UPDATE orders SET placed = 'infinity' WHERE price = 4.5",
    )
    found = {
        (one.message.split(" is ")[0], one.expected, one.actual)
        for one in verified(made, ("types",)).layers["types"].differences
    }
    assert found == {
        ("The shortest text of orders.note", "1 character", "2 characters"),
        ("The longest text of orders.note", "3 characters", "5 characters"),
        ("The earliest instant of orders.placed", "2026-01-01 13:30:00.5+00", "0044-03-15 12:00:00+00 BC"),
        ("The latest instant of orders.placed", "2026-01-03 13:30:00.5+00", "infinity"),
        ("The smallest value of orders.price", "1.5", "0.25"),
    }


@pytest.mark.parametrize(
    ("documents", "words"),
    [
        ([{"_id": oid(n), "n": 9} for n in range(1, 5)], "4 documents as then, with other contents."),
        ([{"_id": oid(n), "n": n} for n in range(1, 6)], "4 documents then, 5 now."),
    ],
)
def test_changed_source_is_told_as_what_it_is(changing: Made, documents: list[dict[str, Any]], words: str) -> None:
    write_collection(changing.folder, "Things", documents)
    differences = verified(changing, ("counts",)).layers["counts"].differences
    (told,) = (one.message for one in differences if one.path == "(source)")
    assert told == f"Things is not what the copy read: {words} Run isthmus copy again: it names what changed."


@pytest.mark.parametrize("sample", [None, 2])
def test_samples_speak_of_what_was_not_drawn_only_where_something_was_not(changing: Made, sample: int | None) -> None:
    notes = " ".join(verified(changing, ("samples",), sample=sample).layers["samples"].notes)
    assert ("not drawn" in notes, "misread alike" in notes) == (sample is not None, True)
