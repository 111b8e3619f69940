"""Typed references to a type checker: the field is what a key is in Python, and nothing else may be put into it.

Oracle: pyright in its strict mode, as a process. Lines that it must find are marked in the example itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

USE = """\
from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NewType, TypedDict, assert_type
from uuid import UUID, uuid4

import sqlalchemy as sa
from isthmus.polyglot.references import PgRef as Bare
from isthmus.polyglot.references import References
from pydantic import BaseModel

metadata = sa.MetaData()
PgRef = References(metadata)
UserId = Annotated[str, PgRef["users.id"]]
OrderId = Annotated[UUID, PgRef["orders.id"]]
Own = NewType("Own", str)
OwnId = Annotated[Own, PgRef["users.id"]]


class CoAuthor(TypedDict):
    userId: UserId


@dataclass
class Note:
    actor: UserId
    number: Annotated[int, Bare["orders.number", "bigint"]] = 0


class Document(BaseModel):
    user: Annotated[str, PgRef["users.id"]]
    perhaps: UserId | None = None
    order: OrderId
    many: list[UserId] = []
    own: OwnId = Own("")


def use(document: Document, note: Note, author: CoAuthor) -> None:
    assert_type(document.user, str)
    assert_type(document.perhaps, str | None)
    assert_type(document.order, UUID)
    assert_type(document.many, list[str])
    assert_type(document.own, Own)
    assert_type(note.number, int)
    assert_type(author["userId"], str)
    document.user = "a"
    document.user = document.own
    document.user = 5  # wrong
    document.order = "a"  # wrong
    document.own = document.user  # wrong
    document.many.append(uuid4())  # wrong
    note.actor = document.perhaps  # wrong
    author["userId"] = document.order  # wrong
    Document(user=document.order, order=uuid4())  # wrong


BY_NUMBER = Annotated[int, PgRef[5]]  # wrong
"""


def test_strict_checker_knows_the_types_and_finds_wrong_ones(tmp_path: Path) -> None:
    (tmp_path / "use.py").write_text(USE)
    (tmp_path / "pyrightconfig.json").write_text(json.dumps({"strict": ["."], "pythonVersion": "3.11"}))
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson", "-p", str(tmp_path)]
    environment = {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    told = json.loads(ran.stdout)
    assert told["summary"]["filesAnalyzed"] == 1
    found = {one["range"]["start"]["line"] + 1 for one in told["generalDiagnostics"]}
    wrong = {number for number, line in enumerate(USE.splitlines(), 1) if line.endswith("# wrong")}
    assert found == wrong, ran.stdout
