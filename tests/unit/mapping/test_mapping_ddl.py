"""The SQL runs on a real server and makes the catalog it says; PostgreSQL is the judge, hostile names the rule."""

from __future__ import annotations

from typing import Any, LiteralString

import psycopg
import pytest
import sqlalchemy
from psycopg import sql

from isthmus.mapping import ddl, parse_mapping
from isthmus.mapping.search import SEARCH_BYTES, SearchSql, search_query
from isthmus.mapping.tables import TargetSchema, build_schema

HOSTILE = r"""
isthmus: 1
target: {schema: "Sch\"e.ma 'ü"}
naming: keep
extensions: [vector, no_such_extension]
enums:
  "st\"a'te; --": [A, "b'", "c\\", "%s ü"]
collections:
  "Weird \"Table\" ü":
    fields:
      "a\"b": text!
      "UPPER case": {type: "st\"a'te; --", table_default: "c\\", index: true}
      "states": {type: "st\"a'te; --[]"}
      select: {type: "text[]", index: true}
      "100%": {type: jsonb, index: true}
      "x:y": {type: varchar(10), unique: true}
      "éééééééééééééééééééééééééééééé123": numeric(10,2)
      aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: {type: timestamptz(3), index: true}
      other: {references: other, on_delete: null, index: true}
      "kids[]":
        child: "Kids \"of\" us"
        fields:
          "n": {type: double}
          deep: {child: deep, fields: {v: bytea, when: timestamp(0)}, search: [extras]}
      friends: {junction: "Pairs; DROP"}
    indexes:
      - ["UPPER case", "a\"b"]
      - {columns: ["a\"b"], unique: true, where: "\"100%\" IS NOT NULL AND \"a\"\"b\" NOT LIKE 'x:y%%' -- comment"}
      - {columns: ["100%", select], method: gin, name: "my \"index\""}
    search: {columns: ["a\"b", select, "100%", "x:y"], language: english}
  other:
    ids: keep
    fields:
      _id: {column: "the key", type: bigint}
      back: {references: "Weird \"Table\" ü", on_delete: cascade}
      back2: {references: "Weird \"Table\" ü", on_delete: restrict}
      t: {type: text, table_default: "it's :x 100%"}
      w: {type: timestamp(3), table_default: now}
      n: {type: "numeric(5,2)", table_default: 1.50}
      f: {type: real, table_default: 0.1}
      i: {type: smallint, table_default: -5}
      d: date
      u: uuid
      b: {type: boolean, table_default: false}
junctions:
  "Pairs; DROP": {"a b": "Weird \"Table\" ü", select: other}
"""

CATALOG = {
    "columns": """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attnum,
               pg_get_expr(d.adbin, d.adrelid)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE n.nspname = %s AND c.relkind = 'r' AND a.attnum > 0 ORDER BY 1, 5""",
    "constraints": """
        SELECT c.conname, c.contype, pg_get_constraintdef(c.oid) FROM pg_constraint c
        JOIN pg_namespace n ON n.oid = c.connamespace WHERE n.nspname = %s AND c.contype <> 'n' ORDER BY 1, 3""",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = %s ORDER BY 1",
    "enums": """
        SELECT t.typname, e.enumlabel, e.enumsortorder FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid
        JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = %s ORDER BY 1, 3""",
}


def catalog(connection: psycopg.Connection, schema: str) -> dict[str, list[tuple[Any, ...]]]:
    return {name: connection.execute(query.encode(), (schema,)).fetchall() for name, query in CATALOG.items()}


def hostile_schema() -> TargetSchema:
    return build_schema(parse_mapping(HOSTILE))


def test_rendered_script_makes_the_catalog_it_names(database: str) -> None:
    schema = hostile_schema()
    with psycopg.connect(database) as connection:
        connection.execute(ddl.render(schema).encode())
        made = catalog(connection, schema.schema)
    columns = {(str(row[0]), str(row[1])): (row[2], row[3]) for row in made["columns"]}
    wanted = {(table.name, column.name): column for table in schema.tables.values() for column in table.columns}
    assert set(columns) == set(wanted)
    for place, column in wanted.items():
        assert columns[place][1] is not column.nullable, place
    names = {str(row[0]) for row in made["constraints"]}
    assert names == {t.primary_key_name for t in schema.tables.values()} | {
        key.name for t in schema.tables.values() for key in t.foreign_keys
    }
    indexes = {str(row[0]) for row in made["indexes"]}
    assert indexes == {t.primary_key_name for t in schema.tables.values()} | {
        index.name for t in schema.tables.values() for index in t.indexes
    }


def test_single_statements_make_the_same_as_the_script(database: str) -> None:
    """The order of a copy: tables, then keys, indexes, foreign keys not valid, then validated."""
    schema = hostile_schema()
    with psycopg.connect(database) as connection:
        with connection.transaction(force_rollback=True):
            connection.execute(ddl.render(schema).encode())
            script = catalog(connection, schema.schema)
        statements = ddl.create_all(schema)
        tables = schema.tables.values()
        statements += [ddl.add_primary_key(schema, table) for table in tables]
        statements += [ddl.create_index(schema, table, index) for table in tables for index in table.indexes]
        statements += [ddl.add_foreign_key(schema, key) for table in tables for key in table.foreign_keys]
        statements += [ddl.validate_foreign_key(schema, key) for table in tables for key in table.foreign_keys]
        for statement in statements:
            connection.execute(statement.encode())
        assert catalog(connection, schema.schema) == script


def test_what_is_repeatable_can_be_repeated(database: str) -> None:
    schema = hostile_schema()
    with psycopg.connect(database) as connection:
        for _ in range(2):
            connection.execute(ddl.create_schema_sql(schema).encode())
            for statement in [*ddl.create_extensions(schema), *ddl.create_functions(schema)]:
                connection.execute(statement.encode())


def test_types_of_columns_are_those_of_the_mapping(database: str) -> None:
    types = "text varchar(7) varchar smallint integer bigint real double numeric numeric(9,3) boolean date timestamp"
    types += " timestamp(1) timestamptz timestamptz(6) uuid bytea jsonb text[] numeric(9,3)[] uuid[]"
    fields = "\n".join(f"      f{n}: {text}" for n, text in enumerate(types.split()))
    schema = build_schema(parse_mapping(f"isthmus: 1\ncollections:\n  A:\n    fields:\n{fields}\n"))
    with psycopg.connect(database) as connection:
        connection.execute(ddl.render(schema).encode())
        found = [row[2] for row in catalog(connection, "public")["columns"]][1:-1]
    assert found == [
        "text",
        "character varying(7)",
        "character varying",
        "smallint",
        "integer",
        "bigint",
        "real",
        "double precision",
        "numeric",
        "numeric(9,3)",
        "boolean",
        "date",
        "timestamp without time zone",
        "timestamp(1) without time zone",
        "timestamp with time zone",
        "timestamp(6) with time zone",
        "uuid",
        "bytea",
        "jsonb",
        "text[]",
        "numeric(9,3)[]",
        "uuid[]",
    ]


SEARCH = """
isthmus: 1
collections:
  A:
    fields: {t: text, v: varchar(50), ts: "text[]", vs: "varchar(9)[]", j: jsonb}
    search: {columns: [t, v, ts, vs, j], language: english}
"""


def test_search_finds_words_of_every_column_through_its_index(database: str) -> None:
    schema = build_schema(parse_mapping(SEARCH))
    (index,) = schema.tables["a"].indexes
    with psycopg.connect(database) as connection:
        connection.execute(ddl.render(schema).encode())
        connection.execute(
            "INSERT INTO a VALUES"
            " (gen_random_uuid(), 'running dogs', 'cats', '{blue,birds}', '{red}', '{\"k\": \"green\"}'),"
            " (gen_random_uuid(), NULL, NULL, NULL, NULL, NULL)"
        )
        for word in ("run", "cat", "bird", "red", "green", '"running dogs" cats'):
            query = ddl.search_query_of(schema, index).replace("words to find", word)
            assert len(connection.execute(query.encode()).fetchall()) == 1, word
        query = ddl.search_query_of(schema, index)
        connection.execute("SET enable_seqscan = off")
        plan = "\n".join(str(row[0]) for row in connection.execute(f"EXPLAIN {query}".encode()))
    assert f"Bitmap Index Scan on {index.name}" in plan


# Distinct hyphenated words are the worst text: each is indexed whole and in parts, which takes the server long.
LONG_TEXTS: dict[str, LiteralString] = {
    "hyphens": "SELECT string_agg(to_hex(n) || '-' || to_hex(n * 7), '-') FROM generate_series(4096, 90000) n",
    "words": "SELECT string_agg(to_hex(n), ' ') FROM generate_series(1, 60000) n",
}


@pytest.mark.parametrize("text", [pytest.param("hyphens", marks=pytest.mark.soak), "words"])
def test_value_beyond_the_limit_of_a_tsvector_does_not_break_the_index(database: str, text: str) -> None:
    schema = build_schema(parse_mapping(SEARCH))
    table = schema.tables["a"]
    (index,) = table.indexes
    with psycopg.connect(database) as connection:
        for statement in ddl.create_all(schema):
            connection.execute(statement.encode())
        connection.execute(
            sql.SQL("INSERT INTO a (id, t) SELECT gen_random_uuid(), left(({}), {})").format(
                sql.SQL(LONG_TEXTS[text]), sql.Literal(SEARCH_BYTES - 10)
            )
        )
        huge = "SELECT string_agg(md5(n::text), ' ') FROM generate_series(1, 60000) n"
        connection.execute(sql.SQL("INSERT INTO a (id, t) SELECT gen_random_uuid(), ({})").format(sql.SQL(huge)))
        connection.execute(ddl.create_index(schema, table, index).encode())
        assert index.where is not None
        left_out = connection.execute(f"SELECT count(*) FROM a WHERE NOT ({index.where})".encode()).fetchone()
    assert left_out == (1,)


def test_search_query_needs_a_search_index() -> None:
    schema = build_schema(parse_mapping("isthmus: 1\ncollections:\n  A: {fields: {a: {type: text, index: true}}}\n"))
    with pytest.raises(ValueError, match="not a search index"):
        ddl.search_query_of(schema, schema.tables["a"].indexes[0])


def test_search_query_names_expression_and_predicate() -> None:
    query = search_query("s", "t", SearchSql("d", "to_tsvector('simple'::regconfig, d)", "p"), "simple")
    assert "to_tsvector('simple'::regconfig, d)" in query
    assert query.endswith("AND p")


def test_sqlalchemy_source_makes_the_same_catalog(database: str) -> None:
    """Compared with the script's catalog; comments inside predicates are gone in both."""
    schema = hostile_schema()
    source = ddl.render(schema, format="sqlalchemy")
    assert source == ddl.render_sqlalchemy(schema)
    namespace: dict[str, Any] = {}
    exec(compile(source, "target.py", "exec", dont_inherit=True), namespace)  # noqa: S102 - the text is the thing under test
    metadata: sqlalchemy.MetaData = namespace["metadata"]
    assert len(metadata.tables) == len(schema.tables)
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(database), poolclass=sqlalchemy.NullPool
    )
    metadata.create_all(engine)
    engine.dispose()
    with psycopg.connect(database) as connection:
        made = catalog(connection, schema.schema)
        connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema.schema)))
        connection.execute(ddl.render(schema).encode())
        script = catalog(connection, schema.schema)
    for part in CATALOG:
        assert made[part] == script[part], part
