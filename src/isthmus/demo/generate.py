"""Write the sample database as a mongodump folder, and beside it the truth about what is in it.

Run it with `python -m isthmus.demo.generate FOLDER [SEED]`. The same seed writes the same documents, byte for byte
(compressed files may differ between zlib versions, their content does not).
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import bson
from bson import ObjectId

from isthmus.demo.database import Database, make_database
from isthmus.demo.faults import Faults, plant
from isthmus.demo.truth import expected

SEED = 20_260_301
DATABASE = "crm"
COMPRESSED = frozenset({"Documents"})
UNIQUE = {"Users": "email"}
VIEW = "OpenTasks"


def files(seed: int = SEED) -> dict[str, bytes]:
    """Make the sample.

    Returns:
        Content of every file by its path below the target folder; those that end in `.gz` not yet compressed.
    """
    database = make_database(seed)
    faults = plant(database)
    made: dict[str, bytes] = {}
    for name, documents in sorted(database.collections.items()):
        ending = ".gz" if name in COMPRESSED else ""
        raw = (_encoded(one, faults) for one in documents)
        made[f"dump/{DATABASE}/{name}.bson{ending}"] = b"".join(raw)
        made[f"dump/{DATABASE}/{name}.metadata.json{ending}"] = _metadata(name)
    made[f"dump/{DATABASE}/{VIEW}.metadata.json"] = _view()
    made["truth.json"] = _truth(seed, database, faults)
    return made


def write(folder: Path, seed: int = SEED) -> None:
    """Write the sample below `folder`; files that are there are overwritten."""
    for name, content in files(seed).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)


def _encoded(document: dict[str, Any], faults: Faults) -> bytes:
    raw = bson.encode(document)
    identity = document["_id"]
    patch = faults.patches.get(identity) if isinstance(identity, ObjectId) else None
    return patch(raw) if patch is not None else raw


def _metadata(name: str) -> bytes:
    """Return a collection's metadata as mongodump writes it: canonical Extended JSON."""
    indexes: list[dict[str, object]] = [_index("_id", "_id_")]
    if name in UNIQUE:
        indexes.append({**_index(UNIQUE[name], f"{UNIQUE[name]}_1"), "unique": True})
    identity = name.encode().hex().ljust(32, "0")[:32]
    metadata = {"indexes": indexes, "uuid": identity, "collectionName": name, "type": "collection"}
    return json.dumps(metadata, separators=(",", ":")).encode()


def _index(path: str, name: str) -> dict[str, object]:
    return {"v": {"$numberInt": "2"}, "key": {path: {"$numberInt": "1"}}, "name": name}


def _view() -> bytes:
    options: dict[str, object] = {"viewOn": "Tasks", "pipeline": [{"$match": {"taskStatus": "ACTIVE"}}]}
    metadata: dict[str, object] = {"options": options, "indexes": (), "collectionName": VIEW, "type": "view"}
    return json.dumps(metadata, separators=(",", ":")).encode()


def _truth(seed: int, database: Database, faults: Faults) -> bytes:
    truth = {"seed": seed, "database": DATABASE, "planted": faults.planted, "expected": expected(database, faults)}
    return (json.dumps(truth, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def main(arguments: list[str]) -> int:
    """Write the sample; see the module's text for the arguments."""
    if not 1 <= len(arguments) <= 2 or (len(arguments) == 2 and not arguments[1].isdigit()):
        print("usage: python -m isthmus.demo.generate FOLDER [SEED]", file=sys.stderr)
        return 2
    write(Path(arguments[0]), int(arguments[1]) if len(arguments) == 2 else SEED)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
