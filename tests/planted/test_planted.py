"""What the generators write is what they say: counted again from the bytes, looked up again, read back by others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from bson import BSON, json_util

from tests.fix_mongo import MongoDatabase
from tests.planted import crm, random_database
from tests.planted.database import Database
from tests.planted.random_database import Settings
from tests.planted.recount import Found, Recount, elements, hits_of, key_of, read_dump, values_at
from tests.planted.tally import TYPE_NAMES
from tests.planted.truth import ITEMS, Hits, Reference, Truth, read_truth
from tests.planted.write import Written, load, write_dump

ROOT = Path(__file__).parents[2]
MAKERS: dict[str, Callable[[], Database]] = {
    "crm": lambda: crm.generate(seed=1, documents=600),
    "crm-large": lambda: crm.generate(seed=1, documents=2000),
    "crm-small": lambda: crm.generate(seed=2, documents=1),
    "random": lambda: random_database.generate(seed=1, settings=Settings(documents=500)),
    "random-many": lambda: random_database.generate(seed=2, settings=Settings(collections=12, references=30)),
    "random-one": lambda: random_database.generate(seed=3, settings=Settings(collections=1, documents=100)),
    "random-tidy": lambda: random_database.generate(seed=4, settings=Settings(documents=400, odd=False)),
}
FORMS = {"object_id", "hex", "dbref", "id", "natural"}


@cache
def made(name: str) -> Database:
    """Return a database that several tests look at and none changes."""
    return MAKERS[name]()


@pytest.fixture(params=list(MAKERS))
def database(request: pytest.FixtureRequest) -> Database:
    """Each database in turn."""
    return made(request.param)


@pytest.fixture
def written(database: Database, tmp_path: Path) -> Written:
    """The database as a dump."""
    return write_dump(database, tmp_path)


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


# Written and read back.


@pytest.mark.parametrize("generator", ["crm", "random"])
def test_bytes_of_another_process_are_the_same(generator: str, tmp_path: Path) -> None:
    # Sets of texts have another order in another process.
    for number in ("1", "2"):
        command = [sys.executable, "-m", "tests.planted", generator, str(tmp_path / number), "--seed", "5"]
        environment = {**os.environ, "PYTHONHASHSEED": number}
        subprocess.run([*command, "--documents", "300"], cwd=ROOT, env=environment, check=True, capture_output=True)
    first, second = contents(tmp_path / "1"), contents(tmp_path / "2")
    assert "truth.json" in first
    assert first == second


@pytest.mark.parametrize("generate", [crm.generate, random_database.generate])
def test_another_seed_gives_other_documents(generate: Callable[..., Database]) -> None:
    first, second = (generate(seed=seed).collections for seed in (1, 2))
    both = set(first) & set(second)
    assert not any(set(first[name].documents) & set(second[name].documents) for name in both)


def test_dump_holds_the_documents_in_order(database: Database, written: Written) -> None:
    expected = {name: one.documents for name, one in database.collections.items() if one.kind != "view"}
    assert read_dump(written.dump) == expected


def test_compressed_dump_holds_the_same(database: Database, tmp_path: Path) -> None:
    plain, packed = (write_dump(database, tmp_path / str(flag), compressed=flag) for flag in (False, True))
    assert not list(packed.dump.glob("*.bson"))
    assert read_dump(packed.dump) == read_dump(plain.dump)


def test_metadata_name_every_collection_and_index(database: Database, written: Written) -> None:
    said = [json_util.loads(file.read_text()) for file in written.dump.glob("*.metadata.json")]
    assert {one["collectionName"] for one in said} == set(database.collections)
    for metadata in said:
        truth = database.truth.collection(metadata["collectionName"])
        assert metadata["options"] == truth.options
        assert (metadata["type"] == "view") == (truth.kind == "view")
        names = [index["name"] for index in metadata["indexes"]]
        assert names == ([] if truth.kind == "view" else ["_id_", *(index.name for index in truth.indexes)])
        for index in metadata["indexes"][1:]:
            planted = next(one for one in truth.indexes if one.name == index["name"])
            if "weights" not in index:
                assert [list(part) for part in index["key"].items()] == planted.keys
            assert {key: index[key] for key in planted.options} == planted.options


def test_truth_comes_back_from_its_file(database: Database, written: Written) -> None:
    assert read_truth(written.truth) == database.truth
    assert Truth.from_json(database.truth.to_json()) == database.truth
    assert isinstance(json.loads(written.truth.read_text(encoding="ascii")), dict)


@pytest.mark.parametrize("name", ["crm", "random-tidy"])
def test_server_holds_the_same_bytes(name: str, mongo: MongoDatabase) -> None:
    database = made(name)
    without = load(database, mongo.client, mongo.name)
    text = [index.name for one in database.truth.collections for index in one.indexes if "text" in index.name]
    assert without in ([], text)
    for collection, expected in database.collections.items():
        if expected.kind == "view":
            continue
        held: Any = mongo.client[mongo.name].get_collection(collection).find_raw_batches({}, batch_size=100)
        found = [document for batch in held for document in cut(batch)]
        assert Counter(found) == Counter(expected.documents), collection
        indexes = mongo.client[mongo.name][collection].index_information()
        assert set(indexes) == {"_id_", *(index.name for index in expected.indexes)} - set(without)
        for index in expected.indexes:
            if index.name not in without:
                assert {key: indexes[index.name].get(key) for key in index.options} == index.options


def cut(batch: bytes) -> Iterable[bytes]:
    """Cut a batch of a server into documents."""
    while batch:
        size = int.from_bytes(batch[:4], "little")
        yield batch[:size]
        batch = batch[size:]


def test_driver_reads_what_is_sound() -> None:
    for name in ("crm", "random-tidy"):
        for collection in made(name).collections.values():
            for raw in collection.documents:
                # Nothing stands twice and no key lies: the driver writes the same bytes again, array keys and all.
                decoded: dict[str, Any] = BSON(raw).decode()
                assert BSON.encode(decoded) == raw


# Counted again.


def test_counts_equal_a_recount(database: Database, written: Written) -> None:
    read = read_dump(written.dump)
    for truth in database.truth.collections:
        documents = read.get(truth.name, [])
        sizes = list(map(len, documents))
        recount = Recount(documents, truth.maps)
        assert (truth.documents, truth.bytes) == (len(sizes), sum(sizes))
        assert (truth.smallest, truth.largest) == (min(sizes, default=0), max(sizes, default=0))
        assert truth.paths == recount.paths()
        assert truth.key_oddities == recount.key_oddities()
        assert {tuple(one.path): (one.documents, one.distinct) for one in truth.maps} == recount.maps()
        assert truth.refused == recount.refused()


def test_counts_of_a_document_by_hand() -> None:
    from tests.generators import bson_writer as bw
    from tests.planted.nodes import document, encode
    from tests.planted.tally import Tally

    tree = document(
        [
            ("_id", 1),
            ("a", "hidden"),
            ("a", float("nan")),
            ("list", [{"x": None}, {}, 5, {"x": "n\0l"}, {"x": "\0"}]),
            ("by", {"2024-01-01": 1, "2024-01-02": "two"}),
            ("$k", bw.datetime_ms(1 << 60)),
        ]
    )
    raw = encode(tree)
    tally = Tally({("by",): "day"})
    tally.count(tree, len(raw))
    tally.count(document({"_id": 2, "a": None}), 20)
    truth = tally.truth("c", kind="collection", options={}, indexes=[])

    assert (truth.documents, truth.bytes, truth.smallest) == (2, len(raw) + 20, 20)
    assert (truth.at("a").null, truth.at("a").present, truth.at("a").types) == (1, 1, {"double": 1, "null": 1})
    assert (truth.at("list").missing, truth.at("list").array_items) == (1, [5, 5])
    assert truth.at("list", ITEMS).types == {"int": 1, "object": 4}
    inner = truth.at("list", ITEMS, "x")
    assert (inner.parents, inner.missing, inner.null, inner.present) == (4, 1, 1, 2)
    assert inner.string_bytes == [1, 3]
    assert truth.at("by", "{}").types == {"int": 1, "string": 1}
    assert [(one.documents, one.distinct) for one in truth.maps] == [(1, 2)]
    assert [(one.path, one.kind) for one in truth.key_oddities] == [(["$k"], "dollar"), (["a"], "duplicate")]
    found = [(one.path, one.kind, one.values, one.documents) for one in truth.refused]
    assert found == [(["$k"], "date-range", 1, 1), (["a"], "nan", 1, 1), (["list", ITEMS, "x"], "nul", 2, 1)]
    assert Recount([raw], truth.maps).refused() == truth.refused


# Looked up again.


class LookUp:
    """Looks the values of a dump up among its keys."""

    def __init__(self, folder: Path, truth: Truth) -> None:
        self.documents = read_dump(folder)
        self.listed = {
            (place.collection, place.path[0]): [
                key_of(found) for _, found, _ in values_at(self.documents[place.collection], place.path)
            ]
            for place in truth.keys
        }
        self.known = {place: set(keys) for place, keys in self.listed.items()}
        self.ids = {
            name: [key_of(dict(elements(raw))[b"_id"]) for raw in documents]
            for name, documents in self.documents.items()
        }

    def held(self, reference: Reference) -> tuple[list[tuple[int, str, Any]], int]:
        """Return documents, forms and keys of a reference's values, and how many others there are."""
        held: list[tuple[int, str, Any]] = []
        others = 0
        for number, found, beside in values_at(self.documents[reference.collection], reference.path):
            if reference.type_path is not None:
                kind = beside[reference.type_path[-1].encode()]
                if kind.raw[4:-1].decode() != reference.type_value:
                    continue
            form, key = taken(found, reference)
            if form == "another":
                continue
            if form == "other":
                others += 1
            else:
                held.append((number, form, key))
        return held, others

    def pairs(self, reference: Reference) -> set[tuple[Any, Any]]:
        """Return the `_id`s of documents and the keys they name."""
        held, _ = self.held(reference)
        return {(self.ids[reference.collection][number], key) for number, _, key in held}


def taken(found: Found, reference: Reference) -> tuple[str, Any]:
    """Return form and key of a value: `other` for what is no reference, `another` for one to another collection."""
    if found.type == "object":
        parts = dict(elements(found.raw))
        if b"$ref" in parts:
            meant = parts[b"$ref"].raw[4:-1].decode() == reference.target
            return ("dbref", key_of(parts[b"$id"])) if meant else ("another", None)
    if reference.target_path != ["_id"]:
        return "natural", key_of(found)
    if found.type == "objectId":
        return "object_id", key_of(found)
    if found.type == "string":
        text = found.raw[4:-1].decode()
        if text in ("", "N/A", "unknown"):
            return "other", None
        if len(text) == 24 and set(text) <= set("0123456789abcdef"):
            return "hex", ("objectId", bytes.fromhex(text))
    return "id", key_of(found)


def test_keys_are_unique_and_everywhere(database: Database, written: Written) -> None:
    look_up = LookUp(written.dump, database.truth)
    for (collection, field), keys in look_up.listed.items():
        assert len(keys) == len(set(keys)) == database.truth.collection(collection).documents, (collection, field)


def test_references_equal_a_look_up(database: Database, written: Written) -> None:
    look_up = LookUp(written.dump, database.truth)
    assert database.truth.references
    for truth in database.truth.references:
        held, others = look_up.held(truth)
        keys = [key for _, _, key in held]
        known = look_up.known[truth.target, truth.target_path[0]]
        place = (truth.collection, truth.path, truth.target)
        assert truth.values == len(keys), place
        assert truth.distinct == len(set(keys)), place
        assert truth.documents == len({number for number, _, _ in held}), place
        assert truth.forms == Counter(form for _, form, _ in held), place
        assert truth.orphans == sum(key not in known for key in keys), place
        assert truth.others == others, place
        assert truth.hits == hits_of(keys, look_up.known), place
        naming = Counter(key for _, key in {(number, key) for number, _, key in held})
        many = "many" if max(naming.values()) > 1 else "one"
        assert truth.cardinality == f"{many}_to_{'many' if ITEMS in truth.path else 'one'}", place


def test_relations_equal_a_look_up(database: Database, written: Written) -> None:
    look_up = LookUp(written.dump, database.truth)
    at = {(one.collection, tuple(one.path)): one for one in database.truth.references}
    for truth in database.truth.relations:
        one, other = (at[side.collection, tuple(side.path)] for side in (truth.left, truth.right))
        assert (one.other_side, other.other_side) == (truth.right, truth.left)
        left, right = look_up.pairs(one), {(key, holder) for holder, key in look_up.pairs(other)}
        assert (truth.both, truth.left_only, truth.right_only) == tuple(
            map(len, (left & right, left - right, right - left))
        )
        lefts, rights = look_up.known[one.collection, "_id"], look_up.known[other.collection, "_id"]
        assert truth.dangling == sum(here not in lefts or there not in rights for here, there in left | right)


def test_distractors_equal_a_look_up(database: Database, written: Written) -> None:
    look_up = LookUp(written.dump, database.truth)
    for truth in database.truth.distractors:
        keys = [as_number(found) for _, found, _ in values_at(look_up.documents[truth.collection], truth.path)]
        elsewhere = {place: one for place, one in look_up.known.items() if place != (truth.collection, truth.path[0])}
        assert (truth.values, truth.hits) == (len(keys), hits_of(keys, elsewhere)), truth


def as_number(found: Found) -> Any:
    """Return a key, or the number that a careless reader sees."""
    if found.type in ("bool", "date"):
        return "number", int.from_bytes(found.raw, "little", signed=True)
    return key_of(found)


def test_references_and_distractors_have_paths_of_their_own(database: Database) -> None:
    truth = database.truth
    references = {(one.collection, tuple(one.path)) for one in truth.references}
    distractors = {(one.collection, tuple(one.path)) for one in truth.distractors}
    assert not references & distractors
    shared = Counter((one.collection, tuple(one.path)) for one in truth.references)
    for one in truth.references:
        if shared[one.collection, tuple(one.path)] > 1:
            assert one.type_value is not None or one.form == "dbref"


def test_whatever_coincides_with_keys_is_declared(database: Database, written: Written) -> None:
    truth = database.truth
    look_up = LookUp(written.dump, truth)
    declared = {(one.collection, *one.path) for one in [*truth.references, *truth.distractors]}
    declared |= {(one.collection, *one.path, "$id") for one in truth.references if "dbref" in one.forms}
    for collection in truth.collections:
        for path in collection.paths:
            place = (collection.name, *path.path)
            if place in declared:
                continue
            found = [found for _, found, _ in values_at(look_up.documents.get(collection.name, []), path.path)]
            keys = [read_as_id(one) for one in found if one.type not in ("array", "bool", "date")]
            for key_place, known in look_up.known.items():
                coinciding = sum(key in known for key in keys)
                assert place == key_place or coinciding < 3 or coinciding < 0.3 * len(keys), (place, key_place)


def read_as_id(found: Found) -> Any:
    """Return a key, that of an ObjectId if a text may be one."""
    text = found.raw[4:-1]
    if found.type == "string" and len(text) == 24 and set(text) <= set(b"0123456789abcdef"):
        return "objectId", bytes.fromhex(text.decode())
    return key_of(found)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 160))
def test_any_settings_give_a_true_truth(seed: int, tmp_path: Path) -> None:
    settings = Settings(
        collections=1 + seed % 20,
        documents=100 + seed % 7 * 60,
        references=1 + seed % 25,
        relations=seed % 4,
        distractors=seed % 9,
        orphan_rate=seed % 5 * 0.05,
        stray_rate=seed % 3 * 0.02,
        reuse_rate=seed % 4 * 0.3,
        odd=bool(seed % 3),
    )
    databases = random_database.generate(seed=seed, settings=settings), crm.generate(seed=seed, documents=seed)
    for database in databases:
        written = write_dump(database, tmp_path / database.name)
        test_counts_equal_a_recount(database, written)
        test_keys_are_unique_and_everywhere(database, written)
        test_references_equal_a_look_up(database, written)
        test_relations_equal_a_look_up(database, written)
        test_distractors_equal_a_look_up(database, written)
        test_whatever_coincides_with_keys_is_declared(database, written)


# Everything occurs.


def references_of(database: Database, fits: Callable[[Reference], bool]) -> list[Reference]:
    """Return the references that fit."""
    return [one for one in database.truth.references if fits(one)]


FORMS_OF_CRM: dict[str, Callable[[Reference], bool]] = {
    "ObjectId": lambda one: one.forms.keys() == {"object_id"} and len(one.path) == 1,
    "hex text": lambda one: one.forms.keys() == {"hex"},
    "both in one field": lambda one: one.forms.keys() == {"object_id", "hex"},
    "DBRef": lambda one: one.form == "dbref" and one.type_path is None,
    "array": lambda one: one.path[-1] == ITEMS and one.other_side is None,
    "array on both sides": lambda one: one.other_side is not None and one.form == "object_id",
    "array on both sides, hex": lambda one: one.other_side is not None and one.form == "hex",
    "in a sub-document": lambda one: len(one.path) == 2 and ITEMS not in one.path,
    "in an array of sub-documents": lambda one: one.path[-2:-1] == [ITEMS] and one.path.count(ITEMS) == 1,
    "in an array in an array": lambda one: one.path.count(ITEMS) == 2,
    "natural text": lambda one: one.target_path == ["email"] and one.path[-1] != ITEMS,
    "natural number": lambda one: one.target_path == ["number"],
    "array of natural keys": lambda one: one.target_path == ["email"] and one.path[-1] == ITEMS,
    "polymorphic by a field": lambda one: one.type_value == "Task",
    "polymorphic in an array": lambda one: one.type_value == "contact" and ITEMS in one.path,
    "to itself": lambda one: one.collection == one.target,
    "number _id": lambda one: one.target == "products" and one.form == "id",
    "text _id": lambda one: one.target == "sections" and one.form == "id",
    "compound _id": lambda one: one.target == "invoices" and one.form == "id",
    "orphans": lambda one: one.orphans > 0,
    "no reference at all": lambda one: one.others > 0,
}


@pytest.mark.parametrize("form", list(FORMS_OF_CRM))
def test_form_occurs_in_the_crm(form: str) -> None:
    assert references_of(made("crm-large"), FORMS_OF_CRM[form])


def test_two_fields_of_a_collection_name_one_collection_in_the_crm() -> None:
    fields = {tuple(one.path) for one in made("crm").truth.references if one.collection == "opportunities"}
    assert {("created_by",), ("assigned_to",)} <= fields


@pytest.mark.parametrize("documents", [1, 500])
@pytest.mark.parametrize("seed", range(5))
def test_every_form_occurs_in_every_crm(seed: int, documents: int) -> None:
    truth = crm.generate(seed=seed, documents=documents).truth
    assert {form for one in truth.references for form in one.forms} == FORMS
    assert {one.name for one in truth.collections} == set(crm.SHARES)
    assert len(truth.relations) == 4
    looks = {"name", "ids_of_nothing", "reused_ids", "small_int", "boolean", "date", "year"}
    assert {one.kind for one in truth.distractors} == {*looks, "part_of_key", "shared_text"}
    assert not any(one.refused for one in truth.collections)


def test_crm_is_as_large_as_it_was_told() -> None:
    truth = crm.generate(seed=1, documents=3000).truth
    assert sum(one.documents for one in truth.collections) == pytest.approx(3000, rel=0.02)


def test_distractors_of_the_crm_coincide_with_keys() -> None:
    found = {(one.collection, one.path[-1]): one for one in made("crm").truth.distractors}
    for place in (("tasks", "priority"), ("invoices", "quantity"), ("activities", "reminder")):
        one = found[place]
        assert one.hits == [Hits("products", ["_id"], one.values)]
    assert found["accounts", "founded"].hits[0].path == ["number"]
    assert found["contacts", "_id"].hits[0].collection == "leads"
    assert found["leads", "email"].hits
    assert not found["activities", "session_id"].hits


def test_everything_odd_occurs_in_random_databases() -> None:
    truths = [random_database.generate(seed=seed, settings=Settings(documents=300)).truth for seed in range(12)]
    collections = [one for truth in truths for one in truth.collections]
    paths = [path for one in collections for path in one.paths]
    refused = {"nul", "invalid-utf8", "date-range", "nan", "infinity", "decimal-nan", "decimal-infinity", "wide-id"}
    assert {one.kind for collection in collections for one in collection.refused} == refused
    odd = {"dot", "dollar", "empty", "long", "invalid-utf8", "duplicate"}
    assert {one.kind for collection in collections for one in collection.key_oddities} == odd
    assert {one.keys for collection in collections for one in collection.maps} == {
        "object-id",
        "day",
        "number",
        "email",
    }
    assert {name for path in paths for name in path.types} == set(TYPE_NAMES.values())
    assert {one.kind for one in collections} == {"collection", "capped", "view", "gridfs"}
    assert {form for truth in truths for one in truth.references for form in one.forms} == FORMS
    assert max(len(path.path) for path in paths) > 50
    assert any(path.missing and path.null and path.present for path in paths)
    assert any(0 < path.present < path.parents * 0.05 for path in paths)
    assert any(len(path.types) == 2 and "null" not in path.types for path in paths)
    assert any(path.values and 1 < len(path.values) < 6 and "string" in path.types for path in paths)
    assert any(ITEMS in path.path and "object" in path.types for path in paths)
    assert any(one.type_value for truth in truths for one in truth.references)
    assert any(truth.relations for truth in truths)
    identifiers = {name for one in collections for path in one.paths if path.path == ["_id"] for name in path.types}
    assert identifiers == {"objectId", "int", "string", "binData", "object"}


@pytest.mark.parametrize("seed", range(10))
def test_tidy_databases_hold_nothing_that_is_refused(seed: int) -> None:
    truth = random_database.generate(seed=seed, settings=Settings(documents=300, odd=False)).truth
    assert not any(one.refused for one in truth.collections)
    assert {oddity.kind for one in truth.collections for oddity in one.key_oddities} <= {"dot"}


# Rates.


def test_rates_are_kept() -> None:
    settings = Settings(documents=6000, references=20, orphan_rate=0.05, stray_rate=0.03, reuse_rate=0.4, odd=False)
    truth = random_database.generate(seed=7, settings=settings).truth
    arrays_on_both_sides = {place for one in truth.relations for place in (one.left.collection, one.right.collection)}
    assert arrays_on_both_sides
    by_id = [one for one in truth.references if one.other_side is None and one.target_path == ["_id"]]
    values, orphans = sum(one.values for one in by_id), sum(one.orphans for one in by_id)
    assert 0.06 < orphans / values < 0.09
    first, second = (one for one in truth.distractors if one.kind == "reused_ids")
    assert first.hits[0].values == second.hits[0].values == pytest.approx(second.values * 0.4, abs=1)
    assert all(one.hit_rate == 1 - one.orphans / one.values for one in truth.references)


def test_sound_databases_have_no_orphans() -> None:
    settings = Settings(orphan_rate=0, stray_rate=0, reuse_rate=0, odd=False)
    for seed in range(5):
        truth = random_database.generate(seed=seed, settings=settings).truth
        assert not any(one.orphans for one in truth.references)
        assert not any(one.dangling for one in truth.relations)
        assert not any(one.kind == "reused_ids" for one in truth.distractors)
        # Every value hits its target, and nothing else but by being the target's number or text.
        assert all(one.hits == [Hits(one.target, one.target_path, one.values)] for one in truth.references)


def test_settings_are_in_the_truth() -> None:
    settings = replace(Settings(), documents=100, orphan_rate=0.25)
    truth = random_database.generate(seed=9, settings=settings).truth
    assert Settings(**truth.settings) == settings
    assert truth.seed == 9


# The package.


def test_nothing_of_isthmus_is_imported() -> None:
    modules = sorted(file.stem for file in Path(__file__).parent.glob("*.py") if not file.stem.startswith("test_"))
    imports = "\n".join(f"import tests.planted.{name}" for name in modules if name not in ("__init__", "__main__"))
    program = f"import sys\n{imports}\nprint([name for name in sys.modules if name.split('.')[0] == 'isthmus'])"
    found = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "[]"


def test_command_says_where_things_are(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.planted", "random", str(tmp_path), "--documents", "100", "--tidy", "--gzip"]
    found = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    truth = read_truth(tmp_path / "truth.json")
    assert truth.settings["odd"] is False
    assert str(tmp_path / "dump" / "random") in found.stdout
    assert list((tmp_path / "dump" / "random").glob("*.bson.gz"))
