"""`ddl --format sqlalchemy`: the module of models that is written, run and used on a server.

The server judges: what the models make is compared with what the SQL script makes, and rows written through classes are
read back by SQL of the test's own. Blind spot: whether the names of attributes please anybody.
"""

from __future__ import annotations

import ast
import json
import keyword
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from isthmus.govern.catalog.compare import differences
from isthmus.govern.catalog.read import read_catalog
from isthmus.mapping import ddl, parse_mapping
from isthmus.mapping.alchemy.layout import Text, call, docstring, lines, text
from isthmus.mapping.alchemy.python_names import camel, identifier
from isthmus.mapping.tables import build_schema
from isthmus.mapping.target import TargetSchema
from tests.generators import forms
from tests.oracle.agreement import yaml_text

ODD = r"""
isthmus: 1
target: {schema: "Sch.e\"ma %s 'ü", on_update: cascade}
naming: keep
extensions: [no_such_extension]
enums:
  status: [open, "d'o\"ne", "back\\slash %s", "é"]
  class: [a]
  users: [many]
collections:
  fs.files:
    fields:
      __v: integer
      _private: text
      class: {type: class, index: true}
      metadata: jsonb
      registry: jsonb!
      sa: text
      str: text
      Mapped: text
      Users: users
      status: {type: status!, table_default: "d'o\"ne"}
      seen: {type: "status[]"}
      tags: {type: "text[]", index: true}
      2020: integer
      "a-b": text
      "a b": {type: text, table_default: "100% :of 'it'"}
      a_b: text
      ключ: text
      "!": text
      "ﬁn": text
      owner_id: {references: Users, on_delete: restrict}
      owner: text
      reviewer: {references: Users, on_delete: "null"}
      boss.id: {column: boss.id, references: fs.files, on_delete: cascade}
      friends: {junction: friends, own: a id}
      rated: {junction: rated}
      liked: {junction: liked}
      chunks: {child: fs.chunks, fields: {n: integer!, parts: {child: parts, fields: {x: {references: Users}}}}}
    indexes:
      - {columns: [a_b], where: "\"a b\" IS NOT NULL AND \"a b\" NOT LIKE 'x:y%%' -- why", unique: true}
      - {columns: [class, sa]}
    search: [sa, tags]
  Users:
    fields:
      email: {type: text!, unique: true}
      favourite: {references: fs.files, unique: true}
      Users: {references: Users}
      parent: {references: Users}
      "Dr. \"No\" \\": text
  Keyed: {key: code, fields: {code: integer!, of: {references: Users.email, type: text}}}
  "Loose\\ \"ends\"": {key: none, fields: {user: {references: Users}, a: text}}
  End:
    fields:
      keyed: {references: Keyed}
      price: numeric(10,2)
      day: date
      at: timestamptz
      local: timestamp(3)
      raw: bytea
      r: real
      d: double
      short: varchar(3)
      i: {type: smallint, index: true}
junctions:
  friends: {a id: fs.files, b: fs.files}
  rated: {file_id: fs.files, user_id: Users}
  liked: {user_id: Users, file_id: fs.files}
"""


def schema_of(mapping: str) -> TargetSchema:
    return build_schema(parse_mapping(mapping))


def models_of(schema: TargetSchema) -> dict[str, Any]:
    """The module's names, run; relations are resolved, and a warning of SQLAlchemy is an error."""
    namespace: dict[str, Any] = {}
    code = compile(ddl.render_sqlalchemy(schema), "models.py", "exec", dont_inherit=True)
    exec(code, namespace)  # noqa: S102 - the thing under test
    namespace["Base"].registry.configure()
    return namespace


@contextmanager
def engine_of(conninfo: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo), poolclass=sa.NullPool)
    yield engine
    engine.dispose()


@pytest.fixture
def odd(database: str) -> Iterator[tuple[dict[str, Any], sa.Engine]]:
    """The odd mapping's models, their tables made, and the way to them."""
    models = models_of(schema_of(ODD))
    with engine_of(database) as engine:
        models["metadata"].create_all(engine)
        yield models, engine


def test_create_all_makes_what_the_script_makes(make_database: Callable[[], str]) -> None:
    schema = schema_of(ODD)
    by_models, by_script = make_database(), make_database()
    with engine_of(by_models) as engine:
        models_of(schema)["metadata"].create_all(engine)
    with psycopg.connect(by_models) as one, psycopg.connect(by_script) as other:
        other.execute(ddl.render(schema).encode())
        made, wanted = read_catalog(one), read_catalog(other)
    assert len(wanted) > 80
    assert [one.sentence for one in differences(made, wanted)] == []
    assert {key: one.get("position") for key, one in made.items()} == {
        key: one.get("position") for key, one in wanted.items()
    }


def test_rows_written_through_classes_are_what_sql_reads(odd: tuple[dict[str, Any], sa.Engine]) -> None:
    models, engine = odd
    file, user, chunk, part = (models[name] for name in ("FsFiles", "Users", "FsChunks", "Parts"))
    with Session(engine) as session:
        owner, reviewer, boss = user(email="o'%s"), user(email="r"), file(registry_={}, status="open")
        owner.parent_row = reviewer
        values = {"v": 7, "private": "p", "class_": "a", "metadata_": None, "registry_": {"a": [None, "ü"]}}
        values |= {"Users_": "many", "seen": ["d'o\"ne", "é", "back\\slash %s"], "tags": ["x", "y z"]}
        values |= {"column_2020": 1, "a_b_": "dash", "a_b__2": "space", "a_b": "exact", "ключ": "к", "column": "!"}
        one = file(
            **values,
            fin="f",
            owner_row=owner,
            reviewer_row=reviewer,
            boss=boss,
            fs_chunks=[chunk(position=1, n=11), chunk(position=0, n=10, parts=[part(position=0, x_row=owner)])],
            users_by_liked=[owner],
            users_by_rated=[reviewer, owner],
            fs_files_by_friends_b=[boss],
        )
        session.add(one)
        session.add(models["End"](keyed_row=models["Keyed"](code=5, of_row=owner), price=None))
        session.commit()
        reviewer.favourite = one.id  # rows that point at each other: one of the two by its column
        session.commit()
        assert (one.users_by_favourite, reviewer.favourite_row) == (reviewer, one)
        ids = one.id, boss.id, owner.id, reviewer.id
        assert one.status == "d'o\"ne"  # the table's own default, read back
    with engine.connect() as connection:
        read = connection.exec_driver_sql
        schema = '"Sch.e""ma %%s \'ü"'
        row = read(
            f'SELECT __v, _private, class::text, metadata, registry, "Users"::text, seen::text[], tags, "2020", "a-b",'
            f' "a b", a_b, "ключ", "!", "ﬁn", owner_id, reviewer, "boss.id" FROM {schema}."fs.files" WHERE id = %s',
            (ids[0],),
        ).one()
        assert row[:15] == (
            *(7, "p", "a", None, {"a": [None, "ü"]}, "many", ["d'o\"ne", "é", "back\\slash %s"], ["x", "y z"], 1),
            *("dash", "space", "exact", "к", "!", "f"),
        )
        assert row[15:] == (ids[2], ids[3], ids[1])
        chunks = read(f'SELECT "fs.files_id", position, n FROM {schema}."fs.chunks" ORDER BY 2').fetchall()
        assert chunks == [(ids[0], 0, 10), (ids[0], 1, 11)]
        parts = read(f'SELECT "fs.chunks_id", "fs.chunks_position", position, x FROM {schema}.parts').fetchall()
        assert parts == [(ids[0], 0, 0, ids[2])]
        assert read(f"SELECT user_id, file_id FROM {schema}.liked").fetchall() == [(ids[2], ids[0])]
        assert set(read(f"SELECT file_id, user_id FROM {schema}.rated")) == {(ids[0], ids[2]), (ids[0], ids[3])}
        assert read(f'SELECT "a id", b FROM {schema}.friends').fetchall() == [(ids[0], ids[1])]
        assert set(read(f'SELECT email, favourite, parent FROM {schema}."Users"')) == {
            ("o'%s", None, ids[3]),
            ("r", ids[0], None),
        }
        assert read(f'SELECT code, "of" FROM {schema}."Keyed"').fetchall() == [(5, "o'%s")]
    with Session(engine) as session:
        one = session.get_one(file, ids[0])
        assert [chunk.n for chunk in one.fs_chunks] == [10, 11]
        assert one.seen == ["d'o\"ne", "é", "back\\slash %s"]
        assert [friend.id for friend in one.boss.fs_files_by_friends_a_id] == [one.id]
        assert one.boss.fs_files_by_boss_id == [one]
        assert one.owner_row.parts[0].parent.parent is one
        assert one.owner_row.keyed[0].end[0].keyed == 5


def test_deleting_is_left_to_the_foreign_keys(odd: tuple[dict[str, Any], sa.Engine]) -> None:
    models, engine = odd
    file, user = models["FsFiles"], models["Users"]
    with Session(engine) as session:
        owner, reviewer = user(email="o"), user(email="r")
        one = file(registry_={}, owner_row=owner, reviewer_row=reviewer, users_by_liked=[reviewer], fs_chunks=[])
        one.fs_chunks.append(models["FsChunks"](position=0, n=1))
        session.add_all([one, file(registry_={}, boss=one)])
        session.commit()
        session.delete(owner)
        with pytest.raises(IntegrityError, match="owner_id"):
            session.flush()
        session.rollback()
        assert reviewer.fs_files_by_reviewer == [one]
        session.delete(reviewer)
        session.commit()
        assert (one.reviewer, one.users_by_liked) == (None, [])
        one.fs_chunks.clear()
        session.commit()
        assert session.scalars(sa.select(models["FsChunks"])).all() == []
        session.delete(one)
        session.commit()
        assert session.scalars(sa.select(file)).all() == []


def test_a_way_to_one_row_is_no_list(odd: tuple[dict[str, Any], sa.Engine]) -> None:
    models, _ = odd
    relations = sa.inspect(models["FsFiles"]).relationships
    assert {one.key for one in relations if not one.uselist} == {
        "owner_row",
        "reviewer_row",
        "boss",
        "users_by_favourite",
    }


def test_tables_without_a_key_and_junctions_have_no_class(odd: tuple[dict[str, Any], sa.Engine]) -> None:
    models, _ = odd
    assert {name for name, one in models.items() if isinstance(one, sa.Table)} == {
        "loose_ends",
        "friends",
        "rated",
        "liked",
    }
    classes = {name for name, one in models.items() if isinstance(one, type) and issubclass(one, models["Base"])}
    assert classes == {"Base", "FsFiles", "FsChunks", "Parts", "Users", "Keyed", "End"}


def test_strict_checker_has_nothing_to_say(tmp_path: Path) -> None:
    """And knows the types: what is said of them here is checked, and a wrong use is found."""
    (tmp_path / "models.py").write_text(ddl.render(schema_of(ODD), format="sqlalchemy"), encoding="utf-8")
    (tmp_path / "use.py").write_text(USE, encoding="utf-8")
    settings = {"strict": ["."], "pythonVersion": "3.11"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson", "-p", str(tmp_path)]
    environment = {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    told = json.loads(ran.stdout)
    found = [(Path(one["file"]).name, one["range"]["start"]["line"] + 1) for one in told["generalDiagnostics"]]
    wrong = [("use.py", number) for number, line in enumerate(USE.splitlines(), 1) if line.endswith("# wrong")]
    assert told["summary"]["filesAnalyzed"] == 2
    assert sorted(set(found)) == wrong, ran.stdout


USE = """\
from datetime import datetime
from decimal import Decimal
from typing import assert_type
from uuid import UUID

from models import End, FsChunks, FsFiles, Status, Users, UsersValue


def use(file: FsFiles, end: End, user: Users) -> None:
    assert_type(file.v, int | None)
    assert_type(file.status, Status)
    assert_type(file.Users_, UsersValue | None)
    assert_type(file.tags, list[str] | None)
    assert_type(file.owner_row, Users | None)
    assert_type(file.fs_chunks, list[FsChunks])
    assert_type(file.fs_chunks[0].parent, FsFiles)
    assert_type(user.users_by_parent, list[Users])
    assert_type(end.price, Decimal | None)
    assert_type(end.local, datetime | None)
    assert_type(end.keyed_row and end.keyed_row.code, int | None)
    assert_type(user.id, UUID)
    file.status = "no such status"  # wrong
    end.day = datetime.now().time()  # wrong
    user.emial = "x"  # wrong
"""


def test_columns_that_can_keep_their_names_do(odd: tuple[dict[str, Any], sa.Engine]) -> None:
    models, _ = odd
    columns = {one.key: one.columns[0].name for one in sa.inspect(models["FsFiles"]).column_attrs}
    kept = {"id", "a_b", "ключ", "owner_id", "owner", "reviewer", "status", "seen", "tags", "extras"}
    assert {name for name, column in columns.items() if name == column} == kept
    assert columns["a_b_"] == "a-b"
    assert columns["a_b__2"] == "a b"
    assert {columns[name] for name in ("class_", "metadata_", "registry_", "sa_", "str_", "Mapped_")} == {
        *("class", "metadata", "registry", "sa", "str", "Mapped")
    }
    assert columns["boss_id"] == "boss.id"


@given(st.text())
def test_any_name_becomes_an_identifier(name: str) -> None:
    for made in (identifier(name, "column"), camel(name, "Table")):
        ast.parse("" if keyword.iskeyword(made) else f"{made} = 1")
        assert made.isidentifier()
        assert not made.startswith("_")


@given(st.text(), st.integers(0, 3))
def test_long_and_odd_texts_read_back_as_they_are(value: str, depth: int) -> None:
    assert ast.literal_eval(text(value)) == value
    assert ast.literal_eval(docstring(f"{value}.")) == f"{value}."
    written = "\n".join(lines(call("tuple", Text(value * 9), text(value)), depth)).strip()
    node = ast.parse(written, mode="eval").body
    assert isinstance(node, ast.Call)
    assert [ast.literal_eval(one) for one in node.args] == [value * 9, value]


@settings(max_examples=25, deadline=None)
@given(forms.mappings())
def test_models_of_any_good_mapping_can_be_run(mapping: dict[str, Any]) -> None:
    schema = schema_of(yaml_text(mapping))
    models = models_of(schema)
    assert len(models["metadata"].tables) == len(schema.tables)
    for table in schema.tables.values():
        made = models["metadata"].tables[f"{schema.schema}.{table.name}"]
        assert [column.name for column in made.columns] == [column.name for column in table.final.columns]
        assert [column.nullable for column in made.columns] == [column.nullable for column in table.final.columns]


def test_the_same_mapping_gives_the_same_text() -> None:
    assert ddl.render_sqlalchemy(schema_of(ODD)) == ddl.render_sqlalchemy(schema_of(ODD))


def test_a_mapping_without_a_class_is_a_module_too() -> None:
    models_of(schema_of("isthmus: 1\ncollections:\n  A: {key: none, fields: {a: text}}\n"))
