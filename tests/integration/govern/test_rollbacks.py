"""Rollbacks that look right and are not, each named by its object; and rollbacks that are right.

All cases of a kind are one folder of migrations, rehearsed once; each is a test of its own.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.govern.rehearsing.outcome import Outcome
from isthmus.govern.scratch import scratch_server
from tests.integration.govern.rehearsals import Case, rehearse_folder, said_of, write_cases

NOTHING = "SELECT 1;"
BAD = (
    Case(
        "index_forgotten",
        "CREATE TABLE t1 (a int)",
        "ALTER TABLE t1 ADD b int; CREATE INDEX t1_a ON t1 (a);",
        "ALTER TABLE t1 DROP b;",
        (
            "rollback-differs: index public.t1.t1_a: is left over; it was not there.",
            'again-refused: The server refused {name}: relation "t1_a" already exists.',
        ),
    ),
    Case(
        "index_missing",
        "CREATE TABLE t2 (a int); CREATE INDEX t2_a ON t2 (a)",
        "DROP INDEX IF EXISTS t2_a;",
        NOTHING,
        ("rollback-differs: index public.t2.t2_a: was there and is missing now.",),
    ),
    Case(
        "default_lost",
        "CREATE TABLE t3 (a int DEFAULT 1)",
        "ALTER TABLE t3 ALTER a SET DEFAULT 2;",
        "ALTER TABLE t3 ALTER a DROP DEFAULT;",
        ("rollback-differs: column public.t3.a: default: was `1`, is no default now.",),
    ),
    Case(
        "not_valid",
        "CREATE TABLE t4 (a int, CONSTRAINT positive CHECK (a > 0))",
        "ALTER TABLE t4 DROP CONSTRAINT positive;",
        "ALTER TABLE t4 ADD CONSTRAINT positive CHECK (a > 0) NOT VALID;",
        ("rollback-differs: constraint public.t4.positive: validated: was yes, is no now.",),
    ),
    Case(
        "cut_off",
        "CREATE TABLE t5 (at timestamp NOT NULL, n numeric(12, 6))",
        "ALTER TABLE t5 ALTER at TYPE date, ALTER n TYPE numeric(12, 2);",
        "ALTER TABLE t5 ALTER at TYPE timestamp, ALTER n TYPE numeric(12, 6);",
        (
            "rows-lost: public.t5.at: values are not what they were.",
            "rows-lost: public.t5.n: values are not what they were.",
        ),
    ),
    Case(
        "trigger_disabled",
        "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        "CREATE TABLE t6 (a int); CREATE TRIGGER touch BEFORE UPDATE ON t6 FOR EACH ROW EXECUTE FUNCTION nothing()",
        "ALTER TABLE t6 DISABLE TRIGGER touch; ALTER TABLE t6 ADD b int;",
        "ALTER TABLE t6 DROP b;",
        ("rollback-differs: trigger public.t6.touch: fires: was `yes`, is `no, it is disabled` now.",),
    ),
    Case(
        "enum_value_left",
        "CREATE TYPE mood AS ENUM ('good', 'bad')",
        "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'so so' BEFORE 'bad';",
        NOTHING,
        ("rollback-differs: type public.mood: values: was `'good', 'bad'`, is `'good', 'so so', 'bad'` now.",),
    ),
    Case(
        "comment_lost",
        "CREATE TABLE t8 (a int); COMMENT ON COLUMN t8.a IS 'in metres'",
        "COMMENT ON COLUMN t8.a IS 'in feet';",
        "COMMENT ON COLUMN t8.a IS NULL;",
        ("rollback-differs: column public.t8.a: comment: was `in metres`, is no comment now.",),
    ),
    Case(
        "grant_left",
        "CREATE TABLE t9 (a int)",
        "GRANT SELECT, INSERT ON t9 TO public;",
        "REVOKE INSERT ON t9 FROM public;",
        ("rollback-differs: table public.t9: grants: was the usual rights, is `everybody: SELECT` now.",),
    ),
    Case(
        "right_taken_away",
        "CREATE FUNCTION f9() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "REVOKE EXECUTE ON FUNCTION f9() FROM public;",
        NOTHING,
        ("rollback-differs: function public.f9(): grants: was the usual rights, is `not everybody: EXECUTE` now.",),
    ),
    Case(
        "sequence_owner",
        "CREATE TABLE t10 (a serial)",
        "ALTER SEQUENCE t10_a_seq OWNED BY NONE;",
        NOTHING,
        ("rollback-differs: sequence public.t10_a_seq: owned by: was `public.t10.a`, is none now.",),
    ),
    Case(
        "view_redefined",
        "CREATE TABLE t11 (a int, b int); CREATE VIEW v11 AS SELECT a FROM t11 WHERE b > 1",
        "CREATE OR REPLACE VIEW v11 AS SELECT a FROM t11;",
        "CREATE OR REPLACE VIEW v11 AS SELECT a FROM t11 WHERE b >= 1;",
        ("rollback-differs: view public.v11: definition, line 3: was `  WHERE (b > 1)`, is `  WHERE (b >= 1)` now.",),
    ),
    Case(
        "function_body",
        "CREATE FUNCTION f12() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION f12() RETURNS int LANGUAGE sql AS 'SELECT 2';",
        "CREATE OR REPLACE FUNCTION f12() RETURNS int LANGUAGE sql AS 'SELECT  1';",
        (
            (
                "rollback-differs: function public.f12(): definition, line 4: was `AS $function$SELECT 1$function$`, is"
                " `AS $function$SELECT  1$function$` now."
            ),
        ),
    ),
    Case(
        "policy_wider",
        "CREATE TABLE t13 (a int); ALTER TABLE t13 ENABLE ROW LEVEL SECURITY;"
        "CREATE POLICY own ON t13 FOR SELECT USING (a = 1)",
        "DROP POLICY own ON t13;",
        "CREATE POLICY own ON t13 FOR SELECT USING (true);",
        ("rollback-differs: policy public.t13.own: using: was `(a = 1)`, is `true` now.",),
    ),
    Case(
        "row_security_off",
        "CREATE TABLE t14 (a int); ALTER TABLE t14 ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE t14 DISABLE ROW LEVEL SECURITY;",
        NOTHING,
        ("rollback-differs: table public.t14: row security: was `on`, is `off` now.",),
    ),
    Case(
        "rows_deleted",
        "CREATE TABLE t15 (a int)",
        "DELETE FROM t15 WHERE a IS NULL;",
        NOTHING,
        ("rows-lost: public.t15: 1 of 3 rows is lost.",),
    ),
    Case(
        "values_overwritten",
        "CREATE TABLE t16 (a text, b int)",
        "UPDATE t16 SET a = lower(a);",
        NOTHING,
        ("rows-lost: public.t16.a: values are not what they were.",),
    ),
    Case(
        "values_dropped",
        "CREATE TABLE t17 (a int, b text)",
        "ALTER TABLE t17 DROP b;",
        "ALTER TABLE t17 ADD b text;",
        ("rows-lost: public.t17.b: 2 of 2 values are lost.",),
    ),
    Case(
        "values_exchanged",
        "CREATE TABLE t18 (a int UNIQUE, b int)",
        "UPDATE t18 SET b = CASE WHEN b IS NULL THEN (SELECT min(b) FROM t18) END WHERE b IS NULL OR a ="
        " (SELECT min(a) FROM t18 WHERE b IS NOT NULL);",
        NOTHING,
        ("rows-lost: public.t18: values stand in other rows than before.",),
    ),
    Case(
        "null_allowed",
        "CREATE TABLE t19 (a int NOT NULL)",
        "ALTER TABLE t19 ALTER a DROP NOT NULL;",
        NOTHING,
        ("rollback-differs: column public.t19.a: nullable: was no, is yes now.",),
    ),
    Case(
        "identity_anew",
        "CREATE TABLE t20 (id int GENERATED ALWAYS AS IDENTITY)",
        "ALTER TABLE t20 ALTER id DROP IDENTITY;",
        "ALTER TABLE t20 ALTER id ADD GENERATED BY DEFAULT AS IDENTITY;",
        (
            "rollback-differs: column public.t20.id: identity: was `always`, is `by default` now.",
            "rows-lost: public.t20_id_seq: the sequence had given 3 and is back at none, so that numbers come twice.",
        ),
    ),
    Case(
        "cascade_lost",
        "CREATE TABLE t21 (id int PRIMARY KEY, up int CONSTRAINT up_fk REFERENCES t21 ON DELETE CASCADE)",
        "ALTER TABLE t21 DROP CONSTRAINT up_fk;",
        "ALTER TABLE t21 ADD CONSTRAINT up_fk FOREIGN KEY (up) REFERENCES t21;",
        (
            (
                "rollback-differs: constraint public.t21.up_fk: definition: was `FOREIGN KEY (up)"
                " REFERENCES public.t21(id)"
                " ON DELETE CASCADE`, is `FOREIGN KEY (up) REFERENCES public.t21(id)` now."
            ),
        ),
    ),
    Case(
        "nothing_enforces",
        "CREATE TABLE t22 (id int PRIMARY KEY, up int CONSTRAINT up_fk REFERENCES t22)",
        "ALTER TABLE t22 DISABLE TRIGGER ALL;",
        NOTHING,
        ("rollback-differs: constraint public.t22.up_fk: switched on: was yes, is no now.",),
    ),
    Case(
        "unique_no_more",
        "CREATE TABLE t23 (a int); CREATE UNIQUE INDEX t23_a ON t23 (a)",
        "DROP INDEX t23_a;",
        "CREATE INDEX t23_a ON t23 (a);",
        (
            (
                "rollback-differs: index public.t23.t23_a: definition: was `CREATE UNIQUE INDEX t23_a ON"
                " public.t23 USING"
                " btree (a)`, is `CREATE INDEX t23_a ON public.t23 USING btree (a)` now."
            ),
        ),
    ),
    Case(
        "constraint_with_its_index",
        "CREATE TABLE t24 (a int CONSTRAINT once UNIQUE)",
        "ALTER TABLE t24 DROP CONSTRAINT IF EXISTS once;",
        NOTHING,
        ("rollback-differs: constraint public.t24.once: was there and is missing now.",),
    ),
    Case(
        "collation_lost",
        'CREATE TABLE t25 (a text COLLATE "C")',
        "ALTER TABLE t25 ALTER a TYPE varchar;",
        "ALTER TABLE t25 ALTER a TYPE text;",
        ('rollback-differs: column public.t25.a: collation: was `pg_catalog."C"`, is none now.',),
    ),
    Case(
        "partition_left_alone",
        "CREATE TABLE t26 (a int) PARTITION BY LIST (a); CREATE TABLE t26_1 PARTITION OF t26 FOR VALUES IN (1)",
        "ALTER TABLE t26 DETACH PARTITION t26_1;",
        "ALTER TABLE t26_1 SET (fillfactor = 90);",
        (
            "rollback-differs: table public.t26_1: bound: was `FOR VALUES IN (1)`, is none now.",
            "rollback-differs: table public.t26_1: inherits: was `public.t26`, is none now.",
            "rollback-differs: table public.t26_1: options: was none, is `fillfactor=90` now.",
            'again-refused: The server refused {name}: relation "t26_1" is not a partition of relation "t26".',
        ),
    ),
    Case(
        "domain_open",
        "CREATE DOMAIN age AS int CONSTRAINT grown CHECK (VALUE > 17)",
        "ALTER DOMAIN age DROP CONSTRAINT IF EXISTS grown;",
        NOTHING,
        ("rollback-differs: constraint public.age.grown: was there and is missing now.",),
    ),
    Case(
        "table_with_all_its_parts",
        "",
        "CREATE TABLE IF NOT EXISTS t28 (id int PRIMARY KEY, a int UNIQUE);",
        NOTHING,
        ("rollback-differs: table public.t28: is left over; it was not there.",),
    ),
    Case(
        "rollback_is_prose",
        "",
        "CREATE TABLE t29 (a int);",
        "Restore the backup of last night.",
        ('rollback-refused: The server refused the rollback of {name}: syntax error at or near "Restore".',),
    ),
    Case(
        "rollback_fails_on_rows",
        "CREATE TABLE t30 (a int NOT NULL, b int)",
        "UPDATE t30 SET b = NULL;",
        "ALTER TABLE t30 ALTER b SET NOT NULL;",
        (
            (
                'rollback-refused: The server refused the rollback of {name}: column "b" of relation'
                ' "t30" contains null'
                " values."
            ),
        ),
    ),
    Case(
        "hostile",
        'CREATE SCHEMA "Größe \'%s"; CREATE TABLE "Größe \'%s"."T ""1;" ("Ä b" int, "c%" text)',
        'ALTER TABLE "Größe \'%s"."T ""1;" DROP "c%"; CREATE INDEX "I ""%" ON "Größe \'%s"."T ""1;" ("Ä b");',
        'ALTER TABLE "Größe \'%s"."T ""1;" ADD "c%" text;',
        (
            'rollback-differs: index "Größe \'%s"."T ""1;"."I ""%": is left over; it was not there.',
            'rows-lost: "Größe \'%s"."T ""1;"."c%": 2 of 2 values are lost.',
            'again-refused: The server refused {name}: relation "I "%" already exists.',
        ),
    ),
    Case(
        "publication_wider",
        "CREATE TABLE t32 (a int); CREATE PUBLICATION p32 FOR TABLE t32 WHERE (a > 1)",
        "ALTER PUBLICATION p32 SET TABLE t32;",
        NOTHING,
        ("rollback-differs: publication p32: tables: was `public.t32 where (a > 1)`, is `public.t32` now.",),
    ),
    Case(
        "refused_though_partial",
        "",
        "CREATE TABLE t33 (a int);",
        "DROP TABEL t33;",
        ('rollback-refused: The server refused the rollback of {name}: syntax error at or near "TABEL".',),
        reversible="Partial",
    ),
)
"""Some are not refused when they are applied again because they say IF EXISTS: what is said then is all of it."""

GOOD = (
    Case("table", "", "CREATE TABLE g1 (id serial PRIMARY KEY, a text);", "DROP TABLE g1;"),
    Case(
        "column",
        "CREATE TABLE g2 (a int)",
        "ALTER TABLE g2 ADD b text NOT NULL DEFAULT 'x';",
        "ALTER TABLE g2 DROP b;",
    ),
    Case(
        "index_concurrently",
        "CREATE TABLE g3 (a int)",
        "CREATE INDEX CONCURRENTLY g3_a ON g3 (a);\nCREATE INDEX CONCURRENTLY g3_b ON g3 (a, a);",
        "DROP INDEX CONCURRENTLY g3_a;\nDROP INDEX CONCURRENTLY g3_b;",
        more="-- Transaction: none\n",
    ),
    Case(
        "renames",
        "CREATE TABLE g4 (a int, b text)",
        "ALTER TABLE g4 RENAME a TO aa; ALTER TABLE g4 RENAME TO g4_renamed;",
        "ALTER TABLE g4_renamed RENAME TO g4; ALTER TABLE g4 RENAME aa TO a;",
    ),
    Case(
        "constraint",
        "CREATE TABLE g5 (a int)",
        "ALTER TABLE g5 ADD CONSTRAINT c CHECK (a <> -7) NOT VALID; ALTER TABLE g5 VALIDATE CONSTRAINT c;",
        "ALTER TABLE g5 DROP CONSTRAINT c;",
    ),
    Case(
        "view_and_function",
        "CREATE TABLE g6 (a int); CREATE VIEW v6 AS SELECT a FROM g6",
        "CREATE FUNCTION f6(x int, VARIADIC y text[] DEFAULT '{}') RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT x; END;"
        "CREATE OR REPLACE VIEW v6 AS SELECT f6(a) AS a FROM g6;",
        "CREATE OR REPLACE VIEW v6 AS SELECT a FROM g6;\nDROP FUNCTION f6;",
    ),
    Case(
        "trigger",
        "CREATE TABLE g7 (a int); CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER touch BEFORE UPDATE ON g7 FOR EACH ROW EXECUTE FUNCTION touch();",
        "DROP TRIGGER touch ON g7;",
    ),
    Case(
        "policy_and_grant",
        "CREATE TABLE g8 (a int)",
        "ALTER TABLE g8 ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON g8 USING (a > 1); GRANT SELECT ON g8 TO public;",
        "REVOKE SELECT ON g8 FROM public; DROP POLICY p ON g8; ALTER TABLE g8 DISABLE ROW LEVEL SECURITY;",
    ),
    Case(
        "wider_and_back",
        "CREATE TABLE g9 (a int, b varchar(10))",
        "ALTER TABLE g9 ALTER a TYPE bigint, ALTER b TYPE text;",
        "ALTER TABLE g9 ALTER a TYPE int, ALTER b TYPE varchar(10);",
    ),
    Case(
        "values_there_and_back",
        "CREATE TABLE g10 (a int, b boolean)",
        "UPDATE g10 SET a = a + 1, b = NOT b;",
        "UPDATE g10 SET a = a - 1, b = NOT b;",
    ),
    Case(
        "enum_made_anew",
        "CREATE TYPE size AS ENUM ('s', 'l'); CREATE TABLE g11 (a size)",
        "ALTER TYPE size ADD VALUE 'm' BEFORE 'l';",
        "ALTER TYPE size RENAME TO size_old;\nCREATE TYPE size AS ENUM ('s', 'l');\n"
        "ALTER TABLE g11 ALTER a TYPE size USING a::text::size;\nDROP TYPE size_old;",
    ),
    Case(
        "hostile",
        'CREATE SCHEMA "O\'Brien"; CREATE TABLE "O\'Brien"."select" ("a""b" int)',
        'ALTER TABLE "O\'Brien"."select" ADD "Ü %s" int; COMMENT ON COLUMN "O\'Brien"."select"."Ü %s" IS \'100%\';',
        'ALTER TABLE "O\'Brien"."select" DROP "Ü %s";',
    ),
    Case(
        "order_only",
        "CREATE TABLE g13 (old text CHECK (old IS NULL), a int)",
        "ALTER TABLE g13 DROP old;",
        "ALTER TABLE g13 ADD old text CHECK (old IS NULL);",
        ("order: table public.g13: order of columns: was `old, a`, is `a, old` now.",),
    ),
    Case(
        "lost_and_said_so",
        "CREATE TABLE g14 (a int, b text)",
        "ALTER TABLE g14 DROP b;",
        "ALTER TABLE g14 ADD b text;",
        ("rows-lost: public.g14.b: 2 of 2 values are lost.",),
        reversible="Partial",
    ),
    Case(
        "sequence_downwards",
        "CREATE SEQUENCE s15 INCREMENT -1; CREATE TABLE g16 (a int DEFAULT nextval('s15'), b text)",
        "INSERT INTO g16 (b) VALUES ('new');",
        "DELETE FROM g16 WHERE b = 'new';",
        ("again-rows: public.g16.a: values are not what they were.",),
    ),
    Case(
        "values_of_the_moment",
        "CREATE TABLE g15 (a int)",
        "ALTER TABLE g15 ADD id uuid NOT NULL DEFAULT gen_random_uuid();",
        "ALTER TABLE g15 DROP id;",
        ("again-rows: public.g15.id: values are not what they were.",),
    ),
)


@pytest.fixture(scope="module")
def bad(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    return _rehearsed(postgres, tmp_path_factory.mktemp("bad"), BAD)


@pytest.fixture(scope="module")
def good(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    return _rehearsed(postgres, tmp_path_factory.mktemp("good"), GOOD)


def _rehearsed(postgres: str, folder: Path, cases: tuple[Case, ...]) -> dict[str, Outcome]:
    write_cases(folder, cases)
    with scratch_server(postgres) as scratch:
        return rehearse_folder(folder, scratch)[0]


@pytest.mark.parametrize("case", BAD, ids=lambda one: one.name)
def test_a_rollback_that_does_not_restore_is_named_by_its_object(bad: dict[str, Outcome], case: Case) -> None:
    found = bad[case.name]
    assert found.stand == "not restored"
    _compare(found, case)


@pytest.mark.parametrize("case", GOOD, ids=lambda one: one.name)
def test_a_rollback_that_restores_passes(good: dict[str, Outcome], case: Case) -> None:
    found = good[case.name]
    assert found.stand == ("in part" if case.reversible == "Partial" else "restores")
    _compare(found, case)


def _compare(found: Outcome, case: Case) -> None:
    said = tuple(one.replace("(t11.b", "(b") for one in said_of(found))  # as PostgreSQL 15 has it
    assert said == tuple(one.replace("{name}", found.name) for one in case.said)


def test_rows_were_there(good: dict[str, Outcome], bad: dict[str, Outcome]) -> None:
    assert good["table"].rows > 20
    assert bad["index_forgotten"].rows > 50
