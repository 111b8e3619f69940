"""`isthmus schema new --from-models` and `isthmus schema drift` as a person and a script meet them."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest

from tests.fix_git import Git
from tests.fix_postgres import password_url
from tests.integration.cli.conftest import COMMAND, Ran, RunCommand
from tests.integration.cli.terminals import at_terminal
from tests.integration.copy.pooler import pooling

SETTINGS = '[[schema]]\nfolder = "db"\nlayout = "flat"\nname = "shop"\nmodels = "shop_models:meta"\n'
SIDECAR = '[[schema]]\nfolder = "sidecar"\nlayout = "flat"\n'
MODELS = """\
from sqlalchemy import *
print("a module that talks")
meta = MetaData()
Table("users", meta,
    Column("id", BigInteger, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Enum("a", "b", native_enum=False, create_constraint=True, name="kinds"), nullable=False),
)
"""
SINCE = 'Column("since", DateTime(timezone=True), server_default=func.clock_timestamp(), nullable=False),'
HEADER = "-- Purpose: a test\n-- Ticket: N/A\n-- Reversible: No\n\n"
SAID = ("--purpose", "a test", "--ticket", "N/A")


class Shop:
    """A project with models, its own database, and the commands run in it."""

    def __init__(self, folder: Path, isthmus: RunCommand, scratch: str, database: str) -> None:
        self.git, self.isthmus, self.scratch, self.database = Git(folder), isthmus, scratch, database
        self.git.write("isthmus.toml", SETTINGS)
        self.models(MODELS)
        (folder / "db").mkdir()

    def models(self, text: str) -> None:
        self.git.write("shop_models.py", text)

    def new(self, name: str, *words: str) -> Ran:
        where = ("--scratch", self.scratch)
        return self.isthmus("schema", "new", name, "--from-models", *where, *words, cwd=self.git.folder)

    def drift(self, *words: str) -> Ran:
        return self.isthmus("schema", "drift", "--scratch", self.scratch, *words, cwd=self.git.folder)

    def told(self, *words: str) -> dict[str, list[str]]:
        """Return pair → sentences, of the database as well."""
        ran = self.drift("--target", self.database, "--json", "-", *words)
        assert ran.code in {0, 1}, ran.all
        pairs = json.loads(ran.out)["schemas"]["shop"]["pairs"]
        return {pair: [one["message"] for one in found] for pair, found in pairs.items()}

    def deploy(self) -> None:
        ran = self.isthmus("schema", "deploy", "--target", self.database, cwd=self.git.folder)
        assert ran.code == 0, ran.all

    def do(self, *statements: str) -> None:
        with psycopg.connect(self.database, autocommit=True) as connection:
            for one in statements:
                connection.execute(one.encode())


@pytest.fixture
def shop(tmp_path: Path, isthmus: RunCommand, postgres: str, database: str) -> Shop:
    return Shop(tmp_path / "shop", isthmus, postgres, database)


def test_new_writes_what_the_models_say_and_then_nothing(shop: Shop) -> None:
    journal = shop.git.write("db/meta/_journal.json", '{"version": "7", "entries": []}')
    ran = shop.new("Users of the shop", *SAID)
    assert ran.code == 0, ran.all
    assert [Path(line).name for line in ran.out.splitlines()] == ["0000_users_of_the_shop.sql", "_journal.json"]
    assert "a module that talks" in ran.err
    assert json.loads(journal.read_text())["entries"][0]["tag"] == "0000_users_of_the_shop"
    shop.git("add", "-A")
    ran = shop.isthmus("schema", "check", cwd=shop.git.folder)
    assert ran.code == 0, ran.all
    ran = shop.new("again")
    assert (ran.code, ran.out) == (0, "")
    assert "Nothing differs" in ran.err
    assert len(list((shop.git.folder / "db").glob("*.sql"))) == 1


def test_new_in_several_migrations_that_a_rehearsal_proves(shop: Shop) -> None:
    assert shop.new("users", *SAID).code == 0
    shop.models(
        MODELS.replace('"b"', '"b", "c"')
        .replace('Column("name", Text', f'{SINCE}\n    Column("name", Text')
        .replace("\n)\n", '\n    UniqueConstraint("name", name="Names %s"),\n)\n')
    )
    ran = shop.new("more of users", *SAID)
    assert ran.code == 0, ran.all
    names = [Path(line).name for line in ran.out.splitlines()]
    assert names == ["0001_more_of_users.sql", "0002_more_of_users_online.sql"]
    shop.git("add", "-A")
    ran = shop.isthmus("schema", "check", cwd=shop.git.folder)
    assert ran.code == 0, ran.all
    ran = shop.isthmus("schema", "rehearse", "--scratch", shop.scratch, cwd=shop.git.folder)
    assert ran.code == 0, ran.all
    assert "3 migrations: 3 restored" in ran.out


def test_what_cannot_be_written_is_told_and_stands_in_the_file(shop: Shop) -> None:
    enum = MODELS.replace("native_enum=False, create_constraint=True, ", "")
    shop.models(enum)
    assert shop.new("users", *SAID).code == 0
    shop.models(enum.replace('"a", "b"', '"b"'))
    ran = shop.new("fewer", *SAID)
    assert (ran.code, ran.out) == (1, "")
    assert "enum public.kinds has no 'a' any more" in " ".join(ran.err.split())
    shop.models(enum.replace('"a", "b"', '"b"').replace("nullable=False", "nullable=True"))
    ran = shop.new("fewer", *SAID)
    assert ran.code == 1
    text = Path(ran.out.splitlines()[0]).read_text()
    assert "-- Still different from the models: enum public.kinds has no 'a' any more" in text
    assert "DROP NOT NULL;" in text


def test_a_rename_is_asked_at_a_terminal_and_nowhere_else(shop: Shop) -> None:
    assert shop.new("users", *SAID).code == 0
    shop.models(MODELS.replace('"name", Text', '"Full name", Text'))
    ran = shop.new("names")
    assert ran.code == 2
    assert "--rename 'users.name=users.\"Full name\"', or --no-rename users.name" in " ".join(ran.err.split())
    words = [COMMAND, "schema", "new", "names", "--from-models", "--scratch", shop.scratch, *SAID]
    enter_alone = (lambda text: "Is it a rename?" in text, b"\n")  # is no answer: nothing is dropped by mistake
    code, shown = at_terminal(
        words, shop.git.folder, [enter_alone, (lambda text: text.count("Is it a rename?") == 2, b"y\n")]
    )
    assert code == 0, shown
    (file,) = (shop.git.folder / "db").glob("0001_*.sql")
    assert 'RENAME COLUMN name TO "Full name";' in file.read_text()


def test_models_that_fail_are_told_with_their_line(shop: Shop) -> None:
    shop.models(f"{MODELS}\nint('x')\n")
    for ran in (shop.new("x"), shop.drift()):
        assert ran.code == 2
        assert "shop_models.py:10: shop_models cannot be imported: ValueError: invalid literal" in ran.err
    shop.models(
        MODELS.replace("Text,", "dialects.postgresql.CITEXT,").replace(
            "import *", "import *; from sqlalchemy import dialects; import sqlalchemy.dialects.postgresql"
        )
    )
    ran = shop.new("x")
    assert ran.code == 2
    assert "(models-refused)" in ran.err
    assert "CREATE EXTENSION" in ran.err


def test_options_that_go_with_models_alone(shop: Shop) -> None:
    ran = shop.isthmus("schema", "new", "x", "--rename", "a=b", cwd=shop.git.folder)
    assert ran.code == 2
    assert "--from-models" in ran.err


def test_what_only_migrations_say_stays(shop: Shop) -> None:
    shop.git.write(
        "db/0000_first.sql",
        f"{HEADER}CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;\n"
        "CREATE TABLE users (id bigserial PRIMARY KEY, name text NOT NULL, kind varchar(1) NOT NULL,"
        " CONSTRAINT kinds CHECK (kind IN ('a', 'b')));\n"
        "CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f();\n"
        "CREATE VIEW names AS SELECT name FROM users;\n"
        "CREATE TABLE _prisma_migrations (id int);\nCREATE SCHEMA audit; CREATE TABLE audit.log (id int);\n",
    )
    ran = shop.new("x")
    assert (ran.code, ran.out) == (0, ""), ran.all
    said = " ".join(ran.err.split())
    assert "function public.f(), trigger public.users.t, view public.names" in said
    assert "no model is in them: the schemas audit" in said
    shop.models(
        f"{MODELS}\nwith_ddl = lambda text: event.listen(meta, 'after_create', DDL(text))\n"
        "with_ddl('CREATE FUNCTION \"My f\"() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$')\n"
        "with_ddl('CREATE TRIGGER mine BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION \"My f\"()')\n"
    )
    ran = shop.new("x", *SAID)  # models that make a trigger have no say in those of others
    text = Path(ran.out.splitlines()[0]).read_text()
    assert "CREATE TRIGGER mine" in text
    assert "DROP TRIGGER t " not in text
    shop.models(shop.git.folder.joinpath("shop_models.py").read_text().replace("with_ddl('CREATE TRIGGER", "('"))
    ran = shop.new("y", *SAID)
    assert "DROP TRIGGER mine" in Path(ran.out.splitlines()[0]).read_text()


def test_drift_of_each_pair(shop: Shop) -> None:
    assert shop.new("users", *SAID).code == 0
    ran = shop.drift()
    assert (ran.code, "models and migrations: the same" in ran.out) == (0, True)
    shop.deploy()
    assert shop.told() == {"models-migrations": [], "migrations-database": [], "models-database": []}
    shop.do(
        'ALTER TABLE users ADD "Extra %s" int, ALTER name DROP NOT NULL, ADD CONSTRAINT c CHECK (id > 0) NOT VALID',
        "CREATE TABLE _prisma_migrations (id int)",
        "CREATE SCHEMA drizzle",
        "CREATE TABLE drizzle.__drizzle_migrations (id int)",
        "CREATE SCHEMA auth",
        "CREATE TABLE auth.users (id int)",
    )
    told = shop.told()
    assert told["models-migrations"] == []
    assert told["migrations-database"] == [
        'column public.users."Extra %s": in the database, not in the migrations.',
        "column public.users.name: its nullable is no in the migrations, yes in the database.",
        "constraint public.users.c: in the database, not in the migrations.",
    ]
    assert [one.replace("models", "migrations") for one in told["models-database"]] == told["migrations-database"]
    ran = shop.drift("--target", shop.database)
    assert ran.code == 1
    assert "constraint public.users.c: it is not validated" in ran.err
    assert "the schemas auth" in ran.err


def test_what_is_pending_is_no_drift(shop: Shop) -> None:
    assert shop.new("users", *SAID).code == 0
    shop.deploy()
    shop.models(
        MODELS.replace(
            "\n)\n", '\n    Column("mail", Text),\n)\nTable("new", meta, Column("id", Integer, primary_key=True))\n'
        )
    )
    assert shop.new("mail", *SAID).code == 0
    ran = shop.drift("--target", shop.database)
    assert ran.code == 0, ran.all
    assert "pending, and no drift: 0001_mail" in ran.out
    shop.do("ALTER TABLE users DROP COLUMN name")
    assert shop.told()["models-database"] == ["column public.users.name: in the models, not in the database."]
    shop.do("ALTER TABLE users ADD COLUMN name text NOT NULL")  # stands elsewhere now
    assert not any(shop.told().values())


def test_drift_without_history_and_by_an_ordinary_role(shop: Shop) -> None:
    assert shop.new("users", *SAID).code == 0
    file = shop.git.folder / "db" / "0000_users.sql"
    shop.do(file.read_text())
    ran = shop.drift("--target", shop.database)
    assert ran.code == 0, ran.all
    assert "the database has no history of it" in " ".join(ran.err.split())
    url = password_url(shop.database, "geheim")
    role = url.split("//")[1].split(":")[0]
    shop.do(f'ALTER ROLE "{role}" NOSUPERUSER')
    ran = shop.drift("--target", url)
    assert ran.code == 0, ran.all


def test_what_another_schema_of_the_settings_made_is_no_drift(shop: Shop) -> None:
    shop.git.write("isthmus.toml", SETTINGS + SIDECAR)
    assert shop.new("users", *SAID, "--schema", "shop").code == 0
    shop.git.write("sidecar/0000_queue.sql", f"{HEADER}CREATE TABLE queue (id int REFERENCES users);\n")
    shop.deploy()
    assert not any(shop.told().values())
    ran = shop.new("x", "--schema", "shop")
    assert "Nothing differs" in ran.err
    shop.do("DROP TABLE queue")
    assert not any(shop.told("shop").values())
    ran = shop.drift("--target", shop.database, "sidecar")
    assert ran.code == 1
    assert "table public.queue: in the migrations, not in the database." in " ".join(ran.out.split())


def test_drift_of_nothing(shop: Shop) -> None:
    shop.git.write("isthmus.toml", SETTINGS.replace("models", "# models"))
    ran = shop.drift()
    assert ran.code == 2
    assert "(nothing-to-compare)" in ran.err
    assert shop.drift("nobody").code == 2


def test_what_somebody_else_makes_stays_theirs(shop: Shop) -> None:
    """`before.sql` has as little of it as the migrations need; the database has all, and the models nothing."""
    theirs = 'CREATE SCHEMA "Auth"; CREATE TABLE "Auth".users (id int PRIMARY KEY); CREATE TABLE people (id int);'
    shop.git.write("db/before.sql", theirs)
    assert shop.new("users", *SAID).code == 0
    shop.git.write("db/0001_x.sql", f"{HEADER}CREATE INDEX ON people (id); ALTER TABLE people ADD shop_id int;")
    ran = shop.new("nothing")
    assert (ran.code, ran.out) == (0, ""), ran.all
    assert "Nothing differs" in ran.err
    assert "column public.people.shop_id, index public.people.people_id_idx" in " ".join(ran.err.split())
    shop.do(*theirs.split(";")[:-1], 'ALTER TABLE "Auth".users ADD mail text', "ALTER TABLE people ADD n text NOT NULL")
    shop.do('CREATE TABLE "Auth".sessions (id int)')
    shop.deploy()
    assert not any(shop.told().values())
    shop.do("ALTER TABLE people DROP shop_id CASCADE")
    assert shop.told()["migrations-database"] == [
        "column public.people.shop_id: in the migrations, not in the database."
    ]


def test_alembic_says_nothing_of_what_somebody_else_makes(shop: Shop) -> None:
    shop.git.write(
        "db/before.sql", "CREATE TABLE people (id int PRIMARY KEY, name text); CREATE INDEX i ON people (name)"
    )
    shop.models(
        f'{MODELS}\nTable("people", meta, Column("id", Integer, primary_key=True, autoincrement=False))\n'
        'Table("posts", meta, Column("by", ForeignKey("people.id")))\n'
    )
    ran = shop.new("users", *SAID)
    assert ran.code == 0, ran.all
    assert "Alembic" not in ran.err


def test_drift_of_a_database_that_is_far_from_its_history(shop: Shop) -> None:
    """What it has applied cannot be made of the files: one relies on what the history has not."""
    shop.git.write("db/0000_a.sql", f"{HEADER}CREATE TABLE a (id int);")
    shop.git.write("db/0001_b.sql", f"{HEADER}CREATE VIEW b AS SELECT id FROM a;")
    shop.models(MODELS.replace('"users"', '"a"'))
    shop.deploy()
    shop.do("DELETE FROM isthmus.schema_history WHERE name = '0000_a'", "ALTER TABLE a ADD x int")
    ran = shop.drift("--target", shop.database)
    assert ran.code == 1, ran.all
    said = " ".join(ran.err.split())
    assert "1 migration does not fit its history: 0000_a (out-of-order)" in said
    assert 'cannot be made of the files that are here (The server refused 0001_b: relation "a" does not exist)' in said
    assert shop.told()["migrations-database"] == ["column public.a.x: in the database, not in the migrations."]


def test_drift_leaves_nothing_in_a_session_that_a_pooler_lends_to_others(shop: Shop) -> None:
    assert shop.new("users", *SAID).code == 0
    shop.deploy()
    with pooling(shop.database, per_transaction=True) as pooled:
        ran = shop.drift("--target", pooled)
        assert ran.code == 0, ran.all
        with psycopg.connect(pooled, autocommit=True, prepare_threshold=None) as connection:
            row = connection.execute(
                "SELECT current_setting('default_transaction_read_only'), count(*) FROM pg_prepared_statements"
            ).fetchone()
    assert row == ("off", 0)


@pytest.mark.slow  # forty tables, made in six databases
def test_models_of_a_real_size(shop: Shop, isthmus: RunCommand) -> None:
    mapping = Path(__file__).parents[3] / "apps" / "nextcrm" / "mapping.yaml"
    ran = isthmus("ddl", mapping, "--format", "sqlalchemy")
    assert ran.code == 0, ran.all
    shop.models(ran.out)
    shop.git.write("isthmus.toml", SETTINGS.replace("meta", "metadata"))
    ran = shop.new("all of it", *SAID)
    assert ran.code == 0, ran.all
    assert (shop.git.folder / "db" / "0000_all_of_it.sql").read_text().count("CREATE TABLE") == 29 + 10
    assert "Nothing differs" in shop.new("again").err
    shop.deploy()
    assert not any(shop.told().values())
