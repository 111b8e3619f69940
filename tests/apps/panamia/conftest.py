"""A generated Pana MIA database, moved once a session, phase by phase: from a dump, and on a running server.

Tests only read what is left; those that go on with a moved database take a copy of both sides (`at_phase`).
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from bson import CodecOptions
from bson.raw_bson import RawBSONDocument
from psycopg import sql
from pymongo import MongoClient, monitoring

from apps.panamia.generate import main as generate
from apps.panamia.moving import doing
from apps.panamia.moving.phases import PHASES
from apps.panamia.phase import main as phase_main
from tests import forkserver
from tests.apps.panamia.meanwhile import Behind
from tests.apps.twins import twin_of
from tests.fix_mongo import database_url
from tests.fix_postgres import create_database, drop_database
from tests.oracle.copying import COMMAND, url

HOME = Path(__file__).parents[3] / "apps" / "panamia"
MAPPING = HOME / "mapping.yaml"
PEOPLE = 200
SECONDS = 240.0
"""How long a command may take, where nothing else is said."""
SETTINGS = ("MONGODB_URI", "POSTGRES_", "DATABASE_URL", "ISTHMUS_", "PG")
"""How the names of all settings begin."""


@dataclass(frozen=True)
class Ran:
    """One finished command, with the JSON it wrote."""

    code: int
    said: str
    result: dict[str, Any]


def isthmus(*words: str, database: str, json_file: Path | None = None, seconds: float = SECONDS) -> Ran:
    """Run `isthmus` in the application's folder, with `DATABASE_URL` as its only setting, for so long at most."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    environment["DATABASE_URL"] = url(database)
    arguments = [*words, *(["--json", str(json_file)] if json_file is not None else [])]
    if forkserver.possible():
        ran = forkserver.run("isthmus", arguments, cwd=HOME, env=environment, timeout=seconds)
    else:
        ran = subprocess.run(
            [COMMAND, *arguments], cwd=HOME, capture_output=True, check=False, env=environment, timeout=seconds
        )
    there = json_file is not None and json_file.is_file() and json_file.stat().st_size > 0
    result = json.loads(json_file.read_text()) if json_file is not None and there else {}
    return Ran(ran.returncode, ran.stderr.decode() + ran.stdout.decode(), result)


_FILLED = ["listing_kinds", "currencies", "time_zones"]
"""Tables that migrations fill, and no phase."""


def contents(database: str) -> dict[str, Counter[str]]:
    """Every row of every table of the application that its migrations leave empty, as text."""
    with psycopg.connect(database) as connection:
        names = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
            " AND relname <> ALL(%s)",
            (_FILLED,),
        ).fetchall()
        return {name: Counter(_texts(connection, name)) for (name,) in names}


def _texts(connection: psycopg.Connection[Any], table: str) -> list[str]:
    query = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier("public", table))
    return [str(row) for (row,) in connection.execute(query).fetchall()]


@dataclass
class Moved:
    """A generated database and where it was moved to.

    Attributes:
        source: Its folder, or the URL of the server that has it.
        database: Conninfo of the target.
        answers: The answers to its conflicts.
        truth: The page of what was planted; `lines` reads the rest.
        folder: Where that page lies.
        copies: How each phase's copy ended, by number.
        proofs: How its verification did.
        seconds: How long a command may take.
    """

    source: str
    database: str
    answers: Path
    truth: dict[str, Any]
    folder: Path
    seconds: float = SECONDS
    copies: dict[int, Ran] = field(default_factory=dict[int, Ran])
    proofs: dict[int, Ran] = field(default_factory=dict[int, Ran])
    _ids: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])

    def lines(self, name: str) -> list[dict[str, Any]]:
        """One of the files of lines beside the truth."""
        path = self.folder / self.truth["files"][name]["file"]
        return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]

    def run(self, number: int, folder: Path) -> Ran:
        """Copy a phase."""
        phase = next(one for one in PHASES if one.number == number)
        only = [part for entry in phase.entries for part in ("--only", entry)]
        words = ["copy", "mapping.yaml", "--source", self.source, "--resolutions", str(self.answers), *only]
        json_file = folder / f"copy{number}.json"
        return isthmus(*words, database=self.database, json_file=json_file, seconds=self.seconds)

    def verify(self, number: int, folder: Path) -> Ran:
        """Verify what was copied last, every document."""
        words = ["verify", "mapping.yaml", "--source", self.source, "--sample", "all"]
        json_file = folder / f"verify{number}.json"
        return isthmus(*words, database=self.database, json_file=json_file, seconds=self.seconds)

    def row_of(self, collection: str, document: str) -> str | None:
        """The id of the row that a document is, or is a part of; None where it has none."""
        if not self._ids:
            written = isthmus("ids", "export", database=self.database, seconds=self.seconds).said
            for line in csv.DictReader(io.StringIO(written[written.index("collection,") :])):
                self._ids[line["collection"], line["source_id"]] = line["id"]
        return self._ids.get((collection, document)) or self._ids.get(("", document))


@dataclass
class Served(Moved):
    """One on a running server, moved as its operators do: by `phase.py`, with the references in between.

    Attributes:
        mongo: Name of its database there.
        stages: Both sides as they were behind each phase.
    """

    mongo: str = ""
    stages: dict[int, Stage] = field(default_factory=dict[int, "Stage"])

    def documents(self) -> dict[str, dict[Any, bytes]]:
        """All documents there are, by collection and `_id`."""
        raw: Any = CodecOptions(document_class=RawBSONDocument)
        with MongoClient[Any](self.source) as client:
            there = client.get_default_database()
            return {
                name: {one["_id"]: bytes(one.raw) for one in there.get_collection(name, codec_options=raw).find()}
                for name in there.list_collection_names()
            }

    def words(self) -> dict[int, str]:
        """How each phase stands, in a word or two."""
        page = json.loads(self.phase("status", "--json").said)
        return {one["phase"]["number"]: one["word"] for one in page["phases"]}

    def phase(self, *words: str, folder: Path | None = None, errors: io.StringIO | None = None) -> Ran:
        """Run a command of `phase.py`."""
        return phase_command(
            *words, source=self.source, database=self.database, answers=self.answers, folder=folder, errors=errors
        )


@dataclass(frozen=True)
class Stage:
    """Both sides behind a phase: conninfo of a twin, and the documents by collection, each with its indexes."""

    database: str
    documents: dict[str, tuple[list[RawBSONDocument], list[dict[str, Any]]]]

    def by_id(self) -> dict[str, dict[Any, bytes]]:
        """All documents, by collection and `_id`."""
        return {name: {one["_id"]: bytes(one.raw) for one in found} for name, (found, _) in self.documents.items()}


def phase_command(
    *words: str,
    source: str,
    database: str,
    answers: Path,
    folder: Path | None = None,
    errors: io.StringIO | None = None,
) -> Ran:
    """Run a command of `phase.py`; `folder` takes its JSON, `errors` its standard error."""
    more = ["--json", str(folder / "said.json")] if folder is not None else []
    out, err = io.StringIO(), errors or io.StringIO()
    common = ["--source", source, "--target", url(database), "--resolutions", str(answers)]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = phase_main([*common, *words, *more])
    there = folder is not None and (folder / "said.json").is_file()
    result = json.loads((folder / "said.json").read_text()) if folder is not None and there else {}
    return Ran(code, err.getvalue() + out.getvalue(), result)


@pytest.fixture(scope="session")
def forked() -> Iterator[None]:
    """Let `phase.py` fork Isthmus as all tests do, instead of starting it; what it says is said by `phase.py` then."""

    def run_child(command: Sequence[str], environment: Mapping[str, str], *, quiet: bool) -> int:
        clean = {name: value for name, value in environment.items() if not name.startswith(("ISTHMUS_", "PG"))}
        ran = forkserver.run("isthmus", list(command[3:]), cwd=HOME, env=clean, timeout=240)
        sys.stderr.write(ran.stderr.decode())
        sys.stdout.write("" if quiet else ran.stdout.decode())
        return ran.returncode

    with pytest.MonkeyPatch.context() as patch:
        if forkserver.possible():
            patch.setattr(doing, "run_child", run_child)
        yield


def _generated(to: str, folder: Path, database: str, people: int = PEOPLE) -> tuple[dict[str, Any], Path]:
    """Make the source and the tables; return the truth, and where the answers are."""
    truth, answers = folder / "panamia.truth.json", folder / "panamia.resolutions.yaml"
    assert generate([to, "--people", str(people), "--truth", str(truth), "--resolutions", str(answers)]) == 0
    deployed = isthmus("schema", "deploy", database=database)
    assert deployed.code == 0, deployed.said
    return json.loads(truth.read_text()), answers


@pytest.fixture(scope="session")
def moved_from_dump(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moved]:
    """All phases, each verified, of a small database from a dump."""
    made = move_dump(tmp_path_factory.mktemp("panamia"), create_database(postgres), PEOPLE)
    yield made
    drop_database(postgres, made.database)


@pytest.fixture
def twin(moved_from_dump: Moved, postgres: str) -> Iterator[Moved]:
    """The finished move from a dump in a database of its own, for who changes it: the other is everybody's."""
    database = twin_of(postgres, moved_from_dump.database)
    yield replace(moved_from_dump, database=database)
    drop_database(postgres, database)


def move_dump(folder: Path, database: str, people: int, seconds: float = SECONDS) -> Moved:
    """Generate a dump of so many people in a folder, and move it into an empty database; each phase is verified."""
    truth, answers = _generated(str(folder / "dump"), folder, database, people)
    made = Moved(str(folder / "dump"), database, answers, truth, folder, seconds)
    for phase in PHASES:
        if phase.kind == "copy":
            made.copies[phase.number] = made.run(phase.number, folder)
            made.proofs[phase.number] = made.verify(phase.number, folder)
    return made


@pytest.fixture(scope="session")
def moved_on_server(
    postgres: str, mongo_server: str, forked: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """The same on a running server, each phase run, verified, and its items acknowledged."""
    folder = tmp_path_factory.mktemp("panamia-served")
    mongo, database = f"pana-{secrets.token_hex(4)}-ü'%", create_database(postgres)
    source = database_url(mongo_server, quote(mongo, safe=""))
    truth, answers = _generated(source, folder, database)
    made = Served(source, database, answers, truth, folder, mongo=mongo)
    with MongoClient[dict[str, Any]](mongo_server) as client:
        for phase in PHASES:
            made.copies[phase.number] = made.phase("run", str(phase.number), folder=folder)
            made.proofs[phase.number] = made.phase("verify", str(phase.number), folder=folder)
            told = made.phase("acknowledge", str(phase.number), "--all", "--reason", "planted")
            assert told.code == 0, (made.copies[phase.number].said, told.said)
            made.stages[phase.number] = _stage(postgres, database, client, mongo)
        yield made
        for stage in made.stages.values():
            drop_database(postgres, stage.database)
        drop_database(postgres, database)
        client.drop_database(mongo)


def _stage(postgres: str, database: str, client: MongoClient[dict[str, Any]], mongo: str) -> Stage:
    there = client.get_database(mongo)
    raw: Any = CodecOptions(document_class=RawBSONDocument)
    documents: dict[str, tuple[list[RawBSONDocument], list[dict[str, Any]]]] = {}
    for name in there.list_collection_names():
        found: Any = there.get_collection(name, codec_options=raw).find()
        documents[name] = list(found), [dict(one) for one in there[name].list_indexes() if one["name"] != "_id_"]
    return Stage(twin_of(postgres, database), documents)


@pytest.fixture
def at_phase(postgres: str, mongo_server: str, moved_on_server: Served) -> Iterator[Callable[[int], Served]]:
    """Return a function that gives the served database as it was behind a phase, to go on with; one for each test."""
    made: list[str] = []

    def at(number: int) -> Served:
        stage = moved_on_server.stages[number]
        made.append(twin_of(postgres, stage.database))
        _put_back(moved_on_server, client, stage)
        return replace(moved_on_server, database=made[-1])

    with MongoClient[dict[str, Any]](mongo_server) as client:
        yield at
        _put_back(moved_on_server, client, moved_on_server.stages[PHASES[-1].number])
    for database in made:
        drop_database(postgres, database)


def _put_back(served: Served, client: MongoClient[dict[str, Any]], stage: Stage) -> None:
    """Make every collection what it was behind a phase; those that are it already are left alone."""
    wanted, found, there = stage.by_id(), served.documents(), client.get_database(served.mongo)
    for name in wanted.keys() | found.keys():
        if wanted.get(name) == found.get(name):
            continue
        there.drop_collection(name)
        documents, indexes = stage.documents.get(name, ([], []))
        if documents:
            there[name].insert_many(documents)  # pyright: ignore[reportArgumentType]
        for index in indexes:
            more = {key: value for key, value in index.items() if key not in {"v", "key", "ns"}}
            there[name].create_index(list(index["key"].items()), **more)


@pytest.fixture(scope="session")
def behind() -> Behind:
    """An application that writes right behind a command to MongoDB of this process; clients from now on tell it."""
    found = Behind()
    monitoring.register(found)
    return found


@pytest.fixture(scope="session", params=["dump", pytest.param("server", marks=pytest.mark.slow)])
def moved(request: pytest.FixtureRequest) -> Moved:
    """All phases of a small database, each verified: from a dump, and on a running server."""
    return request.getfixturevalue("moved_from_dump" if request.param == "dump" else "moved_on_server")


@pytest.fixture
def rows(moved: Moved) -> Iterator[psycopg.Connection[Any]]:
    """The target, to be asked with plain SQL."""
    with psycopg.connect(moved.database) as connection:
        yield connection
