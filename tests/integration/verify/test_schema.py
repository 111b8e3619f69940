"""The layer schema: every damage to a definition is named, and nothing else is."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from isthmus.errors import TargetError
from isthmus.transfer.existing import setting_aside
from isthmus.verify.result import LayerResult
from isthmus.verify.schema import check
from tests.integration.verify.made import Made, found, make, only
from tests.integration.verify.shop import oid

S = '"Shop ""ü"""'


def schema_of(made: Made, conninfo: str | None = None) -> LayerResult:
    with made.subject(conninfo) as subject:
        return check(subject)


def test_undamaged(shop_twin: Made) -> None:
    result = schema_of(shop_twin)
    assert found(result) == []
    assert result.checked > 60
    assert {(one.table, one.column) for one in result.columns} >= {("users", "email"), ("user_likes", "product_id")}
    assert shop_twin.one("SELECT count(*) FROM pg_namespace WHERE nspname ~ 'isthmus_verify'") == 0


DAMAGES = {
    "table dropped": (f"DROP TABLE {S}.line_parts", "line_parts", "line_parts"),
    "table unlogged": (f"ALTER TABLE {S}.line_parts SET UNLOGGED", "line_parts", "line_parts"),
    "row security": (f"ALTER TABLE {S}.teams ENABLE ROW LEVEL SECURITY", "teams", "teams"),
    "policy": (f"CREATE POLICY p ON {S}.teams USING (true)", "teams", "p"),
    "column dropped": (f"ALTER TABLE {S}.orders DROP COLUMN total", "orders", "total"),
    "column added": (f"ALTER TABLE {S}.orders ADD COLUMN more text", "orders", "more"),
    "typmod": (f"ALTER TABLE {S}.orders ALTER total TYPE numeric(12,2)", "orders", "total"),
    "length": (f"ALTER TABLE {S}.countries ALTER code TYPE varchar(3)", "countries", "code"),
    "type": (f"ALTER TABLE {S}.orders ALTER number TYPE bigint", "orders", "number"),
    "instant": (f"ALTER TABLE {S}.orders ALTER placed_at TYPE timestamptz(3)", "orders", "placed_at"),
    "null allowed": (f"ALTER TABLE {S}.orders ALTER user_id DROP NOT NULL", "orders", "user_id"),
    "null forbidden": (f"ALTER TABLE {S}.products ALTER name SET NOT NULL", "products", "name"),
    "default": (f"ALTER TABLE {S}.orders ALTER state SET DEFAULT 'SENT'", "orders", "state"),
    "collation": (f'ALTER TABLE {S}.products ALTER name TYPE text COLLATE "C"', "products", "name"),
    "label added": (f"ALTER TYPE {S}.order_state ADD VALUE 'LOST' BEFORE 'SENT'", "order_state", "order_state"),
    "label renamed": (f"""ALTER TYPE {S}."Kind" RENAME VALUE 'supplier' TO 'maker'""", "Kind", "Kind"),
    "key dropped": (f"ALTER TABLE {S}.line_parts DROP CONSTRAINT line_parts_pkey", "line_parts", "line_parts_pkey"),
    "unique dropped": (f"DROP INDEX {S}.users_email_key", "users", "users_email_key"),
    "unique added": (f"CREATE UNIQUE INDEX one ON {S}.products (name)", "products", "one"),
    "constraint added": (f"ALTER TABLE {S}.orders ADD CONSTRAINT c CHECK (number > 0)", "orders", "c"),
    "index dropped": (f"DROP INDEX {S}.users_boss_id_idx", "users", "users_boss_id_idx"),
    "index of another column": (
        f"DROP INDEX {S}.users_boss_id_idx; CREATE INDEX users_boss_id_idx ON {S}.users (name)",
        "users",
        "users_boss_id_idx",
    ),
    "index descending": (
        f"DROP INDEX {S}.users_boss_id_idx; CREATE INDEX users_boss_id_idx ON {S}.users (boss_id DESC)",
        "users",
        "users_boss_id_idx",
    ),
    "index not valid": (
        (
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid IN"
            " (SELECT oid FROM pg_class WHERE relname = 'users_boss_id_idx')"
        ),
        "users",
        "users_boss_id_idx",
    ),
    "index of a key not valid": (
        (
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid IN"
            " (SELECT oid FROM pg_class WHERE relname = 'products_pkey')"
        ),
        "products",
        "products_pkey",
    ),
    "search index": (
        (
            f"DROP INDEX {S}.users_search_idx;"
            f" CREATE INDEX users_search_idx ON {S}.users USING gin (to_tsvector('simple', coalesce(name, '')))"
        ),
        "users",
        "users_search_idx",
    ),
    "function": (
        (
            f"CREATE OR REPLACE FUNCTION {S}.isthmus_array_text(elements text[]) RETURNS text LANGUAGE sql IMMUTABLE"
            " PARALLEL SAFE AS $$ SELECT ''::text $$"
        ),
        "isthmus_array_text",
        "isthmus_array_text",
    ),
    "foreign key dropped": (
        f"ALTER TABLE {S}.orders DROP CONSTRAINT orders_user_id_fkey",
        "orders",
        "orders_user_id_fkey",
    ),
    "foreign key not validated": (
        (
            f"ALTER TABLE {S}.orders DROP CONSTRAINT orders_user_id_fkey; ALTER TABLE {S}.orders ADD CONSTRAINT"
            f" orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES {S}.users NOT VALID"
        ),
        "orders",
        "orders_user_id_fkey",
    ),
    "foreign key to another table": (
        (
            f"ALTER TABLE {S}.orders DROP CONSTRAINT orders_owner_team_id_fkey; ALTER TABLE {S}.orders ADD CONSTRAINT"
            f" orders_owner_team_id_fkey FOREIGN KEY (owner_team_id) REFERENCES {S}.users NOT VALID"
        ),
        "orders",
        "orders_owner_team_id_fkey",
    ),
    "foreign key deletes": (
        (
            f"ALTER TABLE {S}.orders DROP CONSTRAINT orders_user_id_fkey; ALTER TABLE {S}.orders ADD CONSTRAINT"
            f" orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES {S}.users ON DELETE CASCADE"
        ),
        "orders",
        "orders_user_id_fkey",
    ),
    "foreign key follows changes": (
        (
            f"ALTER TABLE {S}.orders DROP CONSTRAINT orders_user_id_fkey; ALTER TABLE {S}.orders ADD CONSTRAINT"
            f" orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES {S}.users ON UPDATE CASCADE"
        ),
        "orders",
        "orders_user_id_fkey",
    ),
    "foreign key waits": (
        f"ALTER TABLE {S}.orders ALTER CONSTRAINT orders_user_id_fkey DEFERRABLE INITIALLY DEFERRED",
        "orders",
        "orders_user_id_fkey",
    ),
    "trigger": (
        (
            f"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
            f" CREATE TRIGGER t BEFORE INSERT ON {S}.teams FOR EACH ROW EXECUTE FUNCTION f()"
        ),
        "teams",
        "t",
    ),
    "rule": (f"CREATE RULE r AS ON DELETE TO {S}.teams DO INSTEAD NOTHING", "teams", "r"),
}


@pytest.fixture
def only_looking() -> Iterator[Callable[..., str]]:
    """Return a function that makes a role that may read a target, and gives its conninfo.

    It may make no schema, and temporary tables only where it `makes_temporary` ones.
    """
    seen: list[Made] = []

    def make(made: Made, schema: str, *, makes_temporary: bool = True) -> str:
        seen.append(made)
        database = made.one("SELECT quote_ident(current_database())")
        made.do(
            "DROP ROLE IF EXISTS looker",
            "CREATE ROLE looker LOGIN",
            f"GRANT USAGE ON SCHEMA {schema}, isthmus TO looker",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema}, isthmus TO looker",
            *([] if makes_temporary else [f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC"]),
        )
        return make_conninfo(made.conninfo, user="looker")

    yield make
    for made in seen:
        made.do("DROP OWNED BY looker", "DROP ROLE looker")


def quote_all(made: Made) -> None:
    """Let the server quote every name that it prints in sessions to come."""
    made.do(f"ALTER DATABASE {made.one('SELECT quote_ident(current_database())')} SET quote_all_identifiers = on")


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_named(shop_twin: Made, damage: str) -> None:
    statements, table, path = DAMAGES[damage]
    shop_twin.do(statements)
    one = only(schema_of(shop_twin))
    assert (one.layer, one.table, one.path, one.id) == ("schema", table, path, None)
    assert one.expected != one.actual


def test_predicate_of_partial_index(shop_twin: Made) -> None:
    name = shop_twin.one("SELECT indexname FROM pg_indexes WHERE indexdef ~ 'SENT'")
    shop_twin.do(
        f"DROP INDEX {S}.{name}",
        f"CREATE INDEX {name} ON {S}.orders (placed_at) WHERE state = 'BACK'",
    )
    one = only(schema_of(shop_twin))
    assert (one.table, one.path) == ("orders", name)
    assert "SENT" in (one.expected or "")
    assert "BACK" in (one.actual or "")


def test_switched_off_triggers(shop_twin: Made) -> None:
    shop_twin.do(f"ALTER TABLE {S}.teams DISABLE TRIGGER ALL")
    paths = {(one.table, one.path) for one in schema_of(shop_twin).differences}
    assert ("teams", "teams_country_fkey") in paths  # its own
    assert ("orders", "orders_team_id_fkey") in paths  # the one that points at it


def test_not_null_that_is_not_validated(shop_twin: Made) -> None:
    if int(shop_twin.one("SHOW server_version_num")) < 180000:
        pytest.skip("Before PostgreSQL 18 there is no such thing.")
    shop_twin.do(
        f"ALTER TABLE {S}.orders ALTER number DROP NOT NULL",
        f"ALTER TABLE {S}.orders ADD CONSTRAINT n NOT NULL number NOT VALID",
    )
    one = only(schema_of(shop_twin))
    assert (one.path, one.actual) == ("number", "null: not null, not validated")


def test_plain_index_is_a_note(shop_twin: Made) -> None:
    shop_twin.do(f"CREATE INDEX quick ON {S}.products (name)")
    result = schema_of(shop_twin)
    assert result.passed
    assert any("products has an index that is not in the mapping: quick." in note for note in result.notes)


def test_extension(make_here: Callable[..., Made]) -> None:
    made = make_here(
        "isthmus: 1\nextensions: [vector, no_such]\ncollections: {a: {fields: {n: integer}}}\n",
        {"a": [{"_id": 1, "n": 1}]},
    )
    if made.one("SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'") == 0:
        pytest.skip("This server has no extension to take away.")
    result = schema_of(made)
    assert result.passed
    assert any("no_such" in note for note in result.notes)
    made.do("DROP EXTENSION vector")
    assert found(schema_of(made)) == [("vector", "vector", None)]


def test_predicate_that_names_its_schema(make_here: Callable[..., Made]) -> None:
    made = make_here(
        """
        isthmus: 1
        enums: {state: [A, B]}
        collections:
          a:
            fields: {n: integer, state: state}
            indexes: [{columns: [n], where: "state = 'A'::public.state", name: by_n}]
        """,
        {"a": [{"_id": 1, "n": 1, "state": "A"}]},
    )
    assert schema_of(made).passed
    made.do("DROP INDEX by_n", "CREATE INDEX by_n ON a (n) WHERE state = 'B'::public.state")
    assert found(schema_of(made)) == [("a", "by_n", None)]


def test_index_that_the_copy_left_out(make_here: Callable[..., Made]) -> None:
    made = make_here(
        "isthmus: 1\ncollections: {a: {fields: {t: {type: text, index: true}}}}\n",
        {"a": [{"_id": 1, "t": random.Random(1).randbytes(20_000).hex()}]},
    )
    assert made.one("SELECT count(*) FROM pg_class WHERE relname = 'a_t_idx'") == 0
    result = schema_of(made)
    assert result.passed
    assert any("a_t_idx" in note and "left it out" in note for note in result.notes)


def test_role_that_may_not_make_anything(shop_twin: Made, only_looking: Callable[..., str]) -> None:
    conninfo = only_looking(shop_twin, S, makes_temporary=False)
    result = schema_of(shop_twin, conninfo)
    assert found(result) == []
    assert any("permission denied" in note for note in result.notes)
    assert (result.outcome, result.passed) == ("partly", True)
    left = {(one.table, one.column): one.why for one in result.columns if one.left_out}
    assert left["orders", "orders_user_id_fkey"].startswith("Only its columns, those it points at")
    assert left["orders", "orders_pkey"].startswith("Only its columns were compared")
    assert left["users", "users_boss_id_idx"].startswith("Only its columns and its method")
    assert {why for why in left.values() if "predicate" in why}, left
    assert not [name for table, name in left if name in {"total", "email"}]
    whole = schema_of(shop_twin)
    assert (whole.outcome, [one for one in whole.columns if one.left_out]) == ("passed", [])
    shop_twin.do(f"ALTER TABLE {S}.orders ALTER CONSTRAINT orders_user_id_fkey DEFERRABLE")  # which only the other sees
    assert found(schema_of(shop_twin, conninfo)) == []
    assert found(schema_of(shop_twin)) == [("orders", "orders_user_id_fkey", None)]
    shop_twin.do(f"ALTER TABLE {S}.orders ALTER CONSTRAINT orders_user_id_fkey NOT DEFERRABLE")
    shop_twin.do(f"ALTER TABLE {S}.orders ALTER total TYPE numeric(12,2)", f"DROP INDEX {S}.users_email_key")
    shop_twin.do(f"ALTER TABLE {S}.orders DROP CONSTRAINT orders_user_id_fkey")
    assert found(schema_of(shop_twin, conninfo)) == [
        ("orders", "orders_user_id_fkey", None),
        ("orders", "total", None),
        ("users", "users_email_key", None),
    ]


FOLLOWING = """
isthmus: 1
target: {schema: S, on_update: cascade}
collections:
  users:
    fields: {name: text, boss: {references: users, column: boss_id, on_update: restrict}, tags: {junction: tagged}}
  tags: {fields: {n: integer}}
junctions: {tagged: {user_id: users, tag_id: tags}}
"""


def test_what_follows_a_change_is_compared(database: str, tmp_path: Path, only_looking: Callable[..., str]) -> None:
    users = [{"_id": oid(1), "name": "Ann", "boss": oid(1), "tags": [oid(9)]}]
    made = make(database, tmp_path / "dump" / "shop", FOLLOWING, {"users": users, "tags": [{"_id": oid(9), "n": 9}]})
    looker = only_looking(made, '"S"', makes_temporary=False)
    assert found(schema_of(made)) == found(schema_of(made, looker)) == []
    for table, column, target in (("users", "boss_id", "users"), ("tagged", "user_id", "users")):
        name = f"{table}_{column}_fkey"
        deletes = " ON DELETE CASCADE" if table == "tagged" else ""
        made.do(
            f'ALTER TABLE "S".{table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name}'
            f' FOREIGN KEY ({column}) REFERENCES "S".{target}{deletes}'
        )
    wrong = [("tagged", "tagged_user_id_fkey", None), ("users", "users_boss_id_fkey", None)]
    assert found(schema_of(made)) == found(schema_of(made, looker)) == wrong


def test_role_that_may_make_temporary_tables_compares_all(shop_twin: Made, only_looking: Callable[..., str]) -> None:
    conninfo = only_looking(shop_twin, S)
    result = schema_of(shop_twin, conninfo)
    assert found(result) == []
    assert not any(one.left_out for one in result.columns)
    whole = schema_of(shop_twin)
    assert (result.checked, result.notes) == (whole.checked, whole.notes)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_named_to_a_role_that_may_make_temporary_tables(
    shop_twin: Made, only_looking: Callable[..., str], damage: str
) -> None:
    statements, table, path = DAMAGES[damage]
    shop_twin.do(statements)
    one = only(schema_of(shop_twin, only_looking(shop_twin, S)))
    assert (one.table, one.path) == (table, path)
    assert "pg_temp" not in f"{one.expected} {one.actual}"


def test_predicates_for_a_role_that_may_make_temporary_tables(
    make_here: Callable[..., Made], only_looking: Callable[..., str]
) -> None:
    made = make_here(
        """
        isthmus: 1
        enums: {state: [A, B], "public.x": [A, B]}
        collections:
          a:
            fields: {n: integer, state: state, t: text, back: {references: a, on_orphan: "null"}, every: "public.x[]"}
            indexes:
              - {columns: [n], where: "state = 'A'::public.state", name: by_n}
              - {columns: [state], where: "state <> 'A'", name: by_state}
              - {columns: [t], where: "t <> 'pg_temp.A' AND t <> 'public.B'", name: by_t}
              - {columns: [n, t], where: "'A' = ANY (every)", name: by_all}
        """,
        {"a": [{"_id": 1, "n": 1, "state": "A", "t": "x", "every": ["B"]}]},
    )
    conninfo = only_looking(made, "public")
    result = schema_of(made, conninfo)
    assert found(result) == [], result.differences
    assert not any(one.left_out for one in result.columns)
    made.do("DROP INDEX by_n", "CREATE INDEX by_n ON a (n) WHERE state = 'B'::public.state")
    made.do("DROP INDEX by_t", "CREATE INDEX by_t ON a (t) WHERE t <> 'pg_temp.A' AND t <> 'B'")
    assert found(schema_of(made, conninfo)) == [("a", "by_n", None), ("a", "by_t", None)]


@pytest.mark.parametrize("role", ["owner", "looker"])
def test_a_server_that_quotes_every_name(shop_twin: Made, only_looking: Callable[..., str], role: str) -> None:
    quote_all(shop_twin)
    conninfo = only_looking(shop_twin, S) if role == "looker" else None
    assert found(schema_of(shop_twin, conninfo)) == []
    shop_twin.do(f"DROP INDEX {S}.users_boss_id_idx")
    assert found(schema_of(shop_twin, conninfo)) == [("users", "users_boss_id_idx", None)]


EXISTING = """
isthmus: 1
target: {tables: existing, schema: app}
collections:
  users: {fields: {email: text!, age: integer}}
  posts: {fields: {title: text, author: {column: author_id, references: users, on_orphan: "null"}}}
"""
TABLES = """
CREATE SCHEMA app;
CREATE TABLE app.users (id uuid PRIMARY KEY, email varchar(80) NOT NULL UNIQUE, age bigint CHECK (age > 0), more text);
CREATE TABLE app.posts (id uuid PRIMARY KEY, title text, author_id uuid REFERENCES app.users, extras jsonb);
CREATE INDEX posts_by_title ON app.posts (title);
CREATE FUNCTION app.watch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER watch AFTER DELETE ON app.users EXECUTE FUNCTION app.watch();
"""
USERS = [{"_id": n, "email": f"{n}@x", "age": n, "shoe": 3} for n in range(1, 4)]
POSTS = [{"_id": n, "title": "t", "author": n} for n in range(1, 6)]


@pytest.fixture
def existing(make_here: Callable[..., Made]) -> Made:
    return make_here(EXISTING, {"users": USERS, "posts": POSTS}, before=TABLES)


def test_existing_tables_pass(existing: Made) -> None:
    result = schema_of(existing)
    assert found(result) == []
    assert any("not Isthmus's own" in note for note in result.notes)
    extras = next(one for one in result.columns if (one.table, one.column) == ("users", "extras"))
    assert "isthmus.extras" in extras.why


@pytest.mark.parametrize("since", ["before the copy", "after the copy", "only during the copy"])
def test_existing_tables_of_a_server_that_quotes_every_name(make_here: Callable[..., Made], since: str) -> None:
    always = (
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET quote_all_identifiers = on', current_database()); END $$;"
    )
    before = TABLES + "CREATE INDEX posts_of ON app.posts (title) WHERE author_id IS NOT NULL;"
    made = make_here(
        EXISTING, {"users": USERS, "posts": POSTS}, before=before if since == "after the copy" else before + always
    )
    if since == "after the copy":
        quote_all(made)
    if since == "only during the copy":
        made.do(f"ALTER DATABASE {made.one('SELECT quote_ident(current_database())')} RESET ALL")
    result = schema_of(made)
    assert found(result) == []
    assert not any("New since the copy" in note for note in result.notes)


EXISTING_DAMAGES = {
    "table": ("DROP TABLE app.posts", "posts", "posts"),
    "column": ("ALTER TABLE app.posts DROP COLUMN title", "posts", "title"),
    "type": ("ALTER TABLE app.posts ALTER title TYPE integer USING 1", "posts", "title"),
    "null": ("ALTER TABLE app.users ALTER email DROP NOT NULL", "users", "email"),
    "unique": ("ALTER TABLE app.users DROP CONSTRAINT users_email_key", "users", "users_email_key"),
    "check": ("ALTER TABLE app.users DROP CONSTRAINT users_age_check", "users", "users_age_check"),
    "foreign key gone": (
        "ALTER TABLE app.posts DROP CONSTRAINT posts_author_id_fkey",
        "posts",
        "posts_author_id_fkey",
    ),
    "foreign key of another kind": (
        (
            "ALTER TABLE app.posts DROP CONSTRAINT posts_author_id_fkey; ALTER TABLE app.posts ADD CONSTRAINT"
            " posts_author_id_fkey FOREIGN KEY (author_id) REFERENCES app.users ON DELETE CASCADE"
        ),
        "posts",
        "posts_author_id_fkey",
    ),
    "index gone": ("DROP INDEX app.posts_by_title", "posts", "posts_by_title"),
    "index over something else": (
        "DROP INDEX app.posts_by_title; CREATE INDEX posts_by_title ON app.posts (author_id)",
        "posts",
        "posts_by_title",
    ),
    "foreign key of another name that nothing proved": (
        (
            "ALTER TABLE app.posts DROP CONSTRAINT posts_author_id_fkey; ALTER TABLE app.posts ADD CONSTRAINT renamed"
            " FOREIGN KEY (author_id) REFERENCES app.users NOT VALID"
        ),
        "posts",
        "renamed",
    ),
    "trigger off": ("ALTER TABLE app.users DISABLE TRIGGER watch", "users", "watch"),
    "unlogged": ("ALTER TABLE app.posts SET UNLOGGED", "posts", "posts"),
    "foreign key": (
        (
            "ALTER TABLE app.posts DROP CONSTRAINT posts_author_id_fkey; ALTER TABLE app.posts ADD CONSTRAINT"
            " posts_author_id_fkey FOREIGN KEY (author_id) REFERENCES app.users NOT VALID"
        ),
        "posts",
        "posts_author_id_fkey",
    ),
    "index": (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'app.posts_by_title'::regclass",
        "posts",
        "posts_by_title",
    ),
    "set aside": (
        (
            "DROP INDEX app.posts_by_title;"
            " INSERT INTO isthmus.saved_ddl (run_id, table_schema, table_name, kind, name, statements)"
            """ VALUES (1, 'app', 'posts', 'index', 'posts_by_title', '["CREATE INDEX"]')"""
        ),
        "posts",
        "posts_by_title",
    ),
}


@pytest.mark.parametrize("damage", EXISTING_DAMAGES)
def test_existing_damage_is_named(existing: Made, damage: str) -> None:
    statements, table, path = EXISTING_DAMAGES[damage]
    existing.do(statements)
    assert (table, path, None) in found(schema_of(existing))


def test_constraint_that_was_not_validated_before(make_here: Callable[..., Made]) -> None:
    tables = TABLES + "ALTER TABLE app.users ADD CONSTRAINT old CHECK (age < 200) NOT VALID;"
    made = make_here(EXISTING, {"users": USERS, "posts": POSTS}, before=tables)
    result = schema_of(made)
    assert result.passed
    assert any("old of users was not validated before" in note for note in result.notes)


def test_existing_tables_may_grow(existing: Made) -> None:
    existing.do("ALTER TABLE app.users ADD COLUMN nick text", "CREATE UNIQUE INDEX ON app.users (nick)")
    result = schema_of(existing)
    assert result.passed
    assert any("New since the copy began: app.users.nick text" in note for note in result.notes)
    assert any("New since the copy began: the index users_nick_idx of users" in note for note in result.notes)


def test_what_came_since_may_be_unproven_or_invalid(existing: Made) -> None:
    existing.do(
        "CREATE INDEX later ON app.posts (author_id)",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'app.later'::regclass",
        "ALTER TABLE app.posts ADD CONSTRAINT later CHECK (title <> '') NOT VALID",
    )
    result = schema_of(existing)
    assert found(result) == []
    assert any("the index later of posts; it is not valid" in note for note in result.notes)
    assert any("the CHECK constraint later of posts; it is not validated" in note for note in result.notes)


def test_what_is_only_called_otherwise_is_no_difference(existing: Made) -> None:
    existing.do(
        'ALTER INDEX app.posts_by_title RENAME TO "Posts ON ""Titles"""',
        "ALTER TABLE app.posts RENAME CONSTRAINT posts_author_id_fkey TO written_by",
    )
    result = schema_of(existing)
    assert found(result) == []
    assert any("posts_author_id_fkey of posts is called written_by now" in note for note in result.notes)


def test_what_was_not_proven_before_the_copy_is_noted(make_here: Callable[..., Made]) -> None:
    tables = TABLES + "ALTER TABLE app.posts ADD CONSTRAINT own FOREIGN KEY (author_id) REFERENCES app.users NOT VALID;"
    made = make_here(EXISTING, {"users": USERS, "posts": POSTS}, before=tables)
    result = schema_of(made)
    assert found(result) == []
    assert any("own of posts was not validated before the copy" in note for note in result.notes)
    made.do("ALTER TABLE app.posts VALIDATE CONSTRAINT own")
    assert found(schema_of(made)) == []


@pytest.mark.parametrize("text", ["no JSON", "[1, 2]", '["index", "a", "b", 3]', "7"])
def test_a_list_that_somebody_changed_is_an_error(existing: Made, text: str) -> None:
    existing.do(f"UPDATE isthmus.run SET tables = jsonb_set(tables, '{{stood}}', jsonb_build_array($t${text}$t$))")
    with pytest.raises(TargetError) as raised:
        schema_of(existing)
    assert raised.value.code == "state-broken"


def test_what_a_copy_set_aside_and_put_back_is_what_it_was(
    make_here: Callable[..., Made], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setting_aside, "WORTH_ROWS", 1)
    dropped: list[str] = []
    monkeypatch.setattr(setting_aside, "reached", dropped.append)
    more = (
        TABLES,
        'CREATE INDEX "Posts ""by"" Both" ON app.posts (author_id DESC) INCLUDE (title) WHERE title > $$a$$;',
        "ALTER TABLE app.posts ADD CONSTRAINT again FOREIGN KEY (author_id) REFERENCES app.users DEFERRABLE;",
        "ALTER TABLE app.posts ADD CONSTRAINT unproven FOREIGN KEY (author_id) REFERENCES app.users NOT VALID;",
    )
    made = make_here(EXISTING, {"users": USERS, "posts": POSTS}, before="".join(more))
    assert "saved.dropped-after-commit" in dropped
    result = schema_of(made)
    assert (found(result), result.outcome) == ([], "passed")


def test_a_run_that_kept_no_definitions_says_so(existing: Made) -> None:
    existing.do("UPDATE isthmus.run SET tables = tables - 'stood'", "DROP INDEX app.posts_by_title")
    result = schema_of(existing)
    assert found(result) == []
    assert any("did not keep what there was" in note for note in result.notes)
    assert result.outcome == "partly"
