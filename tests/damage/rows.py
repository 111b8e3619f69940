"""Damage to rows, pairs and references."""

from __future__ import annotations

from tests.damage.case import ANY, Case, Named, both, counted, row_added, row_gone
from tests.damage.source import THINGS
from tests.damage.values import TABLE, TEXT, thing

COLUMNS = (
    *(TEXT, "vc", "si", "i", "bi", "re", "do", "nu", "n2", "bo", "da", "ts", "tz", "tz3", "u", "by", "j", "ta", "ua"),
    *("ia", "na", "das", "en", "ea", "pin", "secret"),
)
"""Of a thing, all that has a field of the mapping but its label."""


def person(name: str) -> str:
    """Return the question for the id of a person."""
    return f"SELECT id::text FROM people WHERE name = '{name}'"


def order(number: int, *positions: int) -> str:
    """Return the question for the key of an order, or of a row below it."""
    return f"SELECT concat_ws('/', id, {', '.join(map(str, [*positions, 'NULL']))}) FROM orders WHERE number = {number}"


def team(slug: str) -> str:
    """Return the question for the id of a team."""
    return f"SELECT id::text FROM teams WHERE slug = '{slug}'"


def pair(name: str, title: str) -> str:
    """Return the question for the key of a pair."""
    return (
        f"SELECT concat_ws('/', p.id, r.id) FROM people p, products r WHERE p.name = '{name}' AND r.title = '{title}'"
    )


def booked(table: str, path: str) -> Named:
    """Name references of which there are more or fewer than the books say."""
    return Named("references", table, None, path)


_OTHER = "00000000-0000-8000-8000-00000000000"
_CHILD = "SELECT id::text FROM orders WHERE number = "
_ABOUT = "about_person_id|about_team_id"


def _point(name: str, table: str, row: str, column: str, statement: str, ask: str, *also: Named) -> Case:
    return Case(name, (*both(table, row, column), *also), (statement,), (ask,), alone=False)


DELETED = [
    Case(
        "root row deleted",
        (*row_gone(THINGS, thing("second")), *counted(THINGS, "label", *COLUMNS)),
        (f"DELETE FROM {TABLE} WHERE label = 'second'",),
    ),
    Case(
        "root row deleted that refers to others",
        (
            *row_gone("people", person("hal")),
            booked("people", _ABOUT),
            booked("people", "team_id"),
        ),
        ("DELETE FROM people WHERE name = 'hal'",),
    ),
    Case(
        "root row deleted whose array holds an orphan",
        (
            *row_gone("people", person("ann")),
            *(Named("references", "people", person(name), "boss_id") for name in ("cid", "fay")),
            Named("references", "people", person("hal"), "about_person_id"),
            # her row is why the other document of this name is a dead letter
            Named("samples", "people", "000000000000000000000014", "(dead letters)"),
        ),
        ("DELETE FROM people WHERE name = 'ann'",),
        may=(
            Named("references", ANY, ANY, ANY),
            *both("people", person("hal"), "about_person_id"),
            *both("people", person("gus"), "friend_ids"),
        ),
    ),
    Case(
        "root row deleted that others point at",
        (
            *row_gone("teams", team("red")),
            *(Named("references", "people", person(name), "team_id") for name in ("ann", "hal")),
        ),
        ("DELETE FROM teams WHERE slug = 'red'",),
        may=(
            Named("types", "teams", None, ANY),
            *both("people", person("ann"), "team_id"),
            *both("people", person("hal"), "team_id"),
        ),
    ),
    Case(
        "root row deleted with its children",
        (
            *row_gone("orders", order(5)),
            *both("order_lines", order(5, 0)),
            *both("order_lines", order(5, 1)),
            *both("line_parts", order(5, 1, 0)),
            *both("line_parts", order(5, 1, 1)),
            Named("counts", "order_lines", None, "(rows)"),
            Named("counts", "line_parts", None, "(rows)"),
            booked("orders", "user_id"),
        ),
        (
            "DELETE FROM line_parts WHERE order_lines_id = (SELECT id FROM orders WHERE number = 5)",
            "DELETE FROM order_lines WHERE orders_id = (SELECT id FROM orders WHERE number = 5)",
            "DELETE FROM orders WHERE number = 5",
        ),
    ),
    Case(
        "first child row deleted",
        (*row_gone("order_lines", order(5, 0)), Named("rules", "order_lines", order(5), "position")),
        (f"DELETE FROM order_lines WHERE orders_id = ({_CHILD} 5)::uuid AND position = 0",),
    ),
    Case(
        "last child row deleted",
        (*row_gone("order_lines", order(4, 2)), booked("order_lines", "by_id")),
        (f"DELETE FROM order_lines WHERE orders_id = ({_CHILD} 4)::uuid AND position = 2",),
    ),
    Case(
        "child row deleted that has children",
        (
            *row_gone("order_lines", order(5, 1)),
            Named("references", "line_parts", order(5, 1, 0), "order_lines_id, order_lines_position"),
            Named("references", "line_parts", order(5, 1, 1), "order_lines_id, order_lines_position"),
        ),
        (f"DELETE FROM order_lines WHERE orders_id = ({_CHILD} 5)::uuid AND position = 1",),
    ),
    Case(
        "last row of a child's child deleted",
        row_gone("line_parts", order(4, 0, 1)),
        (f"DELETE FROM line_parts WHERE order_lines_id = ({_CHILD} 4)::uuid AND name = 'y'",),
    ),
    Case(
        "pair deleted that both sides name",
        row_gone("person_likes", pair("ann", "tea")),
        (
            (
                "DELETE FROM person_likes WHERE person_id = (SELECT id FROM people WHERE name = 'ann')"
                " AND product_id = (SELECT id FROM products WHERE title = 'tea')"
            ),
        ),
    ),
    Case(
        "pair deleted that one side names",
        row_gone("person_likes", pair("eve", "rice")),
        ("DELETE FROM person_likes WHERE person_id = (SELECT id FROM people WHERE name = 'eve')",),
    ),
    Case(
        "row with a key of two columns deleted",
        (*row_gone("rates", "de/2021"), *counted("rates", "country", "year", "rate")),
        ("DELETE FROM rates WHERE country = 'de' AND year = 2021",),
    ),
    Case(
        "row of a document with a composite _id deleted",
        (
            *row_gone("stays", "SELECT id::text FROM stays WHERE what = 'a number'"),
            *counted("stays", "what", "nights"),
        ),
        ("DELETE FROM stays WHERE what = 'a number'",),
    ),
    Case(
        "row with an empty text as its key deleted",
        (
            *row_gone("labels", ""),
            *counted("labels", "name"),
            Named("references", "orders", order(6), "label_id"),
        ),
        ("DELETE FROM labels WHERE id = ''",),
        may=both("orders", order(6), "label_id"),
    ),
    Case(
        "row of a table without key deleted",
        (
            Named("counts", "log", None, "(rows)"),
            Named("checksum", "log", "line 1/0/NULL", "(row)"),
            Named("samples", "log", ANY, "(row)"),
            *counted("log", "line", "level"),
        ),
        ("DELETE FROM log WHERE ctid = (SELECT min(ctid) FROM log WHERE line = 'line 1')",),
    ),
    Case(
        "table emptied",
        (
            Named("counts", "countries", None, "(rows)"),
            *(name for code in ("de", "fr", "at") for name in both("countries", code)),
            *counted("countries", "code", "name"),
            Named("references", "orders", order(1), "country_code"),
            Named("references", "orders", order(6), "country_code"),
        ),
        ("DELETE FROM countries",),
        may=(*both("orders", order(1), "country_code"), *both("orders", order(6), "country_code")),
    ),
    Case(
        "junction emptied",
        (
            Named("counts", "client_accounts", None, "(rows)"),
            *(
                name
                for client, number in (("one", "A1"), ("one", "C3"), ("two", "B2"))
                for name in both(
                    "client_accounts",
                    f"SELECT concat_ws('/', c.id, a.id) FROM clients c, accounts a WHERE c.name = '{client}'"
                    f" AND a.number = '{number}'",
                )
            ),
        ),
        ("DELETE FROM client_accounts",),
    ),
]

ADDED = [
    Case(
        "root row added",
        (*row_added(THINGS, f"{_OTHER}1"), *counted(THINGS, "label")),
        (f"INSERT INTO {TABLE} (id, label) VALUES ('{_OTHER}1', 'added')",),
    ),
    Case(
        "root row there twice under another id",
        (*row_added("teams", f"{_OTHER}2"), *counted("teams", "slug"), Named("rules", "teams", ANY, "slug")),
        ("DROP INDEX teams_slug_key", f"INSERT INTO teams (id, slug) VALUES ('{_OTHER}2', 'green')"),
        may=(Named("schema", "teams", None, "teams_slug_key"),),
    ),
    Case(
        "child row added at the end",
        (*row_added("order_lines", order(5, 2)), Named("samples", "order_lines", order(5, 2), "(row)")),
        (f"INSERT INTO order_lines (orders_id, position, sku) VALUES (({_CHILD} 5)::uuid, 2, 'f')",),
    ),
    Case(
        "child row added below a row that had none",
        (*row_added("line_parts", order(5, 0, 0)), Named("samples", "line_parts", order(5, 0, 0), "(row)")),
        (f"INSERT INTO line_parts VALUES (({_CHILD} 5)::uuid, 0, 0, 'new')",),
    ),
    Case(
        "child row added behind a gap",
        (
            *row_added("order_lines", order(5, 3)),
            Named("samples", "order_lines", order(5, 3), "(row)"),
            Named("rules", "order_lines", order(5), "position"),
        ),
        (f"INSERT INTO order_lines (orders_id, position, sku) VALUES (({_CHILD} 5)::uuid, 3, 'f')",),
    ),
    Case(
        "child row added to a row that is not there",
        (*row_added("order_lines", f"{_OTHER}3/0"), Named("references", "order_lines", f"{_OTHER}3/0", "orders_id")),
        (f"INSERT INTO order_lines (orders_id, position, sku) VALUES ('{_OTHER}3', 0, 'f')",),
    ),
    Case(
        "pair added",
        row_added("person_likes", pair("bob", "tea")),
        (
            (
                "INSERT INTO person_likes SELECT p.id, r.id FROM people p, products r"
                " WHERE p.name = 'bob' AND r.title = 'tea'"
            ),
        ),
    ),
    Case(
        "pair there twice",
        (
            Named("checksum", "person_likes", pair("dan", "rice"), "(row)"),
            Named("counts", "person_likes", None, "(rows)"),
            Named("references", "person_likes", pair("dan", "rice"), "person_id, product_id"),
            Named("schema", "person_likes", None, "person_likes_pkey"),
        ),
        (
            "ALTER TABLE person_likes DROP CONSTRAINT person_likes_pkey",
            (
                "INSERT INTO person_likes SELECT p.id, r.id FROM people p, products r"
                " WHERE p.name = 'dan' AND r.title = 'rice'"
            ),
        ),
    ),
    Case(
        "pair moved to another product",
        (
            *both("person_likes", pair("eve", "rice")),
            Named("checksum", "person_likes", pair("eve", "milk"), "(row)"),
        ),
        (
            (
                "UPDATE person_likes SET product_id = (SELECT id FROM products WHERE title = 'milk')"
                " WHERE person_id = (SELECT id FROM people WHERE name = 'eve')"
            ),
        ),
    ),
    Case(
        "pair of joined documents moved to another account",
        (
            *both(
                "client_accounts",
                "SELECT concat_ws('/', c.id, a.id) FROM clients c, accounts a WHERE c.name = 'two' AND a.number = 'B2'",
            ),
            Named(
                "checksum",
                "client_accounts",
                "SELECT concat_ws('/', c.id, a.id) FROM clients c, accounts a WHERE c.name = 'two' AND a.number = 'C3'",
                "(row)",
            ),
        ),
        (
            (
                "UPDATE client_accounts SET account_id = (SELECT id FROM accounts WHERE number = 'C3')"
                " WHERE client_id = (SELECT id FROM clients WHERE name = 'two')"
            ),
        ),
    ),
    Case(
        "rows of a table without key doubled",
        (
            Named("counts", "log", None, "(rows)"),
            *(Named("checksum", "log", f"line {n}/{n // 2}/NULL", "(row)") for n in range(4)),
            Named("samples", "log", ANY, "(row)"),
            *counted("log", "line", "level"),
        ),
        ("INSERT INTO log SELECT * FROM log",),
    ),
    Case(
        "row of a table without key changed",
        (
            Named("checksum", "log", "line 3/1/NULL", "(row)"),
            Named("checksum", "log", "line 3/0/NULL", "(row)"),
            Named("samples", "log", ANY, "(row)"),
        ),
        ("UPDATE log SET level = 0 WHERE ctid = (SELECT max(ctid) FROM log)",),
        may=(Named("checksum", "log", ANY, "level"),),
    ),
]

SWAPPED = [
    Case(
        "values of two rows swapped",
        (*both(THINGS, thing("first"), "i"), *both(THINGS, thing("third"), "i")),
        (
            (
                f"UPDATE {TABLE} SET i = CASE label WHEN 'first' THEN 210003 ELSE 70001 END"
                " WHERE label IN ('first', 'third')"
            ),
        ),
        alone=False,
    ),
    Case(
        "ids of two rows swapped",
        (
            *both("teams", team("red"), "slug", "name"),
            *both("teams", team("green"), "slug", "name"),
        ),
        (
            "ALTER TABLE teams DROP CONSTRAINT teams_pkey CASCADE",
            (
                "UPDATE teams SET id = CASE slug WHEN 'red' THEN '{1}'::uuid ELSE '{0}'::uuid END"
                " WHERE slug IN ('red', 'green')"
            ),
        ),
        (team("red"), team("green")),
        may=(
            Named("schema", ANY, None, ANY),
            *both("people", person("ann"), "team_id"),
            *both("people", person("hal"), "team_id"),
        ),
    ),
    Case(
        "keys of two rows swapped",
        (*(name for key in ("de", "fr") for name in both("countries", key, "name")),),
        (
            (
                "UPDATE countries SET name = CASE code WHEN 'de' THEN 'France' ELSE 'Germany' END"
                " WHERE code IN ('de', 'fr')"
            ),
        ),
        alone=False,
    ),
    Case(
        "positions of two children swapped",
        (
            *both("order_lines", order(4, 0), "sku", "count", "by_id", "when", "extras"),
            *both("order_lines", order(4, 2), "sku", "count", "by_id", "when", "extras"),
        ),
        (
            "ALTER TABLE order_lines DROP CONSTRAINT order_lines_pkey CASCADE",
            f"UPDATE order_lines SET position = 2 - position WHERE orders_id = ({_CHILD} 4)::uuid",
        ),
        may=(Named("schema", ANY, None, ANY),),
    ),
    Case(
        "children of two rows swapped",
        (
            *both("order_lines", order(4, 0), "sku", "count", "by_id", "when"),
            *both("order_lines", order(5, 0), "sku", "count", "by_id", "when"),
        ),
        (
            "ALTER TABLE order_lines DROP CONSTRAINT order_lines_pkey CASCADE",
            (
                "UPDATE order_lines SET orders_id = CASE orders_id WHEN '{0}' THEN '{1}'::uuid ELSE '{0}'::uuid END"
                " WHERE position = 0 AND orders_id IN ('{0}', '{1}')"
            ),
        ),
        (order(4), order(5)),
        may=(Named("schema", ANY, None, ANY),),
    ),
]

_JOINED = "SELECT id::text FROM accounts WHERE number = "
POINTED = [
    _point(
        "reference pointed at another row",
        "people",
        person("fay"),
        "boss_id",
        "UPDATE people SET boss_id = '{0}' WHERE name = 'fay'",
        person("dan"),
    ),
    _point(
        "reference pointed at the row itself",
        "people",
        person("cid"),
        "boss_id",
        "UPDATE people SET boss_id = '{0}' WHERE name = 'cid'",
        person("cid"),
    ),
    _point(
        "looked-up reference pointed at another row",
        "people",
        person("hal"),
        "team_id",
        "UPDATE people SET team_id = '{0}' WHERE name = 'hal'",
        team("blue"),
    ),
    _point(
        "reference by a natural key pointed at another row",
        "orders",
        order(1),
        "country_code",
        "UPDATE orders SET country_code = '{0}' WHERE number = 1",
        "SELECT 'at'",
    ),
    _point(
        "reference to a kept text id pointed at another row",
        "orders",
        order(1),
        "label_id",
        "UPDATE orders SET label_id = '{0}' WHERE number = 1",
        "SELECT ''",
    ),
    _point(
        "reference to a document with a composite _id pointed at the one with the keys the other way round",
        "orders",
        order(1),
        "stay_id",
        "UPDATE orders SET stay_id = '{0}' WHERE number = 1",
        "SELECT id::text FROM stays WHERE what = 'the keys the other way round'",
    ),
    _point(
        "required reference pointed at another row",
        "orders",
        order(2),
        "user_id",
        "UPDATE orders SET user_id = '{0}' WHERE number = 2",
        person("hal"),
    ),
    _point(
        "reference of a child row pointed at another row",
        "order_lines",
        order(4, 0),
        "by_id",
        f"UPDATE order_lines SET by_id = '{{0}}' WHERE orders_id = ({_CHILD} 4)::uuid AND position = 0",
        person("hal"),
    ),
    _point(
        "id inside jsonb pointed at another row",
        "people",
        person("gus"),
        "reviewers",
        """UPDATE people SET reviewers = '[{"user": "{0}"}]' WHERE name = 'gus'""",
        person("cid"),
    ),
    _point(
        "element of an array of references pointed at another row",
        "people",
        person("gus"),
        "friend_ids",
        "UPDATE people SET friend_ids[2] = '{0}' WHERE name = 'gus'",
        person("hal"),
    ),
    _point(
        "array of references reordered",
        "people",
        person("ann"),
        "friend_ids",
        "UPDATE people SET friend_ids = ARRAY[friend_ids[2], friend_ids[1]] WHERE name = 'ann'",
        "SELECT ''",
    ),
    _point(
        "routed reference pointed at another row",
        "people",
        person("hal"),
        "about_person_id",
        "UPDATE people SET about_person_id = '{0}' WHERE name = 'hal'",
        person("eve"),
    ),
    _point(
        "reference to a joined document pointed at another row",
        "clients",
        "SELECT id::text FROM clients WHERE name = 'one'",
        "account_id",
        "UPDATE clients SET account_id = '{0}' WHERE name = 'one'",
        f"{_JOINED}'C3'",
    ),
    _point(
        "value of a joined row changed",
        "accounts",
        f"{_JOINED}'A1'",
        "title",
        "UPDATE accounts SET title = 'filled in ' WHERE number = 'A1'",
        "SELECT ''",
    ),
    _point(
        "child of a joined row changed",
        "account_entries",
        "SELECT concat_ws('/', id, 2) FROM accounts WHERE number = 'A1'",
        "amount",
        f"UPDATE account_entries SET amount = 4 WHERE accounts_id = ({_JOINED}'A1')::uuid AND position = 2",
        "SELECT ''",
    ),
    _point(
        "constant of another source",
        "orders",
        order(6),
        "year",
        "UPDATE orders SET year = 2023 WHERE number = 6",
        "SELECT ''",
    ),
    _point(
        "replaced value as it was before",
        "orders",
        order(1),
        "size",
        "UPDATE orders SET size = 's' WHERE number = 1",
        "SELECT ''",
        Named("rules", "orders", order(1), "size"),
    ),
    _point(
        "normalised text as it was before",
        "people",
        person("bob"),
        "mail",
        "UPDATE people SET mail = 'bob@X.org' WHERE name = 'bob'",
        "SELECT ''",
        Named("rules", "people", person("bob"), "mail"),
    ),
    _point(
        "labels of flags in another order",
        "people",
        person("ann"),
        "kinds",
        "UPDATE people SET kinds = ARRAY['supplier', 'customer']::kind[] WHERE name = 'ann'",
        "SELECT ''",
        Named("rules", "people", person("ann"), "kinds"),
    ),
    _point(
        "default changed",
        "people",
        person("fay"),
        "since",
        "UPDATE people SET since = 2000 WHERE name = 'fay'",
        "SELECT ''",
    ),
    _point(
        "default of a child row changed",
        "order_lines",
        order(4, 1),
        "count",
        f"UPDATE order_lines SET count = 2 WHERE orders_id = ({_CHILD} 4)::uuid AND position = 1",
        "SELECT ''",
    ),
    _point(
        "extras of a child row taken away",
        "order_lines",
        order(4, 2),
        "extras",
        f"UPDATE order_lines SET extras = NULL WHERE orders_id = ({_CHILD} 4)::uuid AND position = 2",
        "SELECT ''",
    ),
    _point(
        "value of a child's child one unit in the last place off",
        "line_parts",
        order(4, 0, 1),
        "weight",
        f"UPDATE line_parts SET weight = 1.5000001 WHERE order_lines_id = ({_CHILD} 4)::uuid AND name = 'y'",
        "SELECT ''",
    ),
    _point(
        "sensitive text of a person",
        "people",
        person("ann"),
        "pin",
        "UPDATE people SET pin = 'pin-4799' WHERE name = 'ann'",
        "SELECT ''",
    ),
    Case(
        "reference taken away",
        (*both("people", person("fay"), "boss_id"), booked("people", "boss_id")),
        ("UPDATE people SET boss_id = NULL WHERE name = 'fay'",),
    ),
    Case(
        "reference pointed at nothing",
        (*both("people", person("fay"), "boss_id"), Named("references", "people", person("fay"), "boss_id")),
        (f"UPDATE people SET boss_id = '{_OTHER}4' WHERE name = 'fay'",),
    ),
    Case(
        "element of an array of references taken away",
        (*both("people", person("gus"), "friend_ids"), booked("people", "friend_ids")),
        ("UPDATE people SET friend_ids = friend_ids[1:2] WHERE name = 'gus'",),
    ),
    Case(
        "empty array of references is NULL",
        both("people", person("eve"), "friend_ids"),
        ("UPDATE people SET friend_ids = NULL WHERE name = 'eve'",),
    ),
    Case(
        "routed reference moved to the other column",
        (
            *both("people", person("ann"), "about_person_id"),
            Named("references", "people", person("ann"), "about_team_id"),
        ),
        ("UPDATE people SET about_team_id = about_person_id, about_person_id = NULL WHERE name = 'ann'",),
        may=both("people", person("ann"), "about_team_id"),
    ),
    Case(
        "both columns of a route set",
        (
            *both("people", person("ann"), "about_team_id"),
            Named("references", "people", person("ann"), _ABOUT),
        ),
        ("UPDATE people SET about_team_id = '{0}' WHERE name = 'ann'",),
        (team("red"),),
        may=both("people", person("ann"), "about_person_id"),
    ),
    Case(
        "reference to a joined document as it was before the joining",
        (
            *both("clients", "SELECT id::text FROM clients WHERE name = 'two'", "account_id"),
            Named("references", "clients", "SELECT id::text FROM clients WHERE name = 'two'", "account_id"),
        ),
        ("UPDATE clients SET account_id = '{0}' WHERE name = 'two'",),
        (
            (
                "SELECT m.derived_id FROM isthmus.id_map m JOIN accounts a ON m.origin = 'merged' AND a.id::text = m.id"
                " WHERE a.number = 'B2'"
            ),
        ),
    ),
]

CASES: list[Case] = [*DELETED, *ADDED, *SWAPPED, *POINTED]
