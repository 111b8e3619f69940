"""Definitions that are set aside for a large delivery: afterwards, and after any crash, the catalog is what it was.

Oracle: the catalog read before and after, with everything a definition can carry. Blind spot: what is the same in both
but never was right.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from isthmus.errors import TargetError
from isthmus.transfer.existing import setting_aside
from isthmus.transfer.existing.saved_ddl import missing, restore_abandoned
from tests.integration.cli.conftest import run_command
from tests.integration.copy.carrying import World, balanced, listening, oid
from tests.integration.copy.test_existing import MAPPING, POSTS, TABLES, USERS, make

ADORNED = (
    TABLES
    + """;
CREATE INDEX "User_upper_idx" ON "User" (upper("name") DESC NULLS LAST) INCLUDE ("age") WITH (fillfactor = 70)
  WHERE "age" IS NOT NULL;
ALTER INDEX "User_upper_idx" ALTER COLUMN 1 SET STATISTICS 250;
COMMENT ON INDEX "User_upper_idx" IS 'for the ''search''';
CREATE INDEX "hash ""ü" ON "Post" USING hash ("title");
CREATE INDEX "Post_extras_idx" ON "Post" USING gin ("extras" jsonb_path_ops);
CREATE INDEX "Post_title_idx" ON "Post" ("title" COLLATE "C" text_pattern_ops);
ALTER TABLE "Post" CLUSTER ON "Post_title_idx";
COMMENT ON CONSTRAINT "Post_authorId_fkey" ON "Post" IS 'who wrote it';
ALTER TABLE "Post" DROP CONSTRAINT "Post_parentId_fkey";
ALTER TABLE "Post" ADD CONSTRAINT "Post_parentId_fkey" FOREIGN KEY ("parentId") REFERENCES "Post" ON DELETE SET NULL
  DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "_PostToUser" DROP CONSTRAINT "_PostToUser_B_fkey";
ALTER TABLE "_PostToUser" ADD CONSTRAINT "_PostToUser_B_fkey" FOREIGN KEY ("B") REFERENCES "User" MATCH FULL NOT VALID;
CREATE TABLE notes (id integer PRIMARY KEY, "userId" uuid REFERENCES "User");
CREATE INDEX ON notes ("userId");
ALTER TABLE "Line" REPLICA IDENTITY USING INDEX "Line_pkey";
ALTER TABLE "User" ALTER COLUMN "name" SET STATISTICS 99;
"""
)
CATALOG = """
SELECT 'index', c.relname, pg_get_indexdef(c.oid), c.reltablespace, c.reloptions, i.indisclustered, i.indisreplident,
       i.indisvalid, obj_description(c.oid, 'pg_class'),
       ARRAY(SELECT a.attstattarget FROM pg_attribute a WHERE a.attrelid = c.oid ORDER BY a.attnum)::text
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public'
UNION ALL
SELECT 'constraint', k.conname, pg_get_constraintdef(k.oid), 0, NULL, k.convalidated, k.condeferrable, k.condeferred,
       obj_description(k.oid, 'pg_constraint'), k.conrelid::regclass::text
FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace WHERE n.nspname = 'public'
UNION ALL
SELECT 'table', c.relname, c.relreplident::text, c.reltablespace, c.reloptions, c.relrowsecurity, c.relhasindex,
       c.relhastriggers, obj_description(c.oid, 'pg_class'),
       ARRAY(SELECT ROW(a.attname, a.attstattarget, a.attnotnull, a.atthasdef) FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 ORDER BY a.attnum)::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind = 'r'
UNION ALL
SELECT 'trigger', regexp_replace(t.tgname, '[0-9]+$', ''), t.tgenabled::text, 0, NULL, t.tgdeferrable, t.tginitdeferred,
       t.tgisinternal, p.proname, t.tgrelid::regclass::text
FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_class c ON c.oid = t.tgrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public'
"""


@pytest.fixture(autouse=True)
def _every_load_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setting_aside, "WORTH_ROWS", 1)


def catalog(world: World) -> list[tuple[Any, ...]]:
    return sorted(world.rows(CATALOG), key=repr)


def definitions(world: World) -> list[str]:
    return [str(row[1]) for row in catalog(world) if row[0] != "trigger"]


def test_definitions_are_dropped_for_the_load_and_equal_afterwards(world: World) -> None:
    make(world, ADORNED)
    before = catalog(world)
    world.write({"users": USERS, "posts": POSTS})
    during: list[str] = []

    def look(stage: str) -> None:
        if stage == "deliver.after-commit":
            during.extend(definitions(world))

    with listening(look):
        balanced(world.copy(MAPPING))
    assert {"User_upper_idx", 'hash "ü', "Post_authorId_fkey", "_PostToUser_B_fkey"} & set(during) == set()
    assert {"User_pkey", "User_email_key", "Line_pkey", "_PostToUser_AB_unique", "notes_userId_fkey"} <= set(during)
    assert catalog(world) == before
    assert world.rows("SELECT * FROM isthmus.saved_ddl") == []


def test_a_table_that_holds_rows_keeps_its_definitions_and_the_empty_ones_lose_theirs(world: World) -> None:
    make(world, ADORNED)
    world.rows("""INSERT INTO "User" ("id", "email") VALUES (gen_random_uuid(), 'z@x')""")
    before = catalog(world)
    world.write({"users": USERS, "posts": POSTS})
    during: list[str] = []

    def look(stage: str) -> None:
        if stage == "deliver.after-commit":
            during.extend(definitions(world))

    with listening(look):
        balanced(world.copy(MAPPING))
    assert {"User_upper_idx", "User_name_idx", "User_pkey", "notes_userId_fkey"} <= set(during)
    assert {'hash "ü', "Post_title_idx", "Post_authorId_fkey", "_PostToUser_B_fkey"} & set(during) == set()
    assert catalog(world) == before
    assert world.one('SELECT count(*) FROM "User"') == 1 + len(USERS)


@pytest.mark.parametrize(("least", "dropped"), [(6, True), (7, False)])
def test_rows_that_come_into_a_table_that_holds_some_do_not_count(
    world: World, monkeypatch: pytest.MonkeyPatch, least: int, dropped: bool
) -> None:
    monkeypatch.setattr(setting_aside, "WORTH_ROWS", least)  # posts, their lines and pairs are six
    make(world, ADORNED)
    world.rows("""INSERT INTO "User" ("id", "email") VALUES (gen_random_uuid(), 'z@x')""")
    before = definitions(world)
    world.write({"users": [*USERS, {"_id": oid(3), "email": "c@x"}], "posts": POSTS})
    during: list[str] = []

    def look(stage: str) -> None:
        if stage == "deliver.after-commit":
            during.extend(definitions(world))

    with listening(look):
        balanced(world.copy(MAPPING))
    assert (during != before) == dropped


class _Dies(BaseException):
    """Ends a copy at an instant, as far as one process can: nothing behind it is done."""


STAGES = [
    ("saved.dropped-before-commit", 1),
    ("saved.dropped-after-commit", 1),
    ("deliver.locked", 1),
    ("deliver.between-tables", 2),
    ("deliver.before-commit", 1),
    ("deliver.after-commit", 1),
    ("saved.restored-before-commit", 1),
    ("saved.restored-before-commit", 8),
    ("saved.restored-after-commit", 2),
    ("saved.restored-after-commit", 9),
    ("deliver.before-complete", 1),
    ("complete.before-commit", 1),
]


@pytest.mark.parametrize(("stage", "number"), STAGES)
def test_copy_that_dies_leaves_definitions_that_the_next_command_puts_back(
    world: World, stage: str, number: int
) -> None:
    make(world, ADORNED)
    before = catalog(world)
    world.write({"users": USERS, "posts": POSTS})
    seen = 0

    def die(name: str) -> None:
        nonlocal seen
        seen += name == stage
        if seen == number and name == stage:
            raise _Dies

    with listening(die), pytest.raises(_Dies):
        world.copy(MAPPING)
    assert seen >= number
    restore_abandoned(world.conninfo)
    assert catalog(world) == before
    assert world.rows("SELECT * FROM isthmus.saved_ddl") == []
    balanced(world.copy(MAPPING))
    assert catalog(world) == before
    assert world.one('SELECT count(*) FROM "Post"') == 2


@pytest.mark.parametrize("again", [False, True])
def test_command_that_puts_definitions_back_tells_so_in_two_lines(world: World, tmp_path: Path, again: bool) -> None:
    make(world, ADORNED)
    world.write({"users": USERS, "posts": POSTS})

    def die(name: str) -> None:
        if name == "saved.dropped-after-commit":
            raise _Dies

    with listening(die), pytest.raises(_Dies):
        world.copy(MAPPING)
    with psycopg.connect(world.conninfo) as connection:
        waiting = missing(connection)
    if again:
        world.copy(MAPPING)
        told = world.notes
    else:
        told = run_command(tmp_path, "status", "-t", world.conninfo).err.replace("note: ", "").splitlines()
    notes = [note for note in told if "back" in note]
    indexes = sum(saved.kind == "index" for saved in waiting)
    things = f"{indexes} indexes and {len(waiting) - indexes} foreign keys"
    assert indexes > 3
    assert notes[0] == f"A copy ended before it put {things} back; that is done now, and may take a while."
    assert notes[1].startswith(f"Put back {things}: {waiting[0].label}, ")
    assert notes[1].endswith(f" and {len(waiting) - 3} more.")
    assert len(notes) == 2
    assert world.rows("SELECT * FROM isthmus.saved_ddl") == []


def test_definition_that_cannot_be_made_again_is_named_and_waits(world: World) -> None:
    make(world, ADORNED)
    world.write({"users": USERS, "posts": POSTS})

    def break_author(stage: str) -> None:
        if stage == "deliver.after-commit":
            world.rows('UPDATE "Post" SET "authorId" = gen_random_uuid() WHERE title = %s', "one")

    with listening(break_author), pytest.raises(TargetError) as caught:
        world.copy(MAPPING)
    assert caught.value.code == "not-restored"
    assert "Post_authorId_fkey" in caught.value.message
    with psycopg.connect(world.conninfo) as connection:
        assert "Post_authorId_fkey of public.Post" in [saved.label for saved in missing(connection)]
    world.rows('UPDATE "Post" SET "authorId" = (SELECT id FROM "User" LIMIT 1) WHERE title = %s', "one")
    balanced(world.copy(MAPPING))
    assert world.rows("SELECT * FROM isthmus.saved_ddl") == []
