"""What the catalog says of tables and all that hangs on them, in the server's own words.

Blind spots: owners, privileges, comments, statistics, storage settings, the order of columns, and views.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

Kind = str
"""table, column, key (primary key), unique, foreign key, check, exclusion, constraint (of another kind), index,
trigger, rule, policy, enum, function."""


@dataclass(frozen=True)
class Definition:
    """One object of the target.

    Attributes:
        kind: What it is; see `Kind`.
        table: Its table; of an enum type or a function its own name.
        name: Its name; of a table the same as `table`.
        parts: What is said of it, by name of the part; the empty text where something is not there.
    """

    kind: Kind
    table: str
    name: str
    parts: dict[str, str]

    @property
    def place(self) -> tuple[Kind, str, str]:
        """What it is found by."""
        return self.kind, self.table, self.name

    def as_line(self) -> str:
        """Return it as a text that `from_line` reads again."""
        return json.dumps([*self.place, self.parts], ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_line(cls, line: str) -> Definition:
        """Read what `as_line` wrote.

        Raises:
            ValueError: It is no such text.
        """
        kind, table, name, parts = json.loads(line)
        return cls(str(kind), str(table), str(name), {str(part): str(said) for part, said in parts.items()})


Definitions = dict[tuple[Kind, str, str], Definition]

_TABLES = """
SELECT 'table' AS kind, c.relname::text AS "table", c.relname::text AS name, jsonb_build_object(
  'kind', CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
          WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' ELSE c.relkind::text END,
  'logged', CASE c.relpersistence WHEN 'u' THEN 'no' ELSE 'yes' END,
  'row security', CASE WHEN c.relforcerowsecurity THEN 'forced' WHEN c.relrowsecurity THEN 'on' ELSE 'off' END,
  'inherits', CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE c.oid IN (i.inhrelid, i.inhparent))
              THEN 'yes' ELSE 'no' END) AS parts
FROM pg_catalog.pg_class c WHERE c.oid = ANY(%(oids)s::oid[])
"""

_COLUMNS = """
SELECT 'column' AS kind, c.relname::text AS "table", a.attname::text AS name, jsonb_build_object(
  'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
  'null', CASE WHEN NOT a.attnotnull THEN 'nullable' WHEN EXISTS (SELECT FROM pg_catalog.pg_constraint k
      WHERE k.conrelid = a.attrelid AND k.contype = 'n' AND k.conkey = ARRAY[a.attnum] AND NOT k.convalidated)
    THEN 'not null, not validated' ELSE 'not null' END,
  'default', CASE WHEN a.attgenerated = '' THEN coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), '') ELSE '' END,
  'generated', CASE WHEN a.attgenerated <> '' THEN coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), '?')
               WHEN a.attidentity <> '' THEN 'identity' ELSE '' END,
  'collation', CASE WHEN a.attcollation <> t.typcollation THEN o.collname ELSE '' END) AS parts
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  LEFT JOIN pg_catalog.pg_collation o ON o.oid = a.attcollation
WHERE a.attrelid = ANY(%(oids)s::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
"""

# A constraint of NOT NULL (since PostgreSQL 18) is told with its column; one trigger that is off is enough for a
# foreign key that nothing enforces; `conenforced` is of PostgreSQL 18.
_CONSTRAINTS = """
SELECT CASE k.contype WHEN 'p' THEN 'key' WHEN 'u' THEN 'unique' WHEN 'f' THEN 'foreign key' WHEN 'c' THEN 'check'
       WHEN 'x' THEN 'exclusion' ELSE 'constraint' END AS kind,
  c.relname::text AS "table", k.conname::text AS name, jsonb_build_object(
  'definition', regexp_replace(pg_catalog.pg_get_constraintdef(k.oid), '( NOT ENFORCED)?( NOT VALID)?$', ''),
  'validated', CASE WHEN k.convalidated THEN 'yes' ELSE 'no' END,
  'enforced', CASE WHEN coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true) AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_trigger g WHERE g.tgconstraint = k.oid AND g.tgenabled NOT IN ('O', 'A'))
    THEN 'yes' ELSE 'no' END,
  'columns', (SELECT jsonb_agg(a.attname ORDER BY u.n) FROM unnest(k.conkey) WITH ORDINALITY AS u(attnum, n)
     JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum)::text,
  'target', coalesce(t.relname, ''),
  'target columns', coalesce((SELECT jsonb_agg(a.attname ORDER BY u.n)
     FROM unnest(k.confkey) WITH ORDINALITY AS u(attnum, n)
     JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.attnum)::text, ''),
  'on delete', CASE k.confdeltype WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' WHEN 'd' THEN 'set default'
     WHEN 'r' THEN 'restrict' ELSE '' END,
  'on update', CASE k.confupdtype WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' WHEN 'd' THEN 'set default'
     WHEN 'r' THEN 'restrict' ELSE '' END,
  'index valid', CASE WHEN coalesce(i.indisvalid AND i.indisready AND i.indislive, true) THEN 'yes' ELSE 'no' END)
  AS parts
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  LEFT JOIN pg_catalog.pg_class t ON t.oid = k.confrelid
  LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = k.conindid AND k.contype <> 'f'
WHERE k.conrelid = ANY(%(oids)s::oid[]) AND k.contype NOT IN ('n', 't')
"""

# The index of a constraint is told with the constraint.
_INDEXES = """
SELECT 'index' AS kind, t.relname::text AS "table", c.relname::text AS name, jsonb_build_object(
  'definition', pg_catalog.pg_get_indexdef(i.indexrelid),
  'valid', CASE WHEN i.indisvalid AND i.indisready AND i.indislive THEN 'yes' ELSE 'no' END,
  'unique', CASE WHEN i.indisunique THEN 'yes' ELSE 'no' END,
  'method', m.amname::text,
  'columns', (SELECT jsonb_agg(coalesce(a.attname::text, '(expression)') ORDER BY u.n)
     FROM unnest(i.indkey) WITH ORDINALITY AS u(attnum, n)
     LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.attnum AND u.attnum <> 0)::text,
  'partial', CASE WHEN i.indpred IS NULL THEN 'no' ELSE 'yes' END) AS parts
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_class t ON t.oid = i.indrelid JOIN pg_catalog.pg_am m ON m.oid = c.relam
WHERE i.indrelid = ANY(%(oids)s::oid[])
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
                  WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
"""

_OTHERS = """
SELECT 'trigger' AS kind, c.relname::text AS "table", g.tgname::text AS name,
  jsonb_build_object('definition', pg_catalog.pg_get_triggerdef(g.oid),
                     'enabled', CASE g.tgenabled WHEN 'D' THEN 'no' ELSE 'yes' END) AS parts
FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
WHERE g.tgrelid = ANY(%(oids)s::oid[]) AND NOT g.tgisinternal
UNION ALL
SELECT 'rule', c.relname::text, w.rulename::text, jsonb_build_object('definition', pg_catalog.pg_get_ruledef(w.oid))
FROM pg_catalog.pg_rewrite w JOIN pg_catalog.pg_class c ON c.oid = w.ev_class
WHERE w.ev_class = ANY(%(oids)s::oid[]) AND w.rulename <> '_RETURN'
UNION ALL
SELECT 'policy', c.relname::text, p.polname::text, jsonb_build_object('command', p.polcmd::text)
FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid WHERE p.polrelid = ANY(%(oids)s::oid[])
"""

_ENUMS = """
SELECT 'enum' AS kind, t.typname::text AS "table", t.typname::text AS name, jsonb_build_object('labels',
  (SELECT jsonb_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid)::text)
  AS parts
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname = %(schema)s AND t.typname = ANY(%(enums)s) AND t.typtype = 'e'
"""

_FUNCTIONS = """
SELECT 'function' AS kind, p.proname::text AS "table", p.proname::text AS name,
  jsonb_build_object('definition', pg_catalog.pg_get_functiondef(p.oid)) AS parts
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = %(schema)s AND p.proname = ANY(%(functions)s) AND p.prokind = 'f'
"""


def read_definitions(
    connection: psycopg.Connection[Any],
    schema: str,
    tables: Iterable[str],
    enums: Iterable[str] = (),
    functions: Iterable[str] = (),
    path: str = "",
) -> Definitions:
    """Read what a schema has under some names, as it is now.

    Args:
        connection: In a transaction.
        schema: The schema; `pg_temp` for the session's own.
        tables: Names of relations; what is not there is absent.
        enums: Names of enum types.
        functions: Names of functions.
        path: The `search_path`: what is found in it is written without its schema.
    """
    found: Definitions = {}
    with connection.transaction(force_rollback=True), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("SELECT set_config('search_path', %s, true)", (path,))
        if schema == "pg_temp":
            row = cursor.execute(
                "SELECT nspname FROM pg_catalog.pg_namespace WHERE oid = pg_catalog.pg_my_temp_schema()"
            ).fetchone()
            schema = str(row["nspname"]) if row else schema
        oids = cursor.execute(
            "SELECT coalesce(array_agg(c.oid::bigint), '{}') AS oids FROM pg_catalog.pg_class c"
            " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
            {"schema": schema, "names": list(tables)},
        ).fetchone()
        given = {
            "oids": oids["oids"] if oids else [],
            "schema": schema,
            "enums": list(enums),
            "functions": list(functions),
        }
        for query in (_TABLES, _COLUMNS, _CONSTRAINTS, _INDEXES, _OTHERS, _ENUMS, _FUNCTIONS):
            for row in cursor.execute(query.encode(), given):
                parts = {part: said or "" for part, said in row["parts"].items()}
                one = Definition(row["kind"], row["table"], row["name"], parts)
                found[one.place] = one
    return found
