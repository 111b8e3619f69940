"""Pana MIA's schema under governance, and what it promises: asked of the catalog and of rows of a deployed database.

Oracles: the server, and `facts`, which is written from what is known of the two databases. Blind spot: what an
application does with the tables.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from apps.panamia import models
from apps.panamia.models.ids import new_id
from isthmus.govern.catalog.compare import differences
from isthmus.govern.catalog.read import read_catalog
from isthmus.govern.check import check_schemas
from isthmus.govern.migrations.script import Script, read_scripts
from isthmus.govern.settings import find_project
from tests.apps.panamia import facts
from tests.apps.running import isthmus
from tests.apps.twins import twin_of
from tests.fix_git import Git
from tests.fix_postgres import create_database, drop_database
from tests.oracle.copying import url

HOME = Path(__file__).parents[3] / "apps" / "panamia"
run = partial(isthmus, home=HOME)
FOLDER = HOME / "migrations"
SETTINGS = find_project(HOME).settings
SCRIPTS = read_scripts(FOLDER, SETTINGS.schemas[0])
NAMES = [one.name.text for one in SCRIPTS]
OF_TABLES = [one for one in SCRIPTS if "CREATE TABLE public." in one.sql]
TABLES = sorted(models.metadata.tables)
ANA, BETO = "u00000000000000000000001", "u00000000000000000000002"
"""Two users of seed.sql; the first has written, posted, agreed on a session and claimed a profile."""

ON_DELETE = {
    "accounts.user_id": ("users", "CASCADE"),
    "sessions.user_id": ("users", "CASCADE"),
    "notifications.actor": ("users", "SET NULL"),
    "notifications.target": ("users", "CASCADE"),
    "notifications.article_id": ("articles", "SET NULL"),
    "notifications.profile_id": ("profiles", "SET NULL"),
    "notifications.session_id": ("mentor_sessions", "SET NULL"),
    "notification_mails.notification_id": ("notifications", "CASCADE"),
    "articles.author_id": ("users", "SET NULL"),
    "articles.in_reply_to": ("articles", "SET NULL"),
    "articles.removed_by": ("users", "SET NULL"),
    "profiles.user_id": ("users", "SET NULL"),
    "profile_follows.follower_id": ("users", "CASCADE"),
    "profile_follows.profile_id": ("profiles", "CASCADE"),
    "user_follows.follower_id": ("users", "CASCADE"),
    "user_follows.following_id": ("users", "CASCADE"),
    "user_lists.owner_id": ("users", "CASCADE"),
    "user_list_members.list_id": ("user_lists", "CASCADE"),
    "user_list_members.user_id": ("users", "CASCADE"),
    "user_list_members.profile_id": ("profiles", "CASCADE"),
    "mentor_sessions.mentor_user_id": ("users", "SET NULL"),
    "mentor_sessions.mentee_user_id": ("users", "SET NULL"),
    "screenname_history.user_id": ("users", "CASCADE"),
    "email_migrations.user_id": ("users", "CASCADE"),
    "images.user_id": ("users", "SET NULL"),
    "events.primary_profile_id": ("profiles", "SET NULL"),
    "social_actors.profile_id": ("profiles", "SET NULL"),
    "social_statuses.actor_id": ("social_actors", "RESTRICT"),
    "social_statuses.article_id": ("articles", "SET NULL"),
    "social_statuses.in_reply_to_id": ("social_statuses", "SET NULL"),
    "social_follows.actor_id": ("social_actors", "CASCADE"),
    "social_follows.target_actor_id": ("social_actors", "CASCADE"),
    "social_likes.actor_id": ("social_actors", "CASCADE"),
    "social_likes.status_id": ("social_statuses", "CASCADE"),
    "social_attachments.status_id": ("social_statuses", "CASCADE"),
    "social_tags.status_id": ("social_statuses", "CASCADE"),
    "article_announcements.article_id": ("articles", "RESTRICT"),
    "article_announcements.author_id": ("users", "SET NULL"),
    "article_announcements.actor_id": ("social_actors", "SET NULL"),
    "article_announcements.status_id": ("social_statuses", "SET NULL"),
}
"""What becomes of a row when the one that its column points at is deleted."""

CONTENT = {
    "articles",
    "article_announcements",
    "events",
    "images",
    "mentor_sessions",
    "profiles",
    "social_actors",
    "social_statuses",
}
"""What people made and others read: nothing of it goes because something else does."""

_KEYS = """
SELECT conrelid::regclass || '.' || a.attname, confrelid::regclass::text,
    CASE confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'r' THEN 'RESTRICT' ELSE 'unsaid' END
FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = ANY (conkey)
WHERE contype = 'f' AND k.connamespace = 'public'::regnamespace
"""
_COLUMNS = """
SELECT c.relname, a.attname, replace(format_type(a.atttypid, a.atttypmod), 'timestamp with time zone', 'timestamptz')
    || CASE WHEN a.attnotnull THEN '!' ELSE '' END
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
"""
_PRIMARY = """
SELECT conrelid::regclass::text, string_agg(a.attname, ', ' ORDER BY array_position(conkey, a.attnum))
FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = ANY (conkey)
WHERE contype = 'p' AND k.connamespace = 'public'::regnamespace GROUP BY conrelid
"""
_INDEXES = """
SELECT indrelid::regclass::text, indisunique,
    substring(split_part(pg_get_indexdef(indexrelid), ' WHERE ', 1) FROM 'USING \\w+ \\((.*)\\)')
FROM pg_index i JOIN pg_class c ON c.oid = indrelid WHERE c.relnamespace = 'public'::regnamespace
"""


@pytest.fixture(scope="module")
def make_deployed(postgres: str) -> Iterator[Callable[..., str]]:
    """Return a function that makes databases to which all migrations were deployed, empty or with seed.sql's rows."""
    made = [create_database(postgres), create_database(postgres)]
    for database in made:
        ran = run("schema", "deploy", "panamia", "--json", "-", database=database)
        assert ran.code == 0, ran.said
        assert [one["name"] for one in json.loads(ran.out)["applied"]["panamia"]] == NAMES
    with psycopg.connect(made[1]) as connection:
        connection.execute((FOLDER / "seed.sql").read_bytes())

    def make(*, rows: bool = False) -> str:
        made.append(twin_of(postgres, made[rows]))
        return made[-1]

    yield make
    for database in made:
        drop_database(postgres, database)


@pytest.fixture(scope="module")
def empty(make_deployed: Callable[..., str]) -> str:
    """Conninfo of a database with all tables, for tests that leave it as it is."""
    return make_deployed()


@pytest.fixture(scope="module")
def full(make_deployed: Callable[..., str]) -> str:
    """The same, with rows in every table."""
    return make_deployed(rows=True)


@pytest.fixture
def seeded(full: str) -> Iterator[psycopg.Connection]:
    """A connection to it; nothing of what is done there stays."""
    with psycopg.connect(full) as connection:
        yield connection
        connection.rollback()


def asked(conninfo: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(conninfo) as connection:
        return connection.execute(query.encode()).fetchall()


def columns_of(line: str) -> dict[str, str]:
    """Return the columns of a line of `facts`, name → type, with `!` for NOT NULL."""
    return dict(one.split(" ", 1) for one in re.split(r", (?=[a-z])", line))


# The migrations


def test_no_rule_stands_against_the_migrations(tmp_path: Path, database: str) -> None:
    git = Git(tmp_path / "a project")
    home = git.folder / "apps" / "panamia"
    for one in SETTINGS.schemas:
        shutil.copytree(HOME / one.folder, home / one.folder)
    shutil.copy(HOME / "isthmus.toml", home)
    git("add", "--all")
    ran = run("schema", "check", database=database, home=home)
    assert ran.code == 0, ran.out + ran.said
    assert "nothing stands against them" in ran.out
    assert "not looked" not in ran.out + ran.said  # the linter was asked
    (home / "migrations" / NAMES[3] / "migration.sql").write_text("SELECT 1;\n", encoding="utf-8")
    git("add", "--all")
    assert run("schema", "check", database=database, home=home).code == 5  # or the check looks at nothing


def test_the_rules_say_nothing_against_what_this_repository_holds() -> None:
    if shutil.which("git") is None or not (HOME.parents[1] / ".git").exists():
        pytest.skip("there is no repository, as in a release's archive")
    assert not check_schemas(find_project(HOME)).findings


def test_every_migration_is_rehearsed_and_the_record_is_fresh(postgres: str, database: str) -> None:
    ran = run("schema", "rehearse", "panamia", "--check", "--json", "-", "--scratch", url(postgres), database=database)
    assert ran.code == 0, ran.out + ran.said
    tried = json.loads(ran.out)["schemas"]["panamia"]
    assert {one["name"]: one["outcome"] for one in tried} == dict.fromkeys(NAMES, "restores")
    assert [one["rows_before"] > 0 for one in tried] == [False, *[True] * (len(NAMES) - 1)]


def test_a_second_deployment_applies_nothing(empty: str) -> None:
    again = run("schema", "deploy", "panamia", "--json", "-", database=empty)
    assert again.code == 0, again.said
    assert json.loads(again.out)["applied"] == {"panamia": []}


def test_models_migrations_and_database_say_the_same_and_drift_is_told(
    make_deployed: Callable[..., str], postgres: str
) -> None:
    deployed = make_deployed()
    asks = ("schema", "drift", "panamia", "--scratch", url(postgres))
    ran = run(*asks, database=deployed)
    assert ran.code == 0, ran.out + ran.said
    with psycopg.connect(deployed) as connection:
        connection.execute("DROP TRIGGER set_updated_at ON articles")
        connection.execute("ALTER TABLE profiles DROP COLUMN slug")
    ran = run(*asks, database=deployed)
    assert ran.code == 1
    assert "set_updated_at" in ran.out
    assert "slug" in ran.out


def test_the_models_make_what_the_migrations_make(empty: str, database: str) -> None:
    engine = engine_of(database)
    models.metadata.create_all(engine)
    engine.dispose()
    with psycopg.connect(database) as one, psycopg.connect(empty) as other:
        there = read_catalog(other, but=("isthmus", "panamia_move"))
        assert [found.sentence for found in differences(read_catalog(one), there)] == []


def test_phases_are_rolled_back_one_by_one_to_nothing(database: str) -> None:
    pictures: list[Any] = []
    with psycopg.connect(database, autocommit=True) as connection:
        for one in SCRIPTS:
            pictures.append(read_catalog(connection))
            connection.execute(one.sql.encode())
        for one, before in zip(reversed(SCRIPTS), reversed(pictures), strict=True):
            connection.execute((one.rollback or "").encode())
            assert differences(read_catalog(connection), before) == [], one.name


@pytest.mark.parametrize("name", ["lists_and_follows", "notification_objects", "engagement", "site", "social"])
def test_a_phase_that_no_other_builds_on_is_rolled_back_alone(empty: str, name: str) -> None:
    (script,) = [one for one in SCRIPTS if one.name.text.endswith(f"_{name}")]
    with psycopg.connect(empty) as connection:
        before = read_catalog(connection)
        connection.execute((script.rollback or "").encode())
        assert differences(read_catalog(connection), before)
        connection.execute(script.sql.encode())
        assert not differences(read_catalog(connection), before)
        connection.rollback()


@pytest.mark.parametrize("script", OF_TABLES, ids=lambda one: one.name.text)
def test_no_rollback_drops_rows(seeded: psycopg.Connection, script: Script) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match="holds rows") as refused:
        seeded.execute((script.rollback or "").encode())
    assert "then roll back" in (refused.value.diag.message_hint or "")


# What the tables are


def test_every_table_and_column_of_the_project_is_there(empty: str) -> None:
    there: dict[str, dict[str, str]] = {}
    for table, column, kind in asked(empty, _COLUMNS):
        there.setdefault(table, {})[column] = kind
    wanted = {table: columns_of(line) for table, line in facts.TABLES.items()}
    for table, line in facts.ADDED.items():
        wanted[table] = wanted.get(table, {}) | columns_of(line)
    for place in facts.LOOSER:
        table, column = place.split(".")
        wanted[table][column] = wanted[table][column].removesuffix("!")
    for place, kind in facts.OTHERWISE.items():
        table, column = place.split(".")
        wanted[table][column] = kind
    for columns in wanted.values():
        columns |= {"created_at": "timestamptz!", "updated_at": "timestamptz!"}
    assert there == wanted


def test_enums_have_their_words_in_order(empty: str) -> None:
    query = "SELECT t.typname::text, string_agg(enumlabel, ', ' ORDER BY enumsortorder) FROM pg_enum JOIN pg_type t"
    assert dict(asked(empty, f"{query} ON t.oid = enumtypid GROUP BY 1")) == facts.ENUMS


def test_every_field_of_mongodb_has_its_column(empty: str) -> None:
    there = {(table, column) for table, column, _ in asked(empty, _COLUMNS)}
    lost = [
        f"{collection}.{field}"
        for collection, (table, fields) in facts.FIELDS.items()
        for field, column in fields.items()
        if (tuple(column.split(".")) if "." in column else (table, column)) not in there
    ]
    assert not lost
    assert len(facts.FIELDS) == 28


def test_what_is_unique_is_unique(empty: str) -> None:
    found: dict[str, set[str]] = {}
    for table, unique, columns in asked(empty, _INDEXES):
        if unique and columns != "id":
            found.setdefault(table, set()).add(columns)
    assert found == {table: set(keys) for table, keys in facts.UNIQUE.items()}


def test_rows_are_found_as_the_project_looks_them_up(empty: str) -> None:
    found: dict[str, list[str]] = {}
    for table, _, columns in asked(empty, _INDEXES):
        found.setdefault(table, []).append(columns.replace(" jsonb_path_ops", ""))
    missing = [
        f"{table}: {columns}"
        for table, wanted in facts.INDEXED.items()
        for columns in wanted
        if not any(f"{one}, ".startswith(f"{columns}, ") for one in found[table])
    ]
    assert not missing


def test_every_foreign_key_says_what_a_deletion_does(empty: str) -> None:
    assert {place: (target, action) for place, target, action in asked(empty, _KEYS)} == ON_DELETE


def test_every_column_with_an_id_of_a_row_is_a_foreign_key_and_all_are_in_force(empty: str) -> None:
    told = re.compile(r"_id$|^(actor|target|in_reply_to|removed_by)$")
    columns = asked(empty, _COLUMNS)
    held = {f"{table}.{name}" for table, name, kind in columns if "text" in kind and told.search(name)}
    assert held - facts.NO_ROWS == {place for place, _, _ in asked(empty, _KEYS)}
    assert held >= facts.NO_ROWS
    assert asked(empty, "SELECT conname::text FROM pg_constraint WHERE NOT convalidated OR condeferrable") == []


def test_each_table_has_the_key_that_is_promised(empty: str) -> None:
    assert dict(asked(empty, _PRIMARY)) == {**dict.fromkeys(TABLES, "id"), **facts.KEYS}


def test_the_readme_lists_every_foreign_key() -> None:
    text = (HOME / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+\.\w+)` \| `(\w+)` \| (CASCADE|SET NULL|RESTRICT) \|", text, re.MULTILINE)
    assert {place: (target, action) for place, target, action in rows} == ON_DELETE


def test_a_deletion_finds_the_rows_by_an_index(empty: str) -> None:
    leading = {(table, columns.split(",")[0].split(" ")[0]) for table, _, columns in asked(empty, _INDEXES)}
    assert {tuple(place.split(".")) for place in ON_DELETE} <= leading


def test_nothing_cascades_into_content(empty: str) -> None:
    cascades = {place for place, _, action in asked(empty, _KEYS) if action == "CASCADE"}
    assert not {place for place in cascades if place.split(".")[0] in CONTENT}


def test_every_table_has_both_instants_and_the_trigger(empty: str) -> None:
    instants = "SELECT table_name::text, column_name::text, is_nullable, column_default FROM information_schema.columns"
    found = asked(empty, f"{instants} WHERE table_schema = 'public' AND column_name ~ '^(created|updated)_at$'")
    assert sorted(found) == sorted(
        (table, name, "NO", "now()") for table in TABLES for name in ("created_at", "updated_at")
    )
    triggers = asked(empty, "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'set_updated_at'")
    assert sorted(triggers) == [(table,) for table in TABLES]
    assert len(TABLES) == 34


# What rows may be and what becomes of them


@pytest.mark.parametrize("table", TABLES)
def test_updated_at_is_kept_by_the_database(seeded: psycopg.Connection, table: str) -> None:
    def count(condition: str) -> int:
        row = seeded.execute(f"SELECT count(*) FILTER (WHERE {condition}), count(*) FROM {table}".encode()).fetchone()
        assert row is not None
        assert row[1] > 0, "seed.sql has no row for it"
        return row[0] - row[1]

    old = "updated_at = '2001-02-03 04:05:06.789+00'"
    seeded.execute(f"UPDATE {table} SET {old}".encode())
    assert count(old) == 0  # who says it is obeyed
    seeded.execute(f"UPDATE {table} SET created_at = created_at".encode())
    assert count(old) == 0  # nothing changed
    for setting, value in (("panamia.keep_updated_at", "on"), ("application_name", "isthmus")):
        seeded.execute(f"SET {setting} = '{value}'".encode())
        seeded.execute(f"UPDATE {table} SET created_at = created_at - interval '1 hour'".encode())
        assert count(old) == 0  # a copy of rows whose times are not ours
        seeded.execute(f"RESET {setting}".encode())
    seeded.execute(f"UPDATE {table} SET created_at = created_at - interval '1 hour'".encode())
    assert count("updated_at > now() - interval '1 minute'") == 0


@pytest.mark.parametrize(
    ("insert", "broken"),
    [
        ("users (id, email) VALUES ({id}, 'BETO@Example.ORG')", "users_email_key"),
        ("users (id, email, screenname) VALUES ({id}, 'new@example.org', 'aNA-Ñ_1')", "users_screenname_key"),
        ("profiles (id, email) VALUES ({id}, 'aNA@example.org')", "profiles_email_key"),
        ("profiles (id, email, slug) VALUES ({id}, 'new@example.org', 'ana')", "profiles_slug_key"),
        (
            f"screenname_history (id, screenname, user_id) VALUES ({{id}}, 'ANA_vieja', '{BETO}')",
            "screenname_history_screenname_key",
        ),
        (
            "intake_forms (id, email, form_type, form_data) VALUES ({id}, 'ana@example.org', 'art', '{{}}')",
            "intake_forms_email_form_type_key",
        ),
    ],
)
def test_what_is_there_is_not_taken_twice(seeded: psycopg.Connection, insert: str, broken: str) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation) as refused:
        seeded.execute(f"INSERT INTO {insert.format(id='%s')}".encode(), [new_id()])
    assert refused.value.diag.constraint_name == broken


def test_a_person_has_one_form_of_each_type_and_many_profiles_have_no_slug(seeded: psycopg.Connection) -> None:
    for one in ("goods", "org", "services"):
        seeded.execute(
            "INSERT INTO intake_forms (id, email, form_type, form_data) VALUES (%s, 'ana@example.org', %s, '{}')",
            [new_id(), one],
        )
    for one in ("a@example.org", "b@example.org"):
        seeded.execute("INSERT INTO profiles (id, email) VALUES (%s, %s)", [new_id(), one])


def test_a_member_of_a_list_is_a_profile_or_a_user(seeded: psycopg.Connection) -> None:
    for columns, values in (("list_id", "%s"), ("list_id, user_id, profile_id", "%s, %s, %s")):
        given = ["l00000000000000000000002", BETO, "p00000000000000000000001"][: values.count("%s")]
        with pytest.raises(psycopg.errors.CheckViolation), seeded.transaction():
            seeded.execute(f"INSERT INTO user_list_members ({columns}) VALUES ({values})".encode(), given)


def test_a_deleted_user_leaves_what_others_read(seeded: psycopg.Connection) -> None:
    seeded.execute("UPDATE notifications SET actor_screenname = 'ana', actor_name = 'Ana', object_title = 'Calle'")
    before = counts(seeded)
    seeded.execute("DELETE FROM users WHERE id = %s", [ANA])
    after = counts(seeded)
    assert {table: before[table] - after[table] for table in TABLES if before[table] != after[table]} == {
        "users": 1,
        "accounts": 2,
        "sessions": 1,
        "profile_follows": 1,
        "user_follows": 1,
        "user_lists": 1,
        "user_list_members": 3,
        "screenname_history": 1,
        "email_migrations": 1,
    }
    told = "SELECT actor, actor_screenname, actor_name, object_title, message FROM notifications WHERE target = %s"
    assert seeded.execute(told.encode(), [BETO]).fetchall() == [(None, None, None, "Calle", '¿Vienes?\n"sí"')]
    others = "SELECT count(*) FROM notifications WHERE actor_name IS NOT NULL"
    assert seeded.execute(others.encode()).fetchone() == (1,)
    kept = "SELECT author_id, status::text, co_authors->0->>'userId' FROM articles WHERE slug = 'calle-ocho'"
    assert seeded.execute(kept.encode()).fetchone() == (None, "published", BETO)
    assert seeded.execute("SELECT user_id FROM profiles WHERE slug = 'ana'").fetchone() == (None,)
    assert seeded.execute("SELECT count(*) FROM article_announcements WHERE author_id IS NULL").fetchone() == (1,)
    mentor = "SELECT mentor_user_id, mentor_email FROM mentor_sessions WHERE topic LIKE 'Cómo%'"
    assert seeded.execute(mentor.encode()).fetchone() == (None, "ana@example.org")


@pytest.mark.parametrize(
    ("delete", "by"),
    [
        ("articles WHERE slug = 'calle-ocho'", "article_announcements_article_id_fkey"),
        ("social_actors WHERE username = 'ana'", "social_statuses_actor_id_fkey"),
    ],
)
def test_content_is_in_the_way_of_what_it_belongs_to(seeded: psycopg.Connection, delete: str, by: str) -> None:
    with pytest.raises(psycopg.errors.IntegrityError) as refused:
        seeded.execute(f"DELETE FROM {delete}".encode())
    assert refused.value.diag.constraint_name == by


def test_a_deleted_article_leaves_replies_and_posts(seeded: psycopg.Connection) -> None:
    seeded.execute("DELETE FROM article_announcements")
    seeded.execute("DELETE FROM articles WHERE slug = 'calle-ocho'")
    assert seeded.execute("SELECT in_reply_to FROM articles WHERE slug = 're-calle-ocho'").fetchone() == (None,)
    assert seeded.execute("SELECT count(article_id), count(*) FROM social_statuses").fetchone() == (0, 2)


def counts(connection: psycopg.Connection) -> dict[str, int]:
    each = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in TABLES)
    return dict(connection.execute(each.encode()).fetchall())


# Ids


def test_ids_are_drawn_anew_and_are_no_hex() -> None:
    drawn = [new_id() for _ in range(5_000)]
    assert len(set(drawn)) == len(drawn)
    assert all(re.fullmatch("[g-z][a-z0-9]{23}", one) for one in drawn)
    assert {one[0] for one in drawn} == set("ghijklmnopqrstuvwxyz")
    assert set("".join(one[1:] for one in drawn)) == set("abcdefghijklmnopqrstuvwxyz0123456789")


def test_the_database_draws_ids_alike(empty: str) -> None:
    drawn = [one for (one,) in asked(empty, "SELECT new_cuid2() FROM generate_series(1, 5000)")]
    assert len(set(drawn)) == len(drawn)
    assert all(re.fullmatch("[g-z][a-z0-9]{23}", one) for one in drawn)
    assert {one[0] for one in drawn} == set("ghijklmnopqrstuvwxyz")
    assert set("".join(one[1:] for one in drawn)) == set("abcdefghijklmnopqrstuvwxyz0123456789")


@pytest.mark.parametrize(
    "wrong",
    [
        "65f0c1a2b3c4d5e6f7a8b9c0",  # an ObjectId
        "c5f0c1a2b3c4d5e6f7a8b9c0",  # one that begins like a cuid
        "cjld2cjxh0000qzrmn831i7rn",  # a cuid of 25 characters, as the project's scripts drew them
        "Z00000000000000000000001",
        "z0000000000000000000000ñ",
        "z00000000000000000000001\n",
        "",
    ],
)
def test_no_other_id_is_taken(empty: str, wrong: str) -> None:
    with psycopg.connect(empty) as connection, pytest.raises(psycopg.errors.CheckViolation) as refused:
        connection.execute("INSERT INTO users (id, email) VALUES (%s, 'a@example.org')", [wrong])
    assert refused.value.diag.constraint_name == "users_id_check"


# The models


def engine_of(conninfo: str) -> sa.Engine:
    return sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo), poolclass=sa.NullPool)


def test_rows_are_written_and_read_through_the_models(make_deployed: Callable[..., str]) -> None:
    engine = engine_of(make_deployed())
    with Session(engine) as session:
        ana = models.User(email="Ana@example.org", notification_preferences={"articleReplies": False})
        article = models.Article(slug="uno", title="Uno", content="", article_type="business_update", author=ana)
        members = models.UserListMember(list=models.UserList(owner=ana, name="Amigas"), user=ana)
        session.add_all([article, members])
        session.commit()
        assert re.fullmatch("[g-z][a-z0-9]{23}", ana.id)
        assert article.author_id == ana.id
        assert (ana.account_type, ana.role, ana.alternate_emails, ana.affiliate) == ("personal", "user", [], None)
        assert (article.co_authors, article.reading_time, article.status) == ([], 1, "draft")
        first = ana.updated_at
        assert first.tzinfo is not None
        ana.name = "Ana"
        session.commit()
        assert ana.updated_at > first
        assert session.scalar(sa.text("SELECT count(*) FROM users WHERE affiliate IS NULL")) == 1
        session.delete(ana)
        session.commit()
        session.refresh(article)
        assert article.author is None
        assert session.scalars(sa.select(models.UserListMember)).all() == []
    engine.dispose()


def test_every_model_is_read(full: str) -> None:
    engine = engine_of(full)
    with Session(engine) as session:
        for mapper in models.Base.registry.mappers:
            assert session.scalars(sa.select(mapper.class_)).all(), mapper.class_.__name__
    engine.dispose()
