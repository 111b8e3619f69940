"""What still names MongoDB is found by file and line, and no value of a setting leaves the file.

Oracle: the lines, each with what it names by the rules of its own language.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.polyglot.named_in_code import kind_of, look_through, named_in


def names(line: str) -> list[str]:
    return [name for one in named_in(line.encode(), "f", "code") for name in one.names]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("import mongoose from 'mongoose'", ["mongoose"]),
        ("from pymongo import MongoClient", ["pymongo", "MongoClient"]),
        ("from motor.motor_asyncio import AsyncIOMotorClient", ["motor"]),
        ('  "motor[srv]>=3.1",', ["motor"]),
        ("motor==3.1", ["motor"]),
        ("beanie", ["beanie"]),
        ('    "mongodb": "^6.3.0",', ["mongodb"]),
        ('  "@auth/mongodb-adapter": "^3"', ["@auth/mongodb-adapter"]),
        ("image: docker.io/library/mongo:7", ["mongo"]),
        ("FROM mongo:7", ["mongo"]),
        ("const url = process.env.MONGODB_URI!", ["MONGODB_URI"]),
        ('os.environ["MONGO_URL"]', ["MONGO_URL"]),
        ("os.getenv('MY_MONGO')", ["MY_MONGO"]),
        ("  - MONGO_INITDB_ROOT_PASSWORD=hunter2", ["MONGO_INITDB_ROOT_PASSWORD"]),
        ("export MONGODB_URI=x", ["MONGODB_URI"]),
        ("uri = f'mongodb+srv://{user}:{password}@host/db'", ["mongodb://…"]),
    ],
)
def test_line_that_names_mongodb_is_told(line: str, found: list[str]) -> None:
    assert names(line) == found


@pytest.mark.parametrize(
    "line",
    [
        "the motor of a car",
        "Mongolia is large",
        "a humongous place",
        "among others",
        "import os",
        "motorway = 1",
        "'moto'",
    ],
)
def test_line_that_does_not_is_passed_over(line: str) -> None:
    assert names(line) == []


@pytest.mark.parametrize(
    "line",
    [
        "MONGODB_URI=mongodb://bob:s3cret@host/db?authSource=s3cret",
        "MONGODB_URI='mongodb+srv://bob:s3cret/@host'",
        "password = 'mongo-s3cret'",
        "MONGO_PASSWORD=s3cretmongos3cret",
        'MONGO_PASSWORD="S3CRET_MONGO_S3CRET"',
        "x = 'mongodb://s3cret'; y = 'MONGO_S3CRET'",
    ],
)
def test_no_value_is_told(line: str) -> None:
    assert names(line)
    assert "s3cret" not in " ".join(names(line)).lower()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.py", "code"),
        ("a.TSX", "code"),
        ("a.mjs", "code"),
        ("a.md", None),
        ("package.json", "dependency"),
        ("tsconfig.json", None),
        ("package-lock.json", None),
        ("pyproject.toml", "dependency"),
        ("requirements-dev.txt", "dependency"),
        (".env", "setting"),
        (".env.production", "setting"),
        ("shop.env", "setting"),
        ("environment.ts", "code"),
        ("compose.yaml", "container"),
        ("docker-compose.prod.yml", "container"),
        ("Dockerfile", "container"),
        ("Dockerfile.dev", "container"),
        ("api.Dockerfile", "container"),
    ],
)
def test_kinds_of_files(name: str, kind: str | None) -> None:
    assert kind_of(name) == kind


def test_folders_are_looked_through_in_order_and_what_is_not_theirs_passed_over(tmp_path: Path) -> None:
    text = b"x\r\nimport mongoose\r\n\xff\xfe mongodb\n"
    for place in ("b/ü '\".py", "a.py", "node_modules/a.py", ".git/a.py", "b/dist/a.js", "notes.md"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes(text)
    (tmp_path / "again.py").symlink_to(tmp_path / "a.py")
    (tmp_path / "b" / "round").symlink_to(tmp_path)
    found = look_through([tmp_path / "b", tmp_path])
    told = [(one.file.removeprefix(tmp_path.as_posix()), one.line) for one in found.named]
    own = [("/b/ü '\".py", 2), ("/b/ü '\".py", 3)]
    assert told == [*own, ("/a.py", 2), ("/a.py", 3), *own]
    assert (found.files, found.unread) == (3, [])


def test_file_that_is_too_large_or_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "large.js").write_bytes(b"x" * 10)
    monkeypatch.setattr("isthmus.polyglot.named_in_code._MOST_BYTES", 5)
    found = look_through([tmp_path, tmp_path / "nowhere"])
    assert found.files == 0
    assert [one.partition(": ")[0].rpartition("/")[2] for one in found.unread] == ["large.js", "nowhere"]


def test_names_of_collections_count_where_they_stand_in_quotes(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_text("db.collection('users')\nconst users = `a.b\"c`\nfind('users2', \"us'ers\")\n")
    assert look_through([tmp_path]).named == []
    named = look_through([tmp_path], ["users", "us'ers", 'a.b"c']).named
    assert [(one.line, one.names) for one in named] == [(1, ("users",)), (2, ('a.b"c',)), (3, ("us'ers",))]
