"""The data of the benchmarks: mongodump folders from a seeded generator, written document by document.

Imports nothing from `isthmus`. The same seed and counts give the same bytes. Run as
`python -m bench.data small|large FOLDER [--documents N]`.
"""

from __future__ import annotations

import argparse
import json
import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import bson
from bson import Binary, Int64, ObjectId

SEED = 20_260_111
SMALL_DOCUMENTS = 500_000
LARGE_DOCUMENTS = 200
LARGE_BYTES = 15 << 20
DATABASE = "bench"

_PEOPLE = 1_000
_LABELS = 5_000
_BEGIN = datetime(2021, 1, 1, tzinfo=UTC)
_WORDS = [
    "harbour",
    "ledger",
    "canal",
    "copper",
    "meadow",
    "signal",
    "lantern",
    "orchard",
    "granite",
    "timber",
    "velvet",
    "compass",
    "anchor",
    "thunder",
    "saffron",
    "willow",
    "marble",
    "falcon",
    "ember",
    "juniper",
    "cobalt",
    "drift",
    "quartz",
    "summit",
    "raven",
    "cedar",
    "prairie",
    "mosaic",
    "beacon",
    "tundra",
]
_FLUSH_BYTES = 1 << 20


@dataclass(frozen=True)
class Data:
    """What was generated.

    Attributes:
        folder: The database's dump folder.
        kind: `small`, `large`, or what else it was made for.
        documents: Documents of all collections.
        bytes: BSON bytes of all collections.
        seed: The seed.
    """

    folder: str
    kind: str
    documents: int
    bytes: int
    seed: int

    def described(self) -> dict[str, Any]:
        """Return it as JSON values, without the folder."""
        return {name: value for name, value in asdict(self).items() if name != "folder"}


def small(root: Path, documents: int = SMALL_DOCUMENTS, seed: int = SEED) -> Data:
    """Write `documents` tasks of about 260 bytes, and the people and labels they refer to.

    A task has its id, a text, an int32, an int64, a double, a date, one reference (owner), an array of texts, a small
    sub-document, and an array of three references for a junction table. Every reference has its target.
    """
    draw = random.Random(seed)
    people = [_object_id(draw, number) for number in range(_PEOPLE)]
    labels = [_object_id(draw, number) for number in range(_LABELS)]
    folder = root / DATABASE
    size = _write(folder, "people", ({"_id": one, "name": _text(draw, 2)} for one in people))
    size += _write(folder, "labels", ({"_id": one, "name": _text(draw, 1)} for one in labels))
    size += _write(folder, "tasks", (_task(draw, number, people, labels) for number in range(documents)))
    return keep(root, Data(str(folder), "small", documents + _PEOPLE + _LABELS, size, seed))


def large(root: Path, documents: int = LARGE_DOCUMENTS, seed: int = SEED) -> Data:
    """Write `documents` documents of 15 MiB: by turns one long text, one binary value, many sub-documents."""
    draw = random.Random(seed)
    makers: list[Callable[[random.Random], dict[str, Any]]] = [_long_text, _binary, _many_entries]
    folder = root / DATABASE
    stream = ({"_id": _object_id(draw, n), "n": n, **makers[n % len(makers)](draw)} for n in range(documents))
    return keep(root, Data(str(folder), "large", documents, _write(folder, "scans", stream), seed))


def found(root: Path) -> Data | None:
    """Return the set that was written into `root` before; None when there is none or its writing was cut short."""
    about = root / "about.json"
    return Data(**json.loads(about.read_text(encoding="utf-8"))) if about.exists() else None


def keep(root: Path, data: Data) -> Data:
    """Note that a set is written whole, so that it can be `found`; return it."""
    (root / "about.json").write_text(json.dumps(asdict(data)), encoding="utf-8")
    return data


def _task(draw: random.Random, number: int, people: list[ObjectId], labels: list[ObjectId]) -> dict[str, Any]:
    return {
        "_id": _object_id(draw, number),
        "title": _text(draw, draw.randrange(2, 6)),
        "rank": draw.randrange(-1_000_000, 1_000_000),
        "views": Int64(draw.getrandbits(40)),
        "score": draw.random() * 1_000,
        "dueAt": _BEGIN + timedelta(milliseconds=draw.randrange(5 * 365 * 86_400_000)),
        "owner": draw.choice(people),
        "tags": draw.sample(_WORDS, 2),
        "place": {"city": draw.choice(_WORDS), "zone": draw.randrange(100)},
        "labels": draw.sample(labels, 3),
    }


def _object_id(draw: random.Random, number: int) -> ObjectId:
    """Return an ObjectId as a driver makes them: seconds, five random bytes, a counter; ascending with `number`."""
    seconds = int(_BEGIN.timestamp()) + number // 50
    return ObjectId(struct.pack(">I", seconds) + draw.randbytes(5) + struct.pack(">I", number % (1 << 24))[1:])


def _text(draw: random.Random, words: int) -> str:
    return " ".join(draw.choices(_WORDS, k=words))


def _long_text(draw: random.Random) -> dict[str, Any]:
    line = "".join(draw.choices("abcdefghijklmnopqrstuvwxyz äöü\n", k=4_096))
    size = LARGE_BYTES - 100
    return {"text": (line * (size // len(line.encode()) + 1)).encode()[:size].decode("utf-8", "ignore")}


def _binary(draw: random.Random) -> dict[str, Any]:
    return {"bytes": Binary(draw.randbytes(LARGE_BYTES - 100))}


def _many_entries(draw: random.Random) -> dict[str, Any]:
    entry = {"word": _text(draw, 3), "at": _BEGIN, "count": Int64(draw.getrandbits(40)), "ratio": draw.random()}
    one = len(bson.encode(entry)) + len("x000000x")
    return {"entries": [entry] * ((LARGE_BYTES - 100) // one)}


def _write(folder: Path, collection: str, documents: Iterator[dict[str, Any]]) -> int:
    """Write one collection as mongodump does; return its bytes. Holds one document and a buffer of 1 MiB."""
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    with (folder / f"{collection}.bson").open("wb", buffering=_FLUSH_BYTES) as file:
        for document in documents:
            written += file.write(bson.encode(document))
    about = {
        "options": {},
        "indexes": [{"v": 2, "key": {"_id": 1}, "name": "_id_"}],
        "collectionName": collection,
        "type": "collection",
    }
    (folder / f"{collection}.metadata.json").write_text(json.dumps(about), encoding="utf-8")
    return written


def main() -> None:
    """Write one set and print what it is as JSON."""
    parser = argparse.ArgumentParser(description="Write the data of the benchmarks as a mongodump folder.")
    parser.add_argument("kind", choices=["small", "large"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--documents", type=int)
    arguments = parser.parse_args()
    make = small if arguments.kind == "small" else large
    data = make(arguments.folder, arguments.documents) if arguments.documents else make(arguments.folder)
    print(json.dumps(asdict(data)))


if __name__ == "__main__":
    main()
