"""Copies that are refused before anything is written, with every contradiction at once.

Oracle: the target has no schema `isthmus` and no tables afterwards.
"""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from isthmus.errors import ConfigError, IsthmusError, MappingError, SourceError, TargetError
from isthmus.sources import open_source
from tests.integration.copy.carrying import World, balanced, oid

MAPPING = """
isthmus: 1
enums: {status: [A, B]}
collections:
  Users: {fields: {name: {type: text, index: true}, status: status}}
  Posts: {fields: {user: {references: Users}}}
"""
DUMP = {"Users": [{"_id": oid(1), "name": "n"}], "Posts": [{"_id": oid(2), "user": oid(1)}]}


def refused(world: World, mapping: str, **options: Any) -> IsthmusError:
    """Run a copy that must be refused and leave nothing behind; return the error."""
    before = world.rows(
        "SELECT nspname, relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace ORDER BY 1, 2"
    )
    with pytest.raises(IsthmusError) as caught:
        world.copy(mapping, **options)
    after = world.rows(
        "SELECT nspname, relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace ORDER BY 1, 2"
    )
    assert after == before
    assert not world.has_state()
    return caught.value


def test_collections_missing_and_unnamed_are_told_all_at_once_with_a_suggestion(world: World) -> None:
    world.write({**DUMP, "Invoices": [{"_id": 1}], "Logs": []})
    fault = refused(world, MAPPING.replace("Posts:", "Post:").replace("references: Users", "references: Users"))
    assert isinstance(fault, SourceError)
    assert fault.exit_code == 3
    assert [(problem.code, problem.where.collection) for problem in fault.problems] == [
        ("no-such-collection", "Post"),
        ("unnamed-collection", "Invoices"),
        ("unnamed-collection", "Logs"),
        ("unnamed-collection", "Posts"),
    ]
    assert fault.problems[0].hint == "Did you mean Posts?"
    assert "skip" in str(fault.problems[1].hint)


def test_unnamed_collections_alone_are_the_mappings_fault(world: World) -> None:
    world.write({**DUMP, "Invoices": [{"_id": 1}]})
    fault = refused(world, MAPPING)
    assert isinstance(fault, MappingError)
    assert (fault.code, fault.exit_code) == ("unnamed-collection", 2)
    balanced(world.copy(MAPPING + "  Invoices: {skip: 'kept in the old system'}\n"))
    balanced(world.copy(MAPPING + "  '*': {skip: 'not needed'}\n", fresh=True))


def test_contradictions_of_source_and_target_come_together(world: World) -> None:
    world.write({"Users": DUMP["Users"]})
    world.rows("CREATE TABLE public.users (x integer)")
    world.rows("INSERT INTO public.users VALUES (1)")
    world.rows("CREATE TYPE public.status AS ENUM ('X')")
    world.rows("CREATE VIEW public.posts AS SELECT 1 AS one")
    fault = refused(world, MAPPING)
    assert isinstance(fault, TargetError)
    assert fault.exit_code == 4
    assert {problem.code for problem in fault.problems} == {
        "no-such-collection",
        "table-exists",
        "name-taken",
        "type-exists",
    }
    messages = [problem.message for problem in fault.problems]
    assert "The target already has a table public.users with rows in it." in messages
    assert "The target already has a view public.posts." in messages


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE public.users (x integer)",
        "CREATE MATERIALIZED VIEW public.users AS SELECT 1 AS one",
        "CREATE SEQUENCE public.posts",
        "CREATE TYPE public.status AS (x integer)",
        "CREATE DOMAIN public.users AS text",
        "CREATE TABLE public.other (x integer); CREATE INDEX users_name_idx ON public.other (x)",
        "CREATE TABLE public.other (x integer, CONSTRAINT posts_pkey PRIMARY KEY (x))",
    ],
)
def test_name_that_is_taken_in_the_target_is_refused(world: World, statement: str) -> None:
    world.write(DUMP)
    for part in statement.split(";"):
        world.rows(part)
    fault = refused(world, MAPPING)
    assert fault.exit_code == 4
    assert len(fault.problems) == 1
    balanced(world.copy(MAPPING.replace("isthmus: 1", "isthmus: 1\ntarget: {schema: own}")))


def test_empty_source_is_refused_and_an_empty_collection_is_fine(world: World) -> None:
    world.write({"Users": [], "Posts": []})
    fault = refused(world, MAPPING)
    assert (fault.code, fault.exit_code) == ("empty-source", 3)
    world.write({"Users": DUMP["Users"]})
    result = world.copy(MAPPING)
    balanced(result)
    assert result.exit_code == 0
    assert result.balance is not None
    assert result.balance.collections["Posts"].read == 0


def test_empty_gzipped_source_is_refused(world: World) -> None:
    world.write({"Users": [], "Posts": []}, compressed=True)
    assert refused(world, MAPPING).code == "empty-source"


def test_collection_without_its_data_file_is_refused(world: World) -> None:
    files = world.write(DUMP)
    files["Posts"].unlink()
    fault = refused(world, MAPPING)
    assert fault.exit_code == 3
    assert "Posts" in str(fault.problems[0])


def test_wrong_database_name_is_refused_with_what_is_there(world: World) -> None:
    world.write(DUMP)
    root = world.folder.parent
    with pytest.raises(SourceError) as caught:
        open_source(str(root), database="shopp")
    assert caught.value.exit_code == 3
    assert "shop" in f"{caught.value} {caught.value.hint}"
    with pytest.raises(SourceError):
        open_source(str(root / "nowhere"))
    (root / "empty").mkdir()
    with pytest.raises(SourceError):
        open_source(str(root / "empty"))


@pytest.mark.parametrize("granted", ["nothing", "schema", "database"])
def test_role_without_rights_is_refused_with_the_grant_it_needs(world: World, granted: str) -> None:
    world.write(DUMP)
    role = f"weak_{granted}"
    name = world.one("SELECT current_database()")
    with psycopg.connect(world.conninfo, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        if granted == "schema":
            connection.execute(sql.SQL("GRANT CREATE ON SCHEMA public TO {}").format(sql.Identifier(role)))
        if granted == "database":
            connection.execute(
                sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(sql.Identifier(name), sql.Identifier(role))
            )
    weak = World(make_conninfo(world.conninfo, user=role), world.folder)
    try:
        fault = refused(weak, MAPPING)
        assert (fault.code, fault.exit_code) == (("preflight" if granted == "nothing" else "no-right"), 4)
        assert all(role in problem.message and f'TO "{role}"' in str(problem.hint) for problem in fault.problems)
    finally:
        with psycopg.connect(world.conninfo, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def test_read_only_role_is_refused(world: World) -> None:
    world.write(DUMP)
    weak = World(make_conninfo(world.conninfo, options="-c default_transaction_read_only=on"), world.folder)
    fault = refused(weak, MAPPING)
    assert (fault.code, fault.exit_code) == ("read-only-role", 4)


def test_changed_mapping_or_source_is_refused_with_what_differs_and_fresh_starts_over(world: World) -> None:
    world.write(DUMP)
    balanced(world.copy(MAPPING))
    with pytest.raises(ConfigError) as caught:
        world.copy(MAPPING.replace("name: {type: text", "name: {type: varchar"))
    assert (caught.value.code, caught.value.exit_code) == ("mapping-changed", 2)
    assert "name: {type: text" in str(caught.value)
    assert "name: {type: varchar" in str(caught.value)
    other = World(world.conninfo, world.folder.with_name("shop2"))
    other.write(DUMP)
    with pytest.raises(SourceError) as source:
        other.copy(MAPPING)
    assert (source.value.code, source.value.exit_code) == ("source-differs", 3)
    assert "its database was shop, now shop2" in str(source.value)
    assert world.one("SELECT count(*) FROM users") == 1
    balanced(other.copy(MAPPING, fresh=True))


def test_fresh_that_is_refused_drops_nothing(world: World) -> None:
    world.write(DUMP)
    balanced(world.copy(MAPPING))
    world.rows("CREATE TABLE public.extra (x integer)")
    wider = MAPPING + "  Extra: {fields: {}}\n"
    world.write({"Extra": [{"_id": 1}]})
    with pytest.raises(TargetError):
        world.copy(wider, fresh=True)
    assert world.one("SELECT count(*) FROM users") == 1
    assert world.one("SELECT count(*) FROM isthmus.run") == 1
    with pytest.raises(TargetError) as caught:
        world.copy(MAPPING + "  Extra: {skip: x}\n", fresh=True, id_key=bytes(32))
    assert caught.value.code == "id-key-differs"
    assert world.one("SELECT count(*) FROM users") == 1
    balanced(world.copy(MAPPING + "  Extra: {skip: x}\n", fresh=True))


def test_second_copy_changes_nothing_and_names_what_is_new(world: World) -> None:
    files = world.write(DUMP)
    balanced(world.copy(MAPPING))
    everything = "SELECT xmin::text, ctid::text, * FROM users"
    before = world.rows(everything)
    again = world.copy(MAPPING)
    assert (again.repeated, again.exit_code, again.changes) == (True, 0, again.changes)
    assert not again.changes
    assert world.rows(everything) == before
    world.write({"Users": [{"_id": oid(1), "name": "other"}, {"_id": oid(3), "name": "new"}]})
    changed = world.copy(MAPPING)
    assert changed.exit_code == 1
    assert changed.changes is not None
    assert (changed.changes.new, changed.changes.changed, changed.changes.gone) == (1, 1, 0)
    assert changed.changes.named == {"Users": [str(oid(1)), str(oid(3))]}
    assert world.rows(everything) == before
    files["Users"].write_bytes(files["Users"].read_bytes()[:-3])
    broken = world.copy(MAPPING)
    assert broken.exit_code == 3
    assert world.rows(everything) == before


def test_extension_is_made_where_the_server_has_it(world: World) -> None:
    mapping = MAPPING.replace("isthmus: 1", "isthmus: 1\nextensions: [vector]")
    world.write(DUMP)
    world.rows("DROP EXTENSION IF EXISTS vector CASCADE")
    balanced(world.copy(mapping))
    assert world.one("SELECT count(*) FROM pg_extension WHERE extname = 'vector'") == 1
    assert not any("extension" in note for note in world.notes)
    balanced(world.copy(mapping, fresh=True))  # it is there already, and stays
    world.rows("DROP EXTENSION vector")


@pytest.mark.parametrize("made", [False, True])
def test_extension_that_the_role_may_not_make_is_refused_unless_it_is_there(world: World, made: bool) -> None:
    world.write(DUMP)
    world.rows("DROP EXTENSION IF EXISTS vector CASCADE")
    if made:
        world.rows("CREATE EXTENSION vector")
    database = sql.Identifier(world.one("SELECT current_database()"))
    role = sql.Identifier("may make no extension")
    with psycopg.connect(world.conninfo, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
        connection.execute(sql.SQL("GRANT CREATE, TEMPORARY ON DATABASE {} TO {}").format(database, role))
        connection.execute(sql.SQL("GRANT CREATE, USAGE ON SCHEMA public TO {}").format(role))
        # pgvector may be trusted: then whoever may create in the database may make it, and there is nothing to refuse
        trusted = connection.execute(
            "SELECT trusted FROM pg_available_extension_versions v JOIN pg_available_extensions e USING (name)"
            " WHERE name = 'vector' AND v.version = e.default_version"
        ).fetchone()
    weak = World(make_conninfo(world.conninfo, user="may make no extension"), world.folder)
    mapping = MAPPING.replace("isthmus: 1", "isthmus: 1\nextensions: [vector, plpgsql]")
    try:
        if made or trusted == (True,):
            balanced(weak.copy(mapping))
        else:
            fault = refused(weak, mapping)
            assert (fault.code, fault.exit_code) == ("no-right", 4)
            (problem,) = fault.problems
            assert "may not make the extension vector" in problem.message
            assert 'CREATE EXTENSION "vector"' in str(problem.hint)
    finally:
        with psycopg.connect(world.conninfo, autocommit=True) as connection:
            connection.execute("DROP EXTENSION IF EXISTS vector CASCADE")
            connection.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(role))
            connection.execute(sql.SQL("DROP ROLE {}").format(role))


def test_extension_the_server_does_not_offer_is_a_remark(world: World) -> None:
    world.write(DUMP)
    result = world.copy(MAPPING.replace("isthmus: 1", "isthmus: 1\nextensions: [no_such_extension]"))
    balanced(result)
    assert result.exit_code == 0
    assert any("no_such_extension" in note for note in world.notes)
