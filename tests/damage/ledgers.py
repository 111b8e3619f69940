"""Damage to what Isthmus keeps of a copy: ledgers that no longer say what became of documents, and rows to match."""

from __future__ import annotations

import zlib

import bson

from tests.damage.case import ANY, Case, Named, became, both, counted, row_added, row_gone
from tests.damage.rows import booked, order, pair, person, team
from tests.damage.source import THINGS, database
from tests.damage.values import TABLE, thing

_COLLECTION = 'Things "ü" %'
_LETTER = "0000000000000000000003fc"  # of oid(1020)
_BOB = "UPDATE people SET boss_id = '{0}' WHERE name = 'bob'"
_ABOUT = "about_person_id|about_team_id"
_ACCOUNT = "SELECT id::text FROM accounts WHERE number = "
_MERGED = "SELECT m.derived_id FROM isthmus.id_map m WHERE m.origin = 'merged' AND m.id = "


_NOBODY = "00000000-0000-8000-8000-0000000000aa"


def _orphan(table: str, column: str, row: str) -> str:
    """Return SQL that enters an orphan of a row, of an id that nothing has."""
    number = 9000 + len(column)
    place = f"'id', {number}, 'table_name', '{table}', 'column_name', '{column}', 'row_id', '{row}'"
    return (
        "INSERT INTO isthmus.orphan OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(o,"
        f" jsonb_build_object({place}, 'target_id', '{_NOBODY}'))).* FROM isthmus.orphan o"
        " WHERE table_name = 'people' AND column_name = 'boss_id'"
    )


def _more(path: str, amount: int) -> str:
    """Return SQL that adds to a number of the run's books, at a path with a slash between its keys."""
    quoted = ",".join(f'"{key}"' for key in path.split("/"))
    return (
        f"UPDATE isthmus.run SET balance = jsonb_set(balance, '{{{quoted}}}',"
        f" to_jsonb(coalesce((balance #>> '{{{quoted}}}')::integer, 0) + {amount}))"
    )


def _letters(collection: str) -> Named:
    """Name a collection of which there are more or fewer dead letters than the books say."""
    return Named("counts", collection, None, "(dead letters)")


ORPHANS = [
    Case(
        "orphan filled that was set to NULL",
        (
            *both("people", person("bob"), "boss_id"),
            Named("references", "people", person("bob"), "boss_id"),
            booked("people", "boss_id"),
        ),
        (_BOB,),
        (person("ann"),),
    ),
    Case(
        "orphan of a child row filled that was set to NULL",
        (
            *both("order_lines", order(4, 1), "by_id"),
            Named("references", "order_lines", order(4, 1), "by_id"),
            booked("order_lines", "by_id"),
        ),
        ("UPDATE order_lines SET by_id = '{0}' WHERE sku = 'b'",),
        (person("ann"),),
    ),
    Case(
        "looked-up orphan filled that was set to NULL",
        (
            *both("people", person("bob"), "team_id"),
            Named("references", "people", person("bob"), "team_id"),
            booked("people", "team_id"),
        ),
        ("UPDATE people SET team_id = '{0}' WHERE name = 'bob'",),
        (team("red"),),
    ),
    Case(
        "routed orphan filled that was set to NULL",
        (
            *both("people", person("cid"), "about_person_id"),
            Named("references", "people", person("cid"), _ABOUT),
            booked("people", _ABOUT),
        ),
        ("UPDATE people SET about_person_id = '{0}' WHERE name = 'cid'",),
        (person("ann"),),
    ),
    Case(
        "element filled that was set to NULL",
        (
            *both("people", person("ann"), "mate_ids"),
            Named("references", "people", "SELECT id || '/1' FROM people WHERE name = 'ann'", "mate_ids"),
            booked("people", "mate_ids"),
        ),
        ("UPDATE people SET mate_ids[2] = '{0}' WHERE name = 'ann'",),
        (person("hal"),),
    ),
    Case(
        "element put in that was left out",
        (*both("people", person("ann"), "friend_ids"), booked("people", "friend_ids")),
        ("UPDATE people SET friend_ids = ARRAY[friend_ids[1], '{0}', friend_ids[2]] WHERE name = 'ann'",),
        (person("hal"),),
    ),
    Case(
        "pair put in that was left out",
        (
            *row_added(
                "person_likes",
                "SELECT p.id || '/' || o.target_id FROM people p, isthmus.orphan o"
                " WHERE p.name = 'cid' AND o.column_name = 'product_id'",
            ),
            Named(
                "references",
                "person_likes",
                "SELECT p.id || '/' || o.target_id FROM people p, isthmus.orphan o"
                " WHERE p.name = 'cid' AND o.column_name = 'product_id'",
                "product_id",
            ),
        ),
        (
            (
                "INSERT INTO person_likes SELECT row_id::uuid, target_id::uuid FROM isthmus.orphan"
                " WHERE column_name = 'product_id'"
            ),
        ),
    ),
    Case(
        "kept id inside jsonb taken away",
        (
            *both("people", person("dan"), "reviewers"),
            Named("references", "people", person("dan"), "reviewers.[].user"),
            booked("people", "reviewers.[].user"),
        ),
        ("UPDATE people SET reviewers = jsonb_set(reviewers, '{1,user}', 'null') WHERE name = 'dan'",),
    ),
    Case(
        "orphan deleted from the ledger",
        both("people", person("bob"), "boss_id"),
        ("DELETE FROM isthmus.orphan WHERE table_name = 'people' AND column_name = 'boss_id'",),
        may=(booked("people", "boss_id"),),
    ),
    Case(
        "orphan of a pair deleted from the ledger",
        both(
            "person_likes",
            "SELECT p.id || '/' || o.target_id FROM people p, isthmus.orphan o"
            " WHERE p.name = 'cid' AND o.column_name = 'product_id'",
        ),
        ("DELETE FROM isthmus.orphan WHERE column_name = 'product_id'",),
        may=(booked("person_likes", "product_id"),),
    ),
    Case(
        "orphan of an element deleted from the ledger",
        both("people", person("ann"), "friend_ids"),
        ("DELETE FROM isthmus.orphan WHERE column_name = 'friend_ids'",),
        may=(booked("people", "friend_ids"),),
    ),
    Case(
        "kept orphan deleted from the ledger",
        (Named("references", "people", person("dan"), "reviewers.[].user"),),
        ("DELETE FROM isthmus.orphan WHERE action = 'kept'",),
        may=both("people", person("dan"), "reviewers"),
    ),
    Case(
        "reference that leads to a row taken away, and an orphan forged",
        (*both("people", person("fay"), "boss_id"), booked("people", "boss_id")),
        (
            "UPDATE people SET boss_id = NULL WHERE name = 'fay'",
            (
                "INSERT INTO isthmus.orphan OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(o,"
                " jsonb_build_object('id', 9999, 'row_id', '{0}', 'target_id', '{1}'))).* FROM isthmus.orphan o"
                " WHERE table_name = 'people'"
                " AND column_name = 'boss_id'"
            ),
        ),
        (person("fay"), person("ann")),
        may=(Named("references", "people", ANY, "boss_id"),),
    ),
    Case(
        "reference that leads to a row taken away, an orphan of another id forged, and the books with it",
        both("people", person("fay"), "boss_id"),
        (
            "UPDATE people SET boss_id = NULL WHERE name = 'fay'",
            _orphan("people", "boss_id", "{0}"),
            _more("references/people.boss_id/resolved", -1),
            _more("references/people.boss_id/orphans", 1),
            _more("references/people.boss_id/actions/null", 1),
        ),
        (person("fay"),),
    ),
    Case(
        "orphan told of another id that is not there",
        both("people", person("bob"), "boss_id"),
        (f"UPDATE isthmus.orphan SET target_id = '{_NOBODY}' WHERE table_name = 'people' AND column_name = 'boss_id'",),
    ),
    Case(
        "orphan of a child row told of what is no id",
        both("order_lines", order(4, 1), "by_id"),
        ("UPDATE isthmus.orphan SET target_id = 'no id' WHERE table_name = 'order_lines' AND row_position = '{1}'",),
    ),
    Case(
        "looked-up orphan told of another value",
        (Named("checksum", "people", person("bob"), "team_id"),),
        ("UPDATE isthmus.orphan SET target_id = 'none' WHERE table_name = 'people' AND column_name = 'team_id'",),
    ),
    Case(
        "routed reference that leads to a row taken away, an orphan of another id forged, and the books with it",
        both("people", person("ann"), "about_person_id"),
        (
            "UPDATE people SET about_person_id = NULL WHERE name = 'ann'",
            _orphan("people", _ABOUT, "{0}"),
            _more(f"references/people.{_ABOUT}/resolved", -1),
            _more(f"references/people.{_ABOUT}/orphans", 1),
            _more(f"references/people.{_ABOUT}/actions/null", 1),
        ),
        (person("ann"),),
    ),
]

_FORGED = (
    "INSERT INTO isthmus.dead_letter OVERRIDING SYSTEM VALUE"
    " SELECT (jsonb_populate_record(d, jsonb_build_object('id', 9999))).* FROM isthmus.dead_letter d"
    " WHERE collection = 'papers'"
)
# A document, as a letter that nobody wrote.
_EXCUSED = (
    "INSERT INTO isthmus.dead_letter OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(d, jsonb_build_object("
    "'id', 9999, 'collection', 'stays', 'document', '\\x{0}', 'document_digest', '\\x{1}'))).*"
    " FROM isthmus.dead_letter d WHERE collection = 'papers'"
)
_NUMBER = '{"$numberInt":"5"}'


def _excuse(collection: str, number: int) -> tuple[str, str]:
    """Return queries for a document, and for the digest that the run has of it."""
    return (
        f"SELECT '{bson.encode(database()[collection][number]).hex()}'",
        (
            f"SELECT encode(substr(document_digests, 16 * {number} + 9, 8), 'hex') FROM isthmus.batch"
            f" WHERE collection = '{collection}'"
        ),
    )


def _forged(stage: str, code: str, column: str, collection: str = "stays") -> tuple[str, str]:
    """Return SQL that makes a document a dead letter of a stage, for a reason."""
    named = _EXCUSED.replace("'stays'", f"'{collection}'")
    cause = f'[{{"code": "{code}", "path": "", "message": "", "column": "{column}"}}]'.replace("'", "''")
    told = f"stage = '{stage}', code = '{code.replace(chr(39), chr(39) * 2)}', causes = '{cause}'"
    number = f"9{zlib.crc32((told + collection).encode())}"
    return named.replace("9999", number), f"UPDATE isthmus.dead_letter SET {told} WHERE id = {number}"


_EXCUSE = _excuse("stays", 3)
LETTERS = [
    Case(
        "dead letter deleted",
        (Named("counts", _COLLECTION, _LETTER, "(document)"), _letters(_COLLECTION)),
        ("DELETE FROM isthmus.dead_letter WHERE collection = '{0}' AND code = 'type'",),
        ("SELECT 'Things \"ü\" %'",),
    ),
    Case(
        "dead letter of a duplicate deleted",
        (
            Named("counts", "people", None, "(rows)"),
            Named("checksum", "people", ANY, "(row)"),
            _letters("people"),
            *became("people", "since"),
        ),
        ("DELETE FROM isthmus.dead_letter WHERE collection = 'people' AND code = 'duplicate-key'",),
        may=(Named("samples", "people", ANY, "(row)"),),
    ),
    Case(
        "dead letter of an orphan deleted",
        (
            Named("counts", "orders", None, "(rows)"),
            Named("checksum", "orders", ANY, "(row)"),
            _letters("Orders 2023"),
        ),
        ("DELETE FROM isthmus.dead_letter WHERE code = 'orphan'",),
        may=(Named("samples", "orders", ANY, "(row)"), Named("references", ANY, ANY, ANY)),
    ),
    Case(
        "all dead letters deleted",
        (
            *(Named("counts", _COLLECTION, f"0000000000000000000003f{n}", "(document)") for n in "cde"),
            Named("counts", "people", "000000000000000000000016", "(document)"),
            Named("counts", "Orders.2024", "0000000000000000000000cf", "(document)"),
            Named("counts", "papers", "0000000000000000000001f6", "(document)"),
            Named("counts", "people", None, "(rows)"),
            Named("counts", "orders", None, "(rows)"),
            Named("checksum", "people", ANY, "(row)"),
            Named("checksum", "orders", ANY, "(row)"),
            *map(_letters, [_COLLECTION, "people", "Orders 2023", "Orders.2024", "papers"]),
            *became("people", "since"),
        ),
        ("DELETE FROM isthmus.dead_letter",),
        may=(
            Named("samples", ANY, ANY, "(row)"),
            Named("references", ANY, ANY, ANY),
        ),
    ),
    Case(
        "dead letter that is no document of the source",
        (Named("counts", "papers", None, "(dead letters)"),),
        (_FORGED,),
    ),
    Case(
        "dead letter of a document that has a row",
        (
            *row_added("stays", "SELECT id::text FROM stays WHERE what = 'a number'"),
            *counted("stays", "what", "nights"),
            Named("counts", "stays", _NUMBER, "(dead letters)"),
        ),
        (_EXCUSED,),
        _EXCUSE,
        may=(Named("counts", "stays", None, ANY),),
    ),
    *(
        Case(
            f"row deleted, its document forged as a dead letter ({stage}, {code}, {column}), and the books with it",
            (Named(layer, "stays", _NUMBER, "(dead letters)"),),
            (
                *_forged(stage, code, column),
                "DELETE FROM stays WHERE what = 'a number'",
                _more("collections/stays/dead_letters", 1),
                _more("collections/stays/copied", -1),
            ),
            _EXCUSE,
        )
        for layer, stage, code, column in (
            ("counts", "convert", "type", ""),
            ("samples", "load", "target-refused", ""),
            ("samples", "load", "duplicate-key", "stays.what"),
            ("samples", "finish", "duplicate-key", "stays.what"),
            ("samples", "finish", "duplicate-key", "stays.nights"),
            ("samples", "finish", "duplicate-id", "stays.id"),
            ("samples", "finish", "orphan", "stays.what"),
            ("samples", "finish", "key-too-long", "stays.what"),
            ("samples", "finish", "joined-left", ""),
            ("samples", "finish", "somebody's own", ""),
        )
    ),
    Case(
        "row deleted, its document forged as a dead letter for a reference that leads to a row, and the books with it",
        (Named("samples", "Orders 2023", "0000000000000000000000c9", "(dead letters)"), *became("orders", "size")),
        (
            *_forged("finish", "orphan", "orders.user_id", "Orders 2023"),
            "DELETE FROM orders WHERE number = 1",
            _more("collections/Orders 2023/dead_letters", 1),
            _more("collections/Orders 2023/copied", -1),
        ),
        _excuse("Orders 2023", 0),
        may=(booked("orders", ANY),),
    ),
    Case(
        "row deleted, and its document forged as a dead letter",
        (Named("counts", "stays", None, ANY), Named("counts", "stays", _NUMBER, "(dead letters)")),
        (_EXCUSED, "DELETE FROM stays WHERE what = 'a number'"),
        _EXCUSE,
        may=(Named("types", "stays", None, ANY),),
    ),
    Case(
        "document of a dead letter changed by one bit",
        (Named("counts", "papers", None, "(dead letters)"),),
        (
            (
                "UPDATE isthmus.dead_letter SET document = set_bit(document, 400, 1 - get_bit(document, 400))"
                " WHERE collection = 'papers'"
            ),
        ),
        may=(Named("counts", "papers", ANY, ANY),),
    ),
    Case(
        "document of a dead letter made into a row by hand",
        (
            *row_added(THINGS, "00000000-0000-8000-8000-000000000009"),
            *counted(THINGS, "label"),
        ),
        (f"INSERT INTO {TABLE} (id, label) VALUES ('00000000-0000-8000-8000-000000000009', 'letter one')",),
    ),
    Case(
        "dead letter deleted and its document made into a row by hand",
        (
            Named("counts", _COLLECTION, _LETTER, "(document)"),
            _letters(_COLLECTION),
            *row_added(THINGS, "00000000-0000-8000-8000-000000000009"),
            *counted(THINGS, "label"),
        ),
        (
            f"INSERT INTO {TABLE} (id, label) VALUES ('00000000-0000-8000-8000-000000000009', 'letter one')",
            "DELETE FROM isthmus.dead_letter WHERE collection = '{0}' AND code = 'type'",
        ),
        ("SELECT 'Things \"ü\" %'",),
    ),
]

JOINED = [
    Case(
        "joining of documents deleted from the ledger",
        (
            Named("counts", "accounts", None, "(rows)"),
            # a document that no ledger says was joined must have a row of its own
            Named("checksum", "accounts", f"{_MERGED}({_ACCOUNT}'A1')", "(row)"),
            Named("checksum", "accounts", f"{_ACCOUNT}'A1'", "title"),
        ),
        ("DELETE FROM isthmus.id_map WHERE origin = 'merged' AND id = '{0}'",),
        (f"{_ACCOUNT}'A1'",),
        may=(
            Named("checksum", "account_entries", ANY, "(row)"),
            Named("samples", "accounts", ANY, ANY),
            Named("samples", "account_entries", ANY, "(row)"),
        ),
    ),
    Case(
        "joining of documents told of another row",
        (Named("checksum", "accounts", f"{_MERGED}({_ACCOUNT}'A1')", "(joined into)"),),
        ("UPDATE isthmus.id_map SET id = '{1}' WHERE origin = 'merged' AND id = '{0}'",),
        (f"{_ACCOUNT}'A1'", f"{_ACCOUNT}'C3'"),
        may=(Named("checksum", ANY, ANY, ANY), Named("samples", ANY, ANY, ANY)),
    ),
    Case(
        "what joined documents say otherwise deleted from the ledger",
        (Named("checksum", "accounts", f"{_MERGED}({_ACCOUNT}'B2')", "(conflict)"),),
        ("DELETE FROM isthmus.conflict",),
    ),
    Case(
        "what joined documents say otherwise told of another column",
        (Named("checksum", "accounts", f"{_MERGED}({_ACCOUNT}'B2')", "(conflict)"),),
        ("UPDATE isthmus.conflict SET differing = jsonb_build_object('holder_id', differing -> 'title')",),
    ),
    Case(
        "row that joined documents became deleted",
        (
            *row_gone("accounts", f"{_ACCOUNT}'B2'"),
            Named("references", "clients", "SELECT id::text FROM clients WHERE name = 'two'", "account_id"),
            Named(
                "references",
                "client_accounts",
                "SELECT c.id || '/' || a.id FROM clients c, accounts a WHERE c.name = 'two' AND a.number = 'B2'",
                "account_id",
            ),
        ),
        ("DELETE FROM accounts WHERE number = 'B2'",),
    ),
    Case(
        "row that joined documents became there twice",
        (*row_added("accounts", "00000000-0000-8000-8000-000000000008"),),
        (
            "DROP INDEX accounts_number_key",
            (
                "INSERT INTO accounts SELECT '00000000-0000-8000-8000-000000000008', number, title, holder_id, extras"
                " FROM accounts WHERE number = 'B2'"
            ),
        ),
        may=(Named("schema", "accounts", None, ANY), Named("rules", "accounts", ANY, "number")),
    ),
]

RUN = [
    Case(
        "run that is not complete",
        damage=("UPDATE isthmus.run SET stage = 'finishing'",),
        code=4,
        refused="not-complete",
    ),
    Case("ledgers gone", damage=("DROP SCHEMA isthmus CASCADE",), code=4, refused="no-run"),
    Case(
        "another id key",
        (
            Named("checksum", THINGS, thing("first"), "(row)"),
            Named("checksum", "people", person("ann"), "(row)"),
            Named("checksum", "people", person("bob"), "(row)"),
            Named("checksum", "order_lines", order(4, 0), "(row)"),
            Named("checksum", "person_likes", pair("ann", "milk"), "(row)"),
            Named("samples", THINGS, ANY, "(row)"),
        ),
        ("UPDATE isthmus.id_key SET key = set_bit(key, 0, 1 - get_bit(key, 0))",),
        may=tuple(Named(layer, ANY, ANY, ANY) for layer in ("checksum", "samples")),
    ),
    Case(
        "books of the run taken away",
        (
            Named("counts", "person_likes", None, "(rows)"),
            *became("people", "since"),
            *became("orders", "size"),
            *became("order_lines", "count"),
        ),
        ("UPDATE isthmus.run SET balance = NULL",),
        may=(Named("counts", ANY, None, ANY),),
    ),
    Case(
        "mapping of the run changed in the target, and a row with it",
        damage=(
            (
                "UPDATE isthmus.run SET mapping_text = replace(mapping_text, 'stays: {fields',"
                " 'stays: {skip: [{when: {what: a number}, why: forged}], fields')"
            ),
            "DELETE FROM stays WHERE what = 'a number'",
        ),
        code=4,
        refused="state-broken",
    ),
    Case(
        "mapping of the run made unreadable in the target",
        damage=("UPDATE isthmus.run SET mapping_text = 'no mapping'",),
        code=4,
        refused="state-broken",
    ),
    Case(
        "retry forged that another mapping is kept for",
        damage=(
            (
                "UPDATE isthmus.run SET retries = jsonb_build_array(jsonb_build_object('fingerprint', '00',"
                " 'mapping_text', mapping_text, 'version', '1', 'carried', '{}'::jsonb))"
            ),
        ),
        code=4,
        refused="state-broken",
    ),
    Case(
        "all changed values deleted from the ledger",
        (Named("counts", "people", None, "note"), Named("counts", "people", None, "mail")),
        ("DELETE FROM isthmus.adjustment",),
        may=(Named("counts", ANY, None, ANY),),
    ),
    Case(
        "changed value listed that is none",
        (Named("counts", "people", None, "name"),),
        (
            (
                "INSERT INTO isthmus.adjustment (run_id, collection, table_name, column_name, kind, original)"
                " VALUES (1, 'people', 'people', 'name', 'nul_removed', 'x')"
            ),
        ),
    ),
    Case(
        "unique index dropped, and forged as one that was left out",
        (Named("schema", "products", None, "products_title_key"),),
        (
            "DROP INDEX products_title_key",
            ("UPDATE isthmus.run SET balance = jsonb_set(balance, '{left_out_indexes}', '[\"products_title_key\"]')"),
        ),
    ),
    Case(
        "what the run read changed by one document",
        (Named("counts", "log", None, "(source)"),),
        ("UPDATE isthmus.batch SET documents = documents + 1 WHERE collection = 'log'",),
    ),
]

CASES: list[Case] = [*ORPHANS, *LETTERS, *JOINED, *RUN]
