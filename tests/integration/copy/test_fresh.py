"""Starting over: what `--fresh` refuses to take along, what it says before it drops, and what it leaves.

Oracle: the catalog before and after, read with SQL of the test's own. Blind spot: functions whose body is a text; the
server itself does not know what they read.
"""

from __future__ import annotations

import re
import threading

import psycopg
import pytest

from isthmus.errors import TargetError
from isthmus.state.runs import latest_run
from isthmus.transfer.beginning.fresh import drop_run
from tests.integration.copy.carrying import World, balanced, oid

MAPPING = """
isthmus: 1
target: {schema: 'New "ü"'}
enums: {status: [A, B]}
collections:
  Users: {fields: {name: {type: text, index: true}, status: status, friends: {junction: friends}}}
  Posts: {fields: {user: {references: Users}, likers: {junction: likes}}}
junctions:
  friends: {user_id: Users, post_id: Posts}
  likes: {post_id: Posts, user_id: Users}
"""
DUMP = {
    "Users": [{"_id": oid(1), "name": "n", "status": "A", "friends": [oid(2)]}, {"_id": oid(3), "name": "m"}],
    "Posts": [{"_id": oid(2), "user": oid(1), "likers": [oid(1), oid(3)]}],
}
CATALOG = """
SELECT 'class', n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
UNION ALL SELECT 'type', n.nspname, t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace
UNION ALL SELECT 'constraint', n.nspname, k.conname FROM pg_constraint k JOIN pg_namespace n ON n.oid = connamespace
UNION ALL SELECT 'policy', '', polname FROM pg_policy
UNION ALL SELECT 'trigger', '', tgname FROM pg_trigger
UNION ALL SELECT 'rule', '', rulename FROM pg_rewrite
UNION ALL SELECT 'publication', '', pubname FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid
ORDER BY 1, 2, 3
"""
DEPENDENTS = {
    "view": ('CREATE VIEW public.seen AS SELECT id FROM "New ""ü""".users', ["view seen"]),
    "view on a view": (
        'CREATE VIEW public.seen AS SELECT id FROM "New ""ü""".users; CREATE VIEW more AS SELECT id FROM public.seen',
        ["view seen", "view more"],
    ),
    "materialized view": (
        'CREATE MATERIALIZED VIEW public.kept AS SELECT id FROM "New ""ü""".posts; CREATE INDEX own_idx ON kept (id)',
        ["materialized view kept"],
    ),
    "foreign key": (
        'CREATE TABLE public.notes (user_id uuid REFERENCES "New ""ü""".users, x integer)',
        ["constraint notes_user_id_fkey on table notes"],
    ),
    "column of the enum": (
        'CREATE TABLE public.other (x integer, state "New ""ü""".status, states "New ""ü""".status[])',
        ["column state of table other", "column states of table other"],
    ),
    "domain over the enum": ('CREATE DOMAIN public.short AS "New ""ü""".status', ["type short"]),
    "function of the row type": (
        'CREATE FUNCTION public.whole() RETURNS SETOF "New ""ü""".users LANGUAGE sql AS \'TABLE "New ""ü""".users\'',
        ["function whole()"],
    ),
    "function with a parsed body": (
        'CREATE FUNCTION public.much() RETURNS bigint LANGUAGE sql RETURN (SELECT count(*) FROM "New ""ü""".likes)',
        ["function much()"],
    ),
    "child table": (
        'CREATE TABLE public.heir () INHERITS ("New ""ü""".users)',
        ["table heir"],
    ),
    "policy of another table": (
        (
            "CREATE TABLE public.guarded (x uuid);"
            'CREATE POLICY narrow ON guarded USING (x IN (SELECT id FROM "New ""ü""".users))'
        ),
        ["policy narrow on table guarded"],
    ),
    "rule": (
        'CREATE RULE quiet AS ON DELETE TO "New ""ü""".users DO INSTEAD NOTHING',
        ['rule quiet on table "New ""ü""".users'],
    ),
    "trigger": (
        (
            'CREATE TRIGGER touch BEFORE UPDATE ON "New ""ü""".users'
            " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"
        ),
        ['trigger touch on table "New ""ü""".users'],
    ),
    "policy": ('CREATE POLICY mine ON "New ""ü""".users', ['policy mine on table "New ""ü""".users']),
    "publication": (
        'CREATE PUBLICATION told FOR TABLE "New ""ü""".users',
        ['publication of table "New ""ü""".users in publication told'],
    ),
}


def drop_publications(world: World) -> None:
    world.rows("DROP PUBLICATION IF EXISTS told")


@pytest.mark.parametrize("kind", DEPENDENTS)
def test_fresh_with_something_of_others_on_its_tables_is_refused_and_names_it(world: World, kind: str) -> None:
    statements, names = DEPENDENTS[kind]
    world.write(DUMP)
    balanced(world.copy(MAPPING))
    for statement in statements.split(";"):
        world.rows(statement)
    try:
        before = world.rows(CATALOG)
        with pytest.raises(TargetError) as caught:
            world.copy(MAPPING, fresh=True)
        assert (caught.value.code, caught.value.exit_code) == ("has-dependents", 4)
        problem = caught.value.problems[0]
        named = re.findall(r"(?:: |; )(.*?) \(on New \"ü\"\.\w+\)", problem.message)
        assert sorted(named) == sorted(names), problem.message
        assert "Drop or change them first" in str(problem.hint)
        assert world.rows(CATALOG) == before
        assert world.one("SELECT count(*) FROM isthmus.run") == 1
    finally:
        drop_publications(world)


def test_fresh_takes_parts_of_its_own_tables_along_and_leaves_what_only_stands_beside_them(world: World) -> None:
    world.write(DUMP)
    balanced(world.copy(MAPPING))
    for statement in (
        'CREATE INDEX extra_idx ON "New ""ü""".users (lower(name))',
        'CREATE STATISTICS "New ""ü""".much ON name, status FROM "New ""ü""".users',
        'ALTER TABLE "New ""ü""".users ADD COLUMN score serial CHECK (score > 0)',
        'CREATE TABLE "New ""ü""".theirs (x integer)',
        'CREATE TYPE "New ""ü""".their_type AS ENUM (\'x\')',
        (
            "CREATE FUNCTION public.loose() RETURNS bigint LANGUAGE plpgsql"
            ' AS $$ BEGIN RETURN (SELECT count(*) FROM "New ""ü""".users); END $$'
        ),
        "CREATE VIEW public.letters AS SELECT * FROM isthmus.dead_letter",
    ):
        world.rows(statement)
    balanced(world.copy(MAPPING, fresh=True))
    assert world.one('SELECT count(*) FROM "New ""ü""".theirs') == 0
    assert world.one("SELECT public.loose()") == 2
    assert world.rows("SELECT * FROM public.letters") == []
    assert world.one('SELECT to_regtype(\'"New ""ü""".their_type\') IS NOT NULL') is True


def test_fresh_says_how_many_rows_go_and_how_many_the_run_had_left(world: World) -> None:
    world.write(DUMP)
    balanced(world.copy(MAPPING))
    world.rows(
        'INSERT INTO "New ""ü""".users (id, name) SELECT gen_random_uuid(), \'by hand\' FROM generate_series(1, 1200)'
    )
    world.copy(MAPPING, fresh=True)
    assert world.notes == [
        (
            "Run 1 and its 4 tables are dropped (--fresh), with their rows:"
            " users 1,202 (the run left 2), posts 1, friends 1, likes 2."
        )
    ]


def test_fresh_after_its_tables_were_removed_or_replaced_by_others(world: World) -> None:
    world.write(DUMP)
    balanced(world.copy(MAPPING))
    world.rows('DROP TABLE "New ""ü""".likes')
    world.rows('ALTER TABLE "New ""ü""".friends RENAME TO friends_before')
    world.rows('CREATE VIEW "New ""ü""".friends AS SELECT 1 AS one')
    with pytest.raises(TargetError) as caught:
        world.copy(MAPPING, fresh=True)
    told = {problem.code: problem.message for problem in caught.value.problems}
    assert set(told) == {"name-taken", "has-dependents"}  # the renamed table has its index and foreign keys still
    assert 'table "New ""ü""".friends_before' in told["has-dependents"]
    world.rows('DROP TABLE "New ""ü""".friends_before')
    with pytest.raises(TargetError) as view:
        world.copy(MAPPING, fresh=True)
    assert view.value.code == "name-taken"
    assert world.one('SELECT one FROM "New ""ü""".friends') == 1
    world.rows('DROP VIEW "New ""ü""".friends')
    balanced(world.copy(MAPPING, fresh=True))


def test_view_made_after_the_look_at_the_tables_still_drops_nothing(world: World) -> None:
    world.write(DUMP)
    balanced(world.copy(MAPPING))
    world.rows('CREATE VIEW public.late AS SELECT id FROM "New ""ü""".users')
    with psycopg.connect(world.conninfo, autocommit=True) as connection:
        run = latest_run(connection)
        assert run is not None
        with pytest.raises(TargetError) as caught:
            drop_run(connection, run, threading.Event())
    assert caught.value.code == "has-dependents"
    assert "view late" in str(caught.value)
    assert world.one("SELECT count(*) FROM public.late") == 2
    assert world.one("SELECT count(*) FROM isthmus.run") == 1
