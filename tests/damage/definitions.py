"""Damage to definitions; no row is touched."""

from __future__ import annotations

from tests.damage.case import ANY, Case, Named, Names
from tests.damage.source import THINGS
from tests.damage.values import TABLE


def _defined(name: str, table: str, path: str, *statements: str, alone: bool = False) -> Case:
    cannot = (Named("checksum", table, None, path),)  # a column of another type cannot be compared
    return Case(name, (Named("schema", table, None, path),), statements, may=cannot, alone=alone)


def _gone(table: str) -> Names:
    """Name what the other layers say when they cannot look at a table as it should be."""
    return (*(Named(layer, table, None, ANY) for layer in ("checksum", "rules")), Named(ANY, "", None, "(definitions)"))


_BOSS = "people_boss_id_fkey"
_HOLDER = "accounts_holder_id_fkey"
_LINES = "order_lines_orders_id_fkey"
_USER = "orders_user_id_fkey"
_STAY = "orders_stay_id_fkey"
_TEAM = "people_team_id_fkey"

CASES = [
    _defined("foreign key dropped", "people", _BOSS, f"ALTER TABLE people DROP CONSTRAINT {_BOSS}"),
    _defined(
        "foreign key left unvalidated",
        "accounts",
        _HOLDER,
        f"ALTER TABLE accounts DROP CONSTRAINT {_HOLDER}",
        f"ALTER TABLE accounts ADD CONSTRAINT {_HOLDER} FOREIGN KEY (holder_id) REFERENCES people NOT VALID",
    ),
    _defined(
        "foreign key with another ON DELETE",
        "order_lines",
        _LINES,
        f"ALTER TABLE order_lines DROP CONSTRAINT {_LINES}",
        f"ALTER TABLE order_lines ADD CONSTRAINT {_LINES} FOREIGN KEY (orders_id) REFERENCES orders",
    ),
    _defined(
        "foreign key that can wait for the end of a transaction",
        "orders",
        _STAY,
        f"ALTER TABLE orders ALTER CONSTRAINT {_STAY} DEFERRABLE INITIALLY DEFERRED",
    ),
    _defined(
        "foreign key at another table",
        "orders",
        _USER,
        f"ALTER TABLE orders DROP CONSTRAINT {_USER}",
        f"ALTER TABLE orders ADD CONSTRAINT {_USER} FOREIGN KEY (user_id) REFERENCES teams NOT VALID",
    ),
    _defined(
        "foreign key that nothing enforces",
        "people",
        _TEAM,
        f"ALTER TABLE people ALTER CONSTRAINT {_TEAM} NOT ENFORCED",
    ),
    Case(
        "triggers of foreign keys switched off, of those that lead away and of those that lead here",
        (
            Named("schema", "labels", None, "labels_owner_id_fkey"),
            Named("schema", "orders", None, "orders_label_id_fkey"),
        ),
        ("ALTER TABLE labels DISABLE TRIGGER ALL",),
        alone=False,
    ),
    _defined("primary key dropped", "rates", "rates_pkey", "ALTER TABLE rates DROP CONSTRAINT rates_pkey"),
    _defined(
        "primary key of other columns",
        "client_accounts",
        "client_accounts_pkey",
        "ALTER TABLE client_accounts DROP CONSTRAINT client_accounts_pkey",
        "ALTER TABLE client_accounts ADD CONSTRAINT client_accounts_pkey PRIMARY KEY (account_id, client_id)",
    ),
    _defined("unique index dropped", "products", "products_title_key", "DROP INDEX products_title_key"),
    _defined(
        "unique index that is not unique",
        "stays",
        "stays_what_key",
        "DROP INDEX stays_what_key",
        "CREATE INDEX stays_what_key ON stays (what)",
    ),
    _defined("index dropped", "people", "people_boss_id_idx", "DROP INDEX people_boss_id_idx"),
    _defined(
        "index of other columns",
        "people",
        "people_boss_id_name_idx",
        "DROP INDEX people_boss_id_name_idx",
        "CREATE INDEX people_boss_id_name_idx ON people (name, boss_id)",
    ),
    _defined(
        "index of the columns downwards",
        "person_likes",
        "person_likes_product_id_idx",
        "DROP INDEX person_likes_product_id_idx",
        "CREATE INDEX person_likes_product_id_idx ON person_likes (product_id DESC)",
    ),
    _defined(
        "index with another predicate",
        "people",
        "people_since_idx",
        "DROP INDEX people_since_idx",
        "CREATE INDEX people_since_idx ON people (since) WHERE since >= 2000",
    ),
    _defined(
        "unique index with a predicate",
        "clients",
        "clients_name_key",
        "DROP INDEX clients_name_key",
        "CREATE UNIQUE INDEX clients_name_key ON clients (name) WHERE name <> ''",
    ),
    _defined(
        "full-text index in another language",
        "people",
        "people_search_idx",
        "DROP INDEX people_search_idx",
        "CREATE INDEX people_search_idx ON people USING gin (to_tsvector('english', name))",
    ),
    _defined(
        "index that is not valid",
        "invoices",
        "invoices_number_key",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'invoices_number_key'::regclass",
    ),
    _defined("NOT NULL dropped", "teams", "slug", "ALTER TABLE teams ALTER slug DROP NOT NULL"),
    _defined("NOT NULL added", "countries", "name", "ALTER TABLE countries ALTER name SET NOT NULL"),
    _defined("default added", "teams", "name", "ALTER TABLE teams ALTER name SET DEFAULT 'x'"),
    _defined("varchar longer", THINGS, "vc", f"ALTER TABLE {TABLE} ALTER vc TYPE varchar(21)"),
    _defined("text for varchar", "people", "mail", "ALTER TABLE people ALTER mail TYPE text"),
    _defined("numeric with another precision", THINGS, "n2", f"ALTER TABLE {TABLE} ALTER n2 TYPE numeric(11,2)"),
    _defined("bigint for integer", THINGS, "i", f"ALTER TABLE {TABLE} ALTER i TYPE bigint"),
    _defined("timestamptz with other digits", THINGS, "tz3", f"ALTER TABLE {TABLE} ALTER tz3 TYPE timestamptz(6)"),
    _defined("text for an enum", THINGS, "en", f"ALTER TABLE {TABLE} ALTER en TYPE text"),
    _defined("json for jsonb", "labels", "extras", "ALTER TABLE labels ALTER extras TYPE json"),
    _defined("another collation", "notes", "kind", 'ALTER TABLE notes ALTER kind TYPE text COLLATE "C"'),
    _defined("column added", "log", "new", "ALTER TABLE log ADD new text"),
    _defined("enum label added", "kind", "kind", "ALTER TYPE kind ADD VALUE 'neither'"),
    _defined("CHECK constraint added", "rates", "added", "ALTER TABLE rates ADD CONSTRAINT added CHECK (year > 0)"),
    _defined("unique index added", "stays", "added_key", "CREATE UNIQUE INDEX added_key ON stays (nights)"),
    _defined(
        "trigger added",
        "line_parts",
        "added",
        "CREATE FUNCTION added() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE TRIGGER added BEFORE INSERT ON line_parts FOR EACH ROW EXECUTE FUNCTION added()",
    ),
    _defined("rule added", "log", "added", "CREATE RULE added AS ON DELETE TO log DO INSTEAD NOTHING"),
    _defined("row-level security", "invoices", "invoices", "ALTER TABLE invoices ENABLE ROW LEVEL SECURITY"),
    _defined("table that is not logged", "log", "log", "ALTER TABLE log SET UNLOGGED"),
    Case(
        "index added that is not unique",
        damage=("CREATE INDEX added_idx ON notes (kind)",),
        code=0,
        alone=False,
    ),
    Case(
        "enum label renamed",
        (Named("schema", "kind", None, "kind"),),
        ("ALTER TYPE kind RENAME VALUE 'customer' TO 'client'",),
        may=tuple(Named(layer, "people", ANY, "kinds") for layer in ("checksum", "samples", "rules")),
    ),
    Case(
        "column dropped",
        (Named("schema", "stays", None, "nights"),),
        ("ALTER TABLE stays DROP nights",),
        may=_gone("stays"),
    ),
    Case(
        "column renamed",
        (Named("schema", "stays", None, "nights"), Named("schema", "stays", None, "night")),
        ("ALTER TABLE stays RENAME nights TO night",),
        may=_gone("stays"),
    ),
    Case("table dropped", (Named("schema", "log", None, "log"),), ("DROP TABLE log",), may=_gone("log")),
    Case(
        "table renamed",
        (Named("schema", "notes", None, "notes"),),
        ("ALTER TABLE notes RENAME TO note",),
        may=_gone("notes"),
    ),
    Case(
        "view for a table",
        (Named("schema", "invoices", None, "invoices"),),
        ("ALTER TABLE invoices RENAME TO kept", "CREATE VIEW invoices AS SELECT * FROM kept"),
        may=(Named("schema", "invoices", None, ANY),),
    ),
]
