"""What the catalog says of tables that are there: columns, keys, checks, triggers, policies, owners. Reads only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import psycopg
from psycopg.rows import dict_row

_HEADER = 4  # what a length or precision is stored with (PostgreSQL: VARHDRSZ)


@dataclass(frozen=True)
class ThereColumn:
    """A column of a table that is there.

    Attributes:
        type: As SQL writes it, with its modifiers, qualified where it is not a built-in one.
        base: Name of the type, of a domain that of what it is over; of an array that of its element.
        modifier: The type modifier as the catalog has it; -1 for none.
        array: Whether it is an array.
        labels: Of an enum in their order; None for other types.
        enum: Qualified name of the enum type; None for other types.
        domain: Whether the type is a domain.
        of_domain: Whether it is an array whose elements are of a domain.
        not_null: Whether NULL is refused.
        filled: Whether it gets a value when none is given: a default, an identity, a generated value.
        generated: Whether it is computed and takes no values.
        always: Whether it is an identity column that takes values only when told to.
        folds: Whether values that differ may be equal there: citext, or a collation that is not deterministic.
        collation: Qualified name of such a collation, quoted; None for others.
    """

    name: str
    type: str
    base: str
    modifier: int
    array: bool
    labels: tuple[str, ...] | None
    enum: str | None
    domain: bool
    of_domain: bool
    not_null: bool
    filled: bool
    generated: bool
    always: bool
    folds: bool
    collation: str | None

    @property
    def length(self) -> int | None:
        """Characters of varchar(n) and char(n); None without limit."""
        return self.modifier - _HEADER if self.modifier >= _HEADER else None

    @property
    def precision(self) -> int | None:
        """Digits of numeric(p,s), or fraction digits of seconds; None when unconstrained."""
        if self.base == "numeric":
            return (self.modifier - _HEADER) >> 16 if self.modifier >= _HEADER else None
        return self.modifier if self.modifier >= 0 else None

    @property
    def scale(self) -> int:
        """Digits behind the point of numeric(p,s); may be below zero (PostgreSQL: numeric.c, 11 bits with a sign)."""
        return (((self.modifier - _HEADER) & 0x7FF) ^ 1024) - 1024


@dataclass(frozen=True)
class ThereUnique:
    """A primary key, unique constraint or unique index.

    Attributes:
        keys: Column names, or the SQL of an expression.
        expressions: Which of the keys are expressions, by number.
        where: Predicate of a partial one.
        reads: Columns that are read to tell which values it holds: of its keys and of its predicate.
        nulls_distinct: Whether NULLs do not collide.
        primary: Whether it is the primary key.
        deferrable: Whether it may be checked at the end of a transaction.
    """

    name: str
    keys: tuple[str, ...]
    expressions: tuple[int, ...]
    where: str | None
    reads: tuple[str, ...]
    nulls_distinct: bool
    primary: bool
    deferrable: bool


@dataclass(frozen=True)
class ThereCheck:
    """A CHECK constraint: its name, definition, and the columns it reads."""

    name: str
    definition: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class ThereKey:
    """A foreign key, seen from the table that has it.

    Attributes:
        target: Qualified name of the table it points at, as (schema, name).
        deferrable: Whether it may be checked at the end of a transaction.
    """

    name: str
    columns: tuple[str, ...]
    target: tuple[str, str]
    target_columns: tuple[str, ...]
    deferrable: bool


@dataclass(frozen=True)
class ThereTable:
    """A relation that is there.

    Attributes:
        oid: Its number in the catalog.
        kind: As pg_class.relkind has it: r, p, v, m, f …
        owner: Role that owns it.
        owned: Whether this role may change its definition.
        role: This role.
        guarded: Whether row-level security holds for this role.
        is_partition: Whether it is part of a partitioned table.
        heirs: Tables that inherit from it.
        triggers: Names of the triggers of its users that are switched on.
        insert_triggers: Of these, those that fire when rows are added.
        update_triggers: Of these, those that fire when rows are changed, and not when they are added.
        rules: Names of its rules.
        missing_rights: Of SELECT, INSERT, UPDATE and DELETE those this role has not.
        publications: Names of publications that carry its changes.
        pointed_at_by: Foreign keys of other tables that point at it, as (schema, table, what becomes of their rows when
            one of its rows is deleted: as pg_constraint.confdeltype has it).
        exclusions: Names of its EXCLUDE constraints.
    """

    schema: str
    name: str
    oid: int
    kind: str
    owner: str
    owned: bool
    role: str
    guarded: bool
    is_partition: bool
    heirs: tuple[str, ...]
    triggers: tuple[str, ...]
    insert_triggers: tuple[str, ...]
    update_triggers: tuple[str, ...]
    rules: tuple[str, ...]
    missing_rights: tuple[str, ...]
    publications: tuple[str, ...]
    exclusions: tuple[str, ...]
    columns: dict[str, ThereColumn]
    uniques: tuple[ThereUnique, ...]
    checks: tuple[ThereCheck, ...]
    keys: tuple[ThereKey, ...]
    pointed_at_by: tuple[tuple[str, str, str], ...]

    @property
    def label(self) -> str:
        """Its qualified name, for people."""
        return f"{self.schema}.{self.name}"

    def shape(self) -> list[str]:
        """Return lines that say what a copy depends on; equal for equal tables.

        Indexes that are not unique and foreign keys are left out: a load may set them aside. So are triggers, which
        somebody may switch off for it.
        """
        lines = [f"{self.label} is a relation of kind {self.kind}"]
        for column in self.columns.values():
            words = [f"{self.label}.{column.name} {column.type}"]
            words += ["not null"] if column.not_null else []
            words += ["generated"] if column.generated else []
            words += ["filled"] if column.filled else []
            lines.append(" ".join(words))
        for unique in self.uniques:
            where = f" where {unique.where}" if unique.where else ""
            lines.append(f"{self.label} unique ({', '.join(unique.keys)}){where}")
        lines += [f"{self.label} {check.definition}" for check in self.checks]
        return sorted(lines)


_TABLES = """
SELECT c.oid::bigint AS oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind,
       pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
       pg_catalog.pg_has_role(c.relowner, 'USAGE') AS owned, current_user::text AS role,
       c.relkind IN ('r', 'p') AND pg_catalog.row_security_active(c.oid) AS guarded,
       c.relispartition AS is_partition,
       ARRAY(SELECT i.inhrelid::regclass::text FROM pg_catalog.pg_inherits i
             WHERE i.inhparent = c.oid ORDER BY 1) AS heirs,
       ARRAY(SELECT t.tgname::text FROM pg_catalog.pg_trigger t
             WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D' ORDER BY 1) AS triggers,
       ARRAY(SELECT t.tgname::text FROM pg_catalog.pg_trigger t
             WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 4 <> 0 ORDER BY 1)
         AS insert_triggers,
       ARRAY(SELECT t.tgname::text FROM pg_catalog.pg_trigger t
             WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 20 = 16 ORDER BY 1)
         AS update_triggers,
       ARRAY(SELECT w.rulename::text FROM pg_catalog.pg_rewrite w
             WHERE w.ev_class = c.oid AND w.rulename <> '_RETURN' ORDER BY 1) AS rules,
       ARRAY(SELECT p.pubname::text FROM pg_catalog.pg_publication p
             WHERE p.puballtables OR EXISTS (SELECT FROM pg_catalog.pg_publication_rel r
                                            WHERE r.prpubid = p.oid AND r.prrelid = c.oid) ORDER BY 1) AS publications,
       ARRAY(SELECT k.conname::text FROM pg_catalog.pg_constraint k
             WHERE k.conrelid = c.oid AND k.contype = 'x' ORDER BY 1) AS exclusions,
       ARRAY(SELECT r FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS r
             WHERE NOT pg_catalog.has_table_privilege(c.oid, r)) AS missing_rights
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s) AND c.relkind NOT IN ('i', 'I', 'S', 't', 'c')
"""

_COLUMNS = """
SELECT a.attrelid::bigint AS oid, a.attname::text AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
       coalesce(e.typname, b.typname)::text AS base,
       CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END AS modifier,
       b.typcategory = 'A' AND b.typelem <> 0 AS is_array,
       CASE WHEN coalesce(e.typtype, b.typtype) = 'e' THEN
         ARRAY(SELECT l.enumlabel::text FROM pg_catalog.pg_enum l WHERE l.enumtypid = coalesce(e.oid, b.oid)
               ORDER BY l.enumsortorder) END AS labels,
       CASE WHEN coalesce(e.typtype, b.typtype) = 'e' THEN
         (SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE n.oid = coalesce(e.typnamespace, b.typnamespace))
         || '.' || coalesce(e.typname, b.typname) END AS enum,
       t.typtype = 'd' AS domain, coalesce(e.typtype = 'd', false) AS of_domain,
       a.attnotnull OR t.typnotnull AS not_null,
       a.atthasdef OR a.attidentity <> '' OR t.typdefault IS NOT NULL AS filled,
       a.attgenerated <> '' AS generated, a.attidentity = 'a' AS always,
       b.typname = 'citext' OR coalesce(NOT o.collisdeterministic, false) AS folds,
       CASE WHEN NOT o.collisdeterministic THEN (SELECT quote_ident(n.nspname) FROM pg_catalog.pg_namespace n
         WHERE n.oid = o.collnamespace) || '.' || quote_ident(o.collname) END AS collation
FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
  LEFT JOIN pg_catalog.pg_type e ON b.typcategory = 'A' AND e.oid = b.typelem
  LEFT JOIN pg_catalog.pg_collation o ON o.oid = a.attcollation
WHERE a.attrelid = ANY(%(oids)s::bigint[]) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum
"""

_UNIQUES = """
SELECT i.indrelid::bigint AS oid, c.relname::text AS name, i.indisprimary AS is_primary,
       NOT i.indnullsnotdistinct AS nulls_distinct, pg_catalog.pg_get_expr(i.indpred, i.indrelid) AS predicate,
       ARRAY(SELECT coalesce(a.attname::text, pg_catalog.pg_get_indexdef(i.indexrelid, k.n::integer, false))
             FROM unnest(i.indkey) WITH ORDINALITY AS k(attnum, n)
             LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum <> 0
             WHERE k.n <= i.indnkeyatts ORDER BY k.n) AS keys,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.indrelid
             AND (a.attnum = ANY(i.indkey[0:i.indnkeyatts - 1]) OR i.indpred IS NOT NULL AND EXISTS
               (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass
                AND d.objid = i.indexrelid AND d.objsubid = 0 AND d.refclassid = 'pg_catalog.pg_class'::regclass
                AND d.refobjid = i.indrelid AND d.refobjsubid = a.attnum)) ORDER BY a.attnum) AS reads,
       ARRAY(SELECT (k.n - 1)::integer FROM unnest(i.indkey) WITH ORDINALITY AS k(attnum, n)
             WHERE k.attnum = 0 AND k.n <= i.indnkeyatts ORDER BY 1) AS expressions,
       coalesce(k.condeferrable, false) AS is_deferrable
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u')
WHERE i.indrelid = ANY(%(oids)s::bigint[]) AND i.indisunique AND i.indisvalid ORDER BY 1, i.indisprimary DESC, 2
"""

_CHECKS = """
SELECT k.conrelid::bigint AS oid, k.conname::text AS name, pg_catalog.pg_get_constraintdef(k.oid) AS definition,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) AS n JOIN pg_catalog.pg_attribute a
             ON a.attrelid = k.conrelid AND a.attnum = n ORDER BY 1) AS columns
FROM pg_catalog.pg_constraint k WHERE k.conrelid = ANY(%(oids)s::bigint[]) AND k.contype = 'c' ORDER BY 1, 2
"""

_KEYS = """
SELECT k.conrelid::bigint AS oid, k.conname::text AS name, k.condeferrable AS is_deferrable,
       k.confdeltype::text AS on_delete,
       n.nspname::text AS schema, c.relname::text AS target, o.nspname::text AS own_schema,
       t.relname::text AS own_table, k.confrelid::bigint AS target_oid,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u(attnum, n) JOIN pg_catalog.pg_attribute a
             ON a.attrelid = k.conrelid AND a.attnum = u.attnum ORDER BY u.n) AS columns,
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u(attnum, n)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.attnum ORDER BY u.n)
         AS target_columns
FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid = k.confrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_class t ON t.oid = k.conrelid JOIN pg_catalog.pg_namespace o ON o.oid = t.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0
  AND (k.conrelid = ANY(%(oids)s::bigint[]) OR k.confrelid = ANY(%(oids)s::bigint[]))
ORDER BY 1, 2
"""


def read_tables(connection: psycopg.Connection, schema: str, names: Iterable[str]) -> dict[str, ThereTable]:
    """Read the relations of a schema that have some names, in one snapshot of the catalog.

    Returns:
        By name; those that are not there are absent.
    """
    found: dict[str, ThereTable] = {}
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        # so that expressions and types are written with their schemas
        cursor.execute("SELECT set_config('search_path', '', true)")
        tables = cursor.execute(_TABLES.encode(), {"schema": schema, "names": list(names)}).fetchall()
        oids = {"oids": [row["oid"] for row in tables]}
        columns = cursor.execute(_COLUMNS.encode(), oids).fetchall()
        uniques = cursor.execute(_UNIQUES.encode(), oids).fetchall()
        checks = cursor.execute(_CHECKS.encode(), oids).fetchall()
        keys = cursor.execute(_KEYS.encode(), oids).fetchall()
    for row in tables:
        oid = row["oid"]
        found[row["name"]] = ThereTable(
            schema=row["schema"],
            name=row["name"],
            oid=oid,
            kind=row["kind"],
            owner=row["owner"],
            owned=row["owned"],
            role=row["role"],
            guarded=row["guarded"],
            is_partition=row["is_partition"],
            heirs=tuple(row["heirs"]),
            triggers=tuple(row["triggers"]),
            insert_triggers=tuple(row["insert_triggers"]),
            update_triggers=tuple(row["update_triggers"]),
            rules=tuple(row["rules"]),
            missing_rights=tuple(row["missing_rights"]),
            publications=tuple(row["publications"]),
            exclusions=tuple(row["exclusions"]),
            columns={
                c["name"]: ThereColumn(
                    name=c["name"],
                    type=c["type"],
                    base=c["base"],
                    modifier=c["modifier"],
                    array=c["is_array"],
                    labels=None if c["labels"] is None else tuple(c["labels"]),
                    enum=c["enum"],
                    domain=c["domain"],
                    of_domain=c["of_domain"],
                    not_null=c["not_null"],
                    filled=c["filled"],
                    generated=c["generated"],
                    always=c["always"],
                    folds=c["folds"],
                    collation=c["collation"],
                )
                for c in columns
                if c["oid"] == oid
            },
            uniques=tuple(
                ThereUnique(
                    name=u["name"],
                    keys=tuple(u["keys"]),
                    expressions=tuple(u["expressions"]),
                    where=u["predicate"],
                    reads=tuple(u["reads"]),
                    nulls_distinct=u["nulls_distinct"],
                    primary=u["is_primary"],
                    deferrable=u["is_deferrable"],
                )
                for u in uniques
                if u["oid"] == oid
            ),
            checks=tuple(
                ThereCheck(c["name"], c["definition"], tuple(c["columns"])) for c in checks if c["oid"] == oid
            ),
            keys=tuple(
                ThereKey(
                    k["name"],
                    tuple(k["columns"]),
                    (k["schema"], k["target"]),
                    tuple(k["target_columns"]),
                    k["is_deferrable"],
                )
                for k in keys
                if k["oid"] == oid
            ),
            pointed_at_by=tuple(
                (k["own_schema"], k["own_table"], k["on_delete"])
                for k in keys
                if k["target_oid"] == oid and k["oid"] != oid
            ),
        )
    return found
