"""Copies into tables that another role owns: what rights are enough, what is refused, and what is said about it.

Oracle: the server's own rights, and rows read as its superuser.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from isthmus.errors import IsthmusError
from isthmus.transfer.existing import setting_aside
from tests.integration.copy.carrying import World, balanced, oid

TABLES = """
CREATE TABLE people (id uuid PRIMARY KEY, name text, boss uuid REFERENCES people, place uuid);
CREATE TABLE places (id uuid PRIMARY KEY, keeper uuid REFERENCES people);
CREATE INDEX ON people (name);
"""
MAPPING = """
isthmus: 1
target: {tables: existing}
extras: dead_letter
collections:
  people:
    fields:
      name: text
      boss: {references: people, on_orphan: "null"}
      place: {references: places, on_orphan: "null"}
  places: {fields: {keeper: {references: people, on_orphan: "null"}}}
"""
CIRCLE = "ALTER TABLE people ADD FOREIGN KEY (place) REFERENCES places"
DUMP = {
    "people": [{"_id": oid(1), "name": "a", "boss": oid(2), "place": oid(11)}, {"_id": oid(2), "name": "b"}],
    "places": [{"_id": oid(11), "keeper": oid(1)}],
}
Grant = Callable[[str], World]


@pytest.fixture
def as_role(world: World) -> Iterator[Grant]:
    """Return a function that gives a role some rights and returns the world as that role sees it."""
    database = world.one("SELECT current_database()")

    def grant(statements: str) -> World:
        with psycopg.connect(world.conninfo, autocommit=True) as connection:
            connection.execute("DROP ROLE IF EXISTS carrier")
            connection.execute("CREATE ROLE carrier LOGIN")
            connection.execute(
                sql.SQL("GRANT CREATE, TEMPORARY ON DATABASE {} TO carrier").format(sql.Identifier(database))
            )
            connection.execute("GRANT USAGE ON SCHEMA public TO carrier")
            connection.execute(statements.encode())
        world.write(DUMP)
        return World(make_conninfo(world.conninfo, user="carrier"), world.folder)

    yield grant
    with psycopg.connect(world.conninfo, autocommit=True) as connection:
        connection.execute("DROP OWNED BY carrier CASCADE")
        connection.execute("DROP ROLE carrier")


WRITES = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO carrier"


def refused(world: World) -> IsthmusError:
    with pytest.raises(IsthmusError) as caught:
        world.copy(MAPPING)
    return caught.value


def test_role_that_may_write_and_owns_nothing_delivers_and_leaves_indexes_alone(
    world: World, as_role: Grant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setting_aside, "WORTH_ROWS", 1)
    world.rows(TABLES)
    carrier = as_role(WRITES)
    balanced(carrier.copy(MAPPING))
    assert world.rows("SELECT p.name, b.name FROM people p LEFT JOIN people b ON b.id = p.boss ORDER BY 1") == [
        ("a", "b"),
        ("b", None),
    ]
    assert any("its owner's" in note for note in carrier.notes)


def test_circle_of_keys_needs_the_owner_and_says_so(world: World, as_role: Grant) -> None:
    world.rows(TABLES + CIRCLE)
    fault = refused(as_role(WRITES))
    (problem,) = fault.problems
    assert (problem.code, fault.exit_code) == ("keys-in-a-circle", 4)
    assert "DEFERRABLE" in str(problem.hint)
    assert "places_keeper_fkey" in problem.message
    world.rows("ALTER TABLE places ALTER CONSTRAINT places_keeper_fkey DEFERRABLE")
    balanced(World(make_conninfo(world.conninfo, user="carrier"), world.folder).copy(MAPPING))
    assert world.one("SELECT count(*) FROM people JOIN places ON places.id = place AND keeper = people.id") == 1


def test_owner_delivers_a_circle_of_keys_and_their_definitions_are_as_before(world: World) -> None:
    world.rows(TABLES + CIRCLE)
    query = (
        "SELECT conname, condeferrable, condeferred, convalidated FROM pg_constraint"
        " WHERE contype = 'f' AND connamespace = 'public'::regnamespace ORDER BY 1"
    )
    before = world.rows(query)
    world.write(DUMP)
    balanced(world.copy(MAPPING))
    assert world.one("SELECT count(*) FROM people JOIN places ON places.id = place AND keeper = people.id") == 1
    assert world.rows(query) == before


@pytest.mark.parametrize("missing", ["SELECT", "INSERT", "UPDATE", "DELETE"])
def test_right_that_is_missing_is_named_with_the_statement_that_grants_it(
    world: World, as_role: Grant, missing: str
) -> None:
    world.rows(TABLES)
    fault = refused(as_role(f"{WRITES}; REVOKE {missing} ON places FROM carrier"))
    (problem,) = fault.problems
    assert (problem.code, problem.where.table) == ("no-right", "places")
    assert missing in problem.message
    assert f'GRANT {missing} ON "public"."places" TO "carrier"' in str(problem.hint)
    assert not world.has_state()


def test_row_security_that_holds_for_the_role_is_refused_and_for_another_role_is_not(
    world: World, as_role: Grant
) -> None:
    world.rows(f"{TABLES}; ALTER TABLE places ENABLE ROW LEVEL SECURITY")
    fault = refused(as_role(WRITES))
    assert [problem.code for problem in fault.problems] == ["row-security"]
    balanced(world.copy(MAPPING))  # its owner's role, for which it does not hold


def test_role_that_may_not_make_the_stage_gets_the_grant(world: World, as_role: Grant) -> None:
    world.rows(TABLES)
    database = world.one("SELECT current_database()")
    carrier = as_role(WRITES)
    with psycopg.connect(world.conninfo, autocommit=True) as connection:
        connection.execute(sql.SQL("REVOKE CREATE ON DATABASE {} FROM carrier").format(sql.Identifier(database)))
    fault = refused(carrier)
    assert [problem.code for problem in fault.problems] == ["no-right"]
    assert "GRANT CREATE ON DATABASE" in str(fault.problems[0].hint)


def test_triggers_that_many_tables_have_alike_are_told_once(world: World) -> None:
    act = "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
    on = "CREATE TRIGGER {} BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION act()"
    world.rows(f"{TABLES}; {act}; {on.format('one', 'people')}; {on.format('one', 'places')}")
    world.write(DUMP)
    balanced(world.copy(MAPPING))
    (note,) = [note for note in world.notes if "trigger" in note]
    assert "2 tables have triggers: one." in note
    assert "The tables: people, places." in note


def test_triggers_of_tables_that_nothing_is_carried_to_are_not_told(world: World) -> None:
    """Neither of new rows nor of changed ones; of a junction where documents that are carried fill it."""
    act = "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
    made = "".join(
        f'; CREATE TRIGGER "{name}" {when} ON {table} FOR EACH ROW EXECUTE FUNCTION act()'
        for table in ("people", "places", '"Vis its"')
        for name, when in (("né w", "BEFORE INSERT"), ("changed", "BEFORE UPDATE"))
    )
    visits = 'CREATE TABLE "Vis its" (person uuid, place uuid, PRIMARY KEY (person, place))'
    world.rows(f"{TABLES}; {visits}; {act}{made}")
    mapping = MAPPING.replace("{tables: existing}", "{tables: existing, rerun: tracked}").replace(
        "{fields: {keeper: {", '{fields: {guests: {junction: "Vis its", own: place}, keeper: {'
    )
    mapping += '\njunctions: {"Vis its": {person: people, place: places}}\n'
    world.write(DUMP)
    told: dict[str, list[str]] = {}
    for only in ("people", "places"):
        world.copy(mapping, only=(only,))
        told[only] = sorted(note for note in world.notes if "trigger" in note)
    changed, new = told["people"]
    assert "public.people has triggers: changed." in changed
    assert "public.people has triggers: né w." in new
    changed, new = told["places"]
    assert "public.places has triggers: changed." in changed
    assert "2 tables have triggers: né w." in new
    assert "The tables: places, Vis its." in new


def test_triggers_are_told_by_what_fires_them(world: World) -> None:
    """Of a trigger on UPDATE nothing is said where the copy changes no row; of one on DELETE never."""
    act = "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
    made = "".join(
        f"; CREATE TRIGGER {name} {when} ON people FOR EACH {each} EXECUTE FUNCTION act()"
        for name, when, each in (
            ('"sét Updated"', "BEFORE UPDATE", "ROW"),
            ('"both"', "BEFORE INSERT OR UPDATE", "ROW"),
            ("counts", "AFTER INSERT", "STATEMENT"),
            ("off", "BEFORE INSERT", "ROW"),
            ("undoes", "AFTER DELETE OR TRUNCATE", "STATEMENT"),
        )
    )
    world.rows(f"{TABLES}; {act}{made}; ALTER TABLE people DISABLE TRIGGER off")
    world.write(DUMP)
    balanced(world.copy(MAPPING))
    (note,) = [note for note in world.notes if "trigger" in note]
    assert "public.people has triggers: both, counts. They fire when rows are delivered" in note
    for word in ("on_conflict: overwrite", "rerun: tracked"):
        balanced(world.copy(MAPPING.replace("{tables: existing}", f"{{tables: existing, {word}}}"), fresh=True))
        update, _ = sorted(note for note in world.notes if "trigger" in note)
        assert "public.people has triggers: sét Updated. No new row fires them" in update
