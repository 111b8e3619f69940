"""Copies into tables whose own rules reach beyond the mapping: predicates, domains, settings, rows that hang together.

Oracle: rows and ledgers read with SQL of the test's own.
"""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from tests.integration.copy.carrying import World, balanced, oid

ROW = "00000000-0000-4000-8000-0000000000"


def test_unique_index_whose_predicate_reads_what_the_mapping_does_not_fill_is_the_servers_to_judge(
    world: World,
) -> None:
    world.rows("CREATE TABLE users (id uuid PRIMARY KEY, email text, note text, deleted_at timestamptz)")
    world.rows("CREATE UNIQUE INDEX ON users (email) INCLUDE (note) WHERE deleted_at IS NULL")
    world.rows(f"INSERT INTO users VALUES ('{ROW}01', 'a@x', NULL, NULL), ('{ROW}02', 'b@x', NULL, now())")
    emails = {1: "a@x", 2: "b@x", 3: "c@x", 4: "c@x"}
    world.write({"users": [{"_id": oid(n), "email": email} for n, email in emails.items()]})
    balanced(
        world.copy("""
        isthmus: 1
        target: {tables: existing}
        collections: {users: {fields: {email: text}}}
        """)
    )
    assert set(world.codes().values()) == {"target-refused"}
    assert len(world.codes()) == 2  # whose values live rows hold: that of a row, and that of another document
    assert sorted(world.column("SELECT email FROM users")) == ["a@x", "b@x", "b@x", "c@x"]


@pytest.mark.parametrize("policy", ["keep_target", "overwrite"])
def test_value_that_a_domain_refuses_makes_a_dead_letter_also_where_rows_are_matched_by_it(
    world: World, policy: str
) -> None:
    world.rows("CREATE DOMAIN mail AS text CHECK (VALUE LIKE '%@%')")
    world.rows("CREATE TABLE users (id uuid PRIMARY KEY, email mail UNIQUE, name text)")
    world.rows(f"INSERT INTO users VALUES ('{ROW}01', 'a@x', 'old')")
    world.write({"users": [{"_id": oid(n), "email": email} for n, email in ((1, "a@x"), (2, "none"), (3, None))]})
    balanced(
        world.copy(f"""
        isthmus: 1
        target: {{tables: existing, on_conflict: {policy}}}
        collections: {{users: {{match: [[email]], fields: {{email: text, name: text}}}}}}
        """)
    )
    (letter,) = world.letters()
    assert (letter.source_id, letter.stage, letter.code) == (str(oid(2)), "load", "target-refused")
    assert "mail" in letter.message
    assert world.one("SELECT count(*) FROM users") == 2


SETTINGS = {"extra_float_digits": "0", "bytea_output": "escape", "timezone": "Asia/Tokyo", "datestyle": "German, DMY"}


def test_settings_of_the_database_do_not_make_rows_look_edited(world: World) -> None:
    mapping = """
        isthmus: 1
        target: {tables: existing, rerun: tracked}
        collections: {t: {fields: {f: double, b: bytea, n: text}}}
        """
    world.rows("CREATE TABLE t (id uuid PRIMARY KEY, f double precision, b bytea, n text)")
    world.write({"t": [{"_id": oid(1), "f": 0.1 + 0.2, "b": b"\0\xff", "n": "old"}]})
    balanced(world.copy(mapping))
    name = sql.Identifier(world.one("SELECT current_database()"))
    world.write({"t": [{"_id": oid(1), "f": 0.1 + 0.2, "b": b"\0\xff", "n": "new"}]})
    with psycopg.connect(world.conninfo, autocommit=True) as connection:
        try:
            for setting, value in SETTINGS.items():
                words = sql.SQL("ALTER DATABASE {} SET {} TO {}")
                connection.execute(words.format(name, sql.Identifier(setting), sql.Literal(value)))
            result = world.copy(mapping)
        finally:
            connection.execute(sql.SQL("ALTER DATABASE {} RESET ALL").format(name))
    assert result.balance is not None
    assert result.balance.met_rows == {"t": {"updated": 1}}


def test_order_of_fields_in_the_mapping_does_not_make_rows_look_edited(world: World) -> None:
    head = """
isthmus: 1
target: {tables: existing, rerun: tracked}
collections:
  t:
    extras: dead_letter
    fields:
"""
    fields = [
        "      a: text",
        "      xs: {child: xs, extras: dead_letter, fields: {x: text, y: text}}",
        "      ws: {child: ws, extras: dead_letter, fields: {w: text}}",
        "      b: text",
    ]
    world.rows("CREATE TABLE t (id uuid PRIMARY KEY, a text, b text)")
    world.rows(
        "CREATE TABLE xs (t_id uuid REFERENCES t, position integer, x text, y text, PRIMARY KEY (t_id, position))"
    )
    world.rows("CREATE TABLE ws (t_id uuid REFERENCES t, position integer, w text, PRIMARY KEY (t_id, position))")
    document = {"_id": oid(1), "a": "1", "b": "2", "xs": [{"x": "3", "y": "4"}], "ws": [{"w": "5"}]}
    world.write({"t": [document]})
    balanced(world.copy(head + "\n".join(fields)))
    world.write({"t": [{**document, "a": "new"}]})
    result = world.copy(head + "\n".join(reversed(fields)).replace("x: text, y: text", "y: text, x: text"))
    assert result.balance is not None
    assert result.balance.met_rows == {"t": {"updated": 1}}


@pytest.mark.parametrize(("on_delete", "left"), [("", 3), ("ON DELETE CASCADE", 2), ("ON DELETE SET NULL", 2)])
def test_arrays_in_arrays_that_become_shorter_and_rows_that_point_into_them(
    world: World, on_delete: str, left: int
) -> None:
    mapping = """
        isthmus: 1
        target: {tables: existing, on_conflict: overwrite}
        collections:
          people:
            match: [[email]]
            fields:
              email: text
              phones: {child: phones, fields: {number: text, calls: {child: calls, fields: {who: text}}}}
        """
    world.rows("CREATE TABLE people (id uuid PRIMARY KEY, email text UNIQUE)")
    world.rows("CREATE TABLE phones (people_id uuid, position integer, number text, PRIMARY KEY (people_id, position))")
    world.rows(
        "CREATE TABLE calls (phones_id uuid, phones_position integer, position integer, who text,"
        " PRIMARY KEY (phones_id, phones_position, position), FOREIGN KEY (phones_id, phones_position)"
        " REFERENCES phones)"  # without a cascade: they have to go first
    )

    def person(number: int, phones: int) -> dict[str, object]:
        calls = [{"who": "x"}, {"who": "y"}]
        return {"_id": oid(number), "email": f"{number}@x", "phones": [{"number": "n", "calls": calls}] * phones}

    world.write({"people": [person(1, 3), person(2, 3)]})
    balanced(world.copy(mapping))
    world.rows(
        "CREATE TABLE other (person uuid, place integer,"
        f" FOREIGN KEY (person, place) REFERENCES phones {on_delete}); INSERT INTO other"
        " SELECT people_id, position FROM phones JOIN people p ON p.id = people_id WHERE p.email = '1@x'"
    )
    world.write({"people": [person(1, 2), person(2, 1)]})
    balanced(world.copy(mapping, fresh=True))
    counts = "SELECT email, count(*) FROM people p JOIN calls c ON c.phones_id = p.id GROUP BY 1 ORDER BY 1"
    assert world.rows(counts) == [("1@x", 2 * left), ("2@x", 2)]
    assert world.codes() == ({} if on_delete else {str(oid(1)): "target-refused"})
    (note,) = [note for note in world.notes if "public.other point at public.phones" in note]
    assert (on_delete or "dead letter") in note


def test_json_is_compared_by_what_it_says_and_ids_inside_it_wait_and_come(world: World) -> None:
    mapping = """
        isthmus: 1
        target: {tables: existing, rerun: tracked}
        collections:
          notes: {match: [[name]], fields: {name: text, about: {type: jsonb, rewrite: {who: people}}}}
          people: {match: [[name]], fields: {name: text}}
        """
    world.rows("CREATE TABLE notes (id uuid PRIMARY KEY, name text, about json)")
    world.rows("CREATE TABLE people (id uuid PRIMARY KEY, name text)")
    world.rows(f"""INSERT INTO notes VALUES ('{ROW}01', 'a', '{{"n":1,"m":2}}')""")
    world.rows(f"INSERT INTO people VALUES ('{ROW}09', 'ann')")
    notes = [{"_id": oid(1), "name": "a", "about": {"m": 2, "n": 1}}, {"_id": oid(2), "about": {"who": oid(9)}}]
    world.write({"notes": notes, "people": [{"_id": oid(9), "name": "ann"}]})
    for only in (("notes",), ("notes",), ("people",), ("notes", "people")):
        balanced(world.copy(mapping, only=only))
    assert world.one("SELECT about ->> 'who' FROM notes WHERE name IS NULL") == f"{ROW}09"
    assert world.one("SELECT about::text FROM notes WHERE name = 'a'") == '{"n":1,"m":2}'
    assert world.rows("SELECT * FROM isthmus.conflict") == []


def test_sequences_that_only_a_default_names_go_on_behind_the_values(world: World) -> None:
    world.rows(
        "CREATE SEQUENCE up START 10; CREATE SEQUENCE down INCREMENT -1; CREATE SEQUENCE few MAXVALUE 20;"
        "CREATE TABLE a (id bigint PRIMARY KEY DEFAULT nextval('up') + 0);"
        "CREATE TABLE b (id bigint PRIMARY KEY DEFAULT nextval('down'));"
        "CREATE TABLE c (id bigint PRIMARY KEY DEFAULT nextval('few')); ALTER SEQUENCE down OWNED BY b.id"
    )
    world.write({name: [{"_id": 12}, {"_id": 30}] for name in "abc"})
    entry = "fields: {_id: {column: id, type: bigint}}"
    entries = "".join(f"  {name}: {{{entry}}}\n" for name in "abc")
    balanced(world.copy(f"isthmus: 1\nids: keep\ntarget: {{tables: existing}}\ncollections:\n{entries}"))
    assert world.rows("INSERT INTO a DEFAULT VALUES RETURNING id") == [(31,)]
    assert world.rows("INSERT INTO b DEFAULT VALUES RETURNING id") == [(-1,)]
    assert world.one("SELECT last_value FROM few") == 20


@pytest.mark.parametrize("policy", ["keep_target", "overwrite", "dead_letter"])
def test_what_sensitive_columns_say_is_in_no_ledger(world: World, policy: str) -> None:
    world.rows("CREATE TABLE t (id uuid PRIMARY KEY, name text, pin text, n integer CHECK (n < 9))")
    world.rows(f"INSERT INTO t VALUES ('{ROW}01', 'a', 'target Qx7w', 1), ('{ROW}02', 'b', 'target Qx7w', 1)")
    pins = [{"_id": oid(n), "name": name, "pin": "source Qx7w", "n": n} for n, name in ((1, "a"), (9, "b"), (10, "c"))]
    world.write({"t": pins})
    balanced(
        world.copy(f"""
        isthmus: 1
        target: {{tables: existing, on_conflict: {policy}}}
        collections:
          t: {{match: [[name]], fields: {{name: text, pin: {{type: text, sensitive: true}}, n: integer}}}}
        """)
    )
    told = world.rows("SELECT to_jsonb(c) - 'document' FROM isthmus.conflict c")
    told += world.rows("SELECT to_jsonb(d) - 'document' FROM isthmus.dead_letter d")
    assert "Qx7w" not in str(told)
    differing = world.column("SELECT differing -> 'pin' FROM isthmus.conflict")
    hidden = {"target": "(hidden)", "source": "(hidden)"}
    assert differing == ([] if policy == "dead_letter" else [hidden])


def test_fields_that_nobody_named_are_kept_beside_a_row_that_says_the_same(world: World) -> None:
    mapping = """
        isthmus: 1
        target: {tables: existing, rerun: tracked}
        collections:
          t: {match: [[name]], fields: {name: text, n: integer, xs: {child: xs, fields: {x: text}}}}
        """
    world.rows("CREATE TABLE t (id uuid PRIMARY KEY, name text UNIQUE, n integer)")
    world.rows("CREATE TABLE xs (t_id uuid REFERENCES t, position integer, x text, PRIMARY KEY (t_id, position))")
    world.rows(f"INSERT INTO t VALUES ('{ROW}01', 'a', 1), ('{ROW}02', 'b', 2)")
    beside = "SELECT table_name, name, row_position, document FROM isthmus.extras e JOIN t ON t.id::text = e.id"

    def documents(odd: int) -> dict[str, list[dict[str, object]]]:
        some = [{"_id": oid(n), "name": name, "n": n if n != 2 else 9} for n, name in ((1, "a"), (2, "b"), (3, "c"))]
        return {
            "t": [{**one, "odd": odd, "xs": [{"x": "x", "odd": odd}] if one["name"] == "c" else []} for one in some]
        }

    for odd in (5, 6):
        world.write(documents(odd))
        balanced(world.copy(mapping))
        assert sorted(world.rows(beside), key=repr) == [  # the row of b says something else, and stays as it is
            ("t", "a", [], {"odd": odd}),
            ("t", "c", [], {"odd": odd}),
            ("xs", "c", [0], {"odd": odd}),
        ]
    world.write({"t": [{"_id": oid(n), "name": name, "n": n} for n, name in ((1, "a"), (3, "c"))]})
    balanced(world.copy(mapping))
    assert world.rows(beside) == []


@pytest.mark.parametrize("rerun", ["", ", rerun: tracked"])
def test_numbers_that_are_equal_are_no_conflict_however_they_are_written(world: World, rerun: str) -> None:
    world.rows("CREATE TABLE bills (id uuid PRIMARY KEY, name text, due numeric)")
    world.rows(f"INSERT INTO bills VALUES ('{ROW}01', 'a', 1.00), ('{ROW}02', 'b', 2.50)")
    world.write({"bills": [{"_id": oid(n), "name": name, "due": n} for n, name in ((1, "a"), (2, "b"))]})
    mapping = f"""
        isthmus: 1
        target: {{tables: existing, on_conflict: keep_target{rerun}}}
        collections: {{bills: {{match: [[name]], fields: {{name: text, due: {{type: numeric, coerce: true}}}}}}}}
        """
    balanced(world.copy(mapping))
    assert world.rows("SELECT row_id, differing FROM isthmus.conflict") == [
        (f"{ROW}02", {"due": {"source": "2", "target": "2.5"}})
    ]
    assert [str(due) for due in world.column("SELECT due FROM bills ORDER BY name")] == ["1.00", "2.50"]
