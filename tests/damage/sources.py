"""Sources that are not what was copied, and mappings that are not those of the copy. The target is untouched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bson

from tests.damage.case import ANY, Case, Named, became, both, counted
from tests.damage.rows import order, pair, person
from tests.damage.source import THINGS, database, oid
from tests.damage.values import thing
from tests.fix_dumps import file_name, write_collection

Plain = dict[str, Any]


def _rewritten(collection: str, change: Callable[[list[Plain]], object]) -> Callable[[Path], None]:
    """Return what writes a collection of the dump again, with its documents changed."""

    def rewrite(folder: Path) -> None:
        documents = database()[collection]
        change(documents)
        write_collection(folder, collection, documents)

    return rewrite


def _changed(collection: str, number: int, **values: Any) -> Callable[[Path], None]:
    return _rewritten(collection, lambda documents: documents[number].update(values))


def _removed(folder: Path, collection: str) -> None:
    for ending in ("bson", "metadata.json"):
        (folder / f"{file_name(collection)}.{ending}").unlink()


def _renamed(folder: Path, collection: str, name: str) -> None:
    _removed(folder, collection)
    _write(folder, name, database()[collection])


def _write(folder: Path, collection: str, documents: list[Plain]) -> None:
    write_collection(folder, collection, documents)


def _cut(folder: Path, collection: str, length: int) -> None:
    path = folder / f"{file_name(collection)}.bson"
    path.write_bytes(path.read_bytes()[:-length])


def _swapped(folder: Path) -> None:
    """Two documents of one collection change places; nothing else."""
    documents = database()["stays"]
    write_collection(folder, "stays", [documents[1], documents[0], *documents[2:]])


def _changed_mapping(old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder.parents[1] / "mapping.yaml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    return change


_COLLECTION = 'Things "ü" %'
_LEVEL = _rewritten("log", lambda documents: documents[7].update(level=5))

CASES = [
    Case(
        "document of the source changed",
        (Named("counts", _COLLECTION, None, "(source)"), *both(THINGS, thing("second"), "i")),
        dump=_changed(_COLLECTION, 2, i=140_003),
    ),
    Case(
        "field of a document of the source removed",
        (
            Named("counts", "people", None, "(source)"),
            *both("people", person("hal"), "team_id"),
        ),
        dump=_rewritten("people", lambda documents: documents[7].pop("team")),
    ),
    Case(
        "element of an array of the source changed",
        (Named("counts", "Orders.2024", None, "(source)"), *both("order_lines", order(5, 0), "count")),
        dump=_changed("Orders.2024", 1, lines=[{"sku": "d", "count": 4}, database()["Orders.2024"][1]["lines"][1]]),
    ),
    Case(
        "pair of the source changed",
        (
            Named("counts", "products", None, "(source)"),
            Named("checksum", "person_likes", ANY, "(row)"),
            Named("samples", "person_likes", ANY, "(row)"),
        ),
        dump=_changed("products", 1, fans=[oid(8)]),
        may=(Named("counts", "person_likes", None, "(rows)"),),
    ),
    Case(
        "document added to the source",
        (
            Named("counts", "stays", None, "(source)"),
            Named("counts", "stays", None, "(rows)"),
            Named("checksum", "stays", ANY, "(row)"),
            Named("samples", "stays", ANY, "(row)"),
            *counted("stays", "what", "nights"),
        ),
        dump=_rewritten("stays", lambda documents: documents.append({"_id": 6, "what": "new", "nights": 2})),
    ),
    Case(
        "document of the source that is refused added",
        (
            Named("counts", "log", None, "(source)"),
            Named("counts", "log", "00000000000000000000018f", "(document)"),
        ),
        dump=_rewritten("log", lambda documents: documents.append({"_id": oid(399), "level": "no number"})),
    ),
    Case(
        "document removed from the source",
        (
            Named("counts", "stays", None, "(source)"),
            Named("counts", "stays", None, "(rows)"),
            Named("checksum", "stays", "SELECT id::text FROM stays WHERE what = 'a number'", "(row)"),
            *counted("stays", "what", "nights"),
        ),
        dump=_rewritten("stays", lambda documents: documents.pop()),
    ),
    Case(
        "document removed from the source whose row's array holds an orphan",
        (
            Named("counts", "people", None, "(source)"),
            Named("counts", "people", None, "(rows)"),
            Named("checksum", "people", person("ann"), "(row)"),
            Named("checksum", "person_likes", pair("ann", "milk"), "(row)"),
        ),
        dump=_rewritten("people", lambda documents: documents.pop(0)),
        may=(Named("counts", "person_likes", None, "(rows)"), Named("counts", "people", None, "mail")),
    ),
    Case(
        "document of a dead letter removed from the source",
        (
            Named("counts", _COLLECTION, None, "(source)"),
            Named("counts", _COLLECTION, None, "(dead letters)"),
        ),
        dump=_rewritten(_COLLECTION, lambda documents: documents.pop()),
    ),
    Case(
        "document of a dead letter corrected in the source",
        (
            Named("counts", _COLLECTION, None, "(source)"),
            Named("counts", _COLLECTION, None, "(dead letters)"),
            Named("counts", THINGS, None, "(rows)"),
            Named("checksum", THINGS, ANY, "(row)"),
            Named("samples", THINGS, ANY, "(row)"),
            *counted(THINGS, "label", "i"),
        ),
        dump=_changed(_COLLECTION, 9, i=1),
    ),
    Case(
        "skipped document of the source no longer meets its condition",
        (
            Named("counts", "people", None, "(source)"),
            Named("counts", "people", None, "(rows)"),
            Named("checksum", "people", ANY, "(row)"),
            Named("samples", "people", ANY, "(row)"),
            *became("people", "since"),
        ),
        dump=_changed("people", 9, gone=False),
        may=(Named("types", "people", None, ANY),),
    ),
    Case(
        "document of a table without key changed",
        (
            Named("counts", "log", None, "(source)"),
            Named("checksum", "log", "line 3/5/NULL", "(row)"),
            Named("checksum", "log", "line 3/1/NULL", "(row)"),
            Named("samples", "log", ANY, "(row)"),
        ),
        dump=_LEVEL,
        may=(Named("types", "log", None, "level"),),
    ),
    Case(
        "documents of the source in another order",
        dump=_swapped,
        code=0,
    ),
    *(
        Case(name, dump=change, code=3, refused="source-differs")
        for name, change in {
            "collection added to the source": lambda folder: _write(folder, "new", [{"_id": 1}]),
            "empty collection added to the source": lambda folder: _write(folder, "new", []),
            "collection removed from the source": lambda folder: _removed(folder, "rates"),
            "empty collection removed from the source": lambda folder: _removed(folder, "nothing"),
            "collection of the source renamed": lambda folder: _renamed(folder, "products", "Products"),
            "empty collection of the source renamed": lambda folder: _renamed(folder, "nothing", "Nothing"),
        }.items()
    ),
    Case(
        "collection of the source emptied",
        (
            Named("counts", "invoices", None, "(rows)"),
            Named("counts", "notes", None, "(rows)"),
            Named("counts", "papers", None, "(source)"),
            Named("counts", "papers", None, "(dead letters)"),
            Named("checksum", "invoices", "SELECT id::text FROM invoices", "(row)"),
            Named("checksum", "notes", "SELECT id::text FROM notes", "(row)"),
        ),
        dump=lambda folder: _write(folder, "papers", []),
    ),
    Case(
        "file of the source cut off in a document",
        (
            Named("counts", "stays", None, "(source)"),
            Named("counts", "stays", None, "(rows)"),
            Named("checksum", "stays", "SELECT id::text FROM stays WHERE what = 'a number'", "(row)"),
        ),
        dump=lambda folder: _cut(folder, "stays", 3),
        may=(Named("types", "stays", None, ANY),),
    ),
    Case(
        "file of the source cut off between documents",
        (
            Named("counts", "stays", None, "(source)"),
            Named("counts", "stays", None, "(rows)"),
            Named("checksum", "stays", "SELECT id::text FROM stays WHERE what = 'a number'", "(row)"),
            *counted("stays", "what", "nights"),
        ),
        dump=lambda folder: _cut(folder, "stays", len(bson.encode(database()["stays"][3]))),
    ),
    Case("another source", arguments=("--source", "{other}"), code=3, refused="source-differs"),
    Case("source that is not there", arguments=("--source", "{other}/none"), code=3, refused="no-such-source"),
    Case(
        "another mapping",
        dump=_changed_mapping("n2: numeric(10,2)", "n2: numeric(11,2)"),
        code=2,
        refused="mapping-changed",
    ),
    Case(
        "mapping that drops a field",
        dump=_changed_mapping("      bo: boolean\n", '      bo: {drop: "nobody asks"}\n'),
        code=2,
        refused="mapping-changed",
    ),
    Case("layer that does not exist", arguments=("--layers", "counts,rows"), code=2, refused="unknown-layer"),
]
