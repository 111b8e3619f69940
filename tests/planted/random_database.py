"""Random databases: random collections, schemas and references, with everything that real ones have and nobody expects.

A schema is drawn first, then documents are drawn from it. With `odd` there are values that PostgreSQL refuses, keys
nobody would choose, keys that stand twice, and rare types; without it every value can be carried.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from bson import Binary

from tests.generators import bson_writer as bw
from tests.planted import plans
from tests.planted.database import Builder, Database
from tests.planted.nodes import EPOCH, Document, document, node
from tests.planted.plans import Field, Plan, SubDocument
from tests.planted.planter import Blemishes, Keys, PlantedReference, canonical, object_id
from tests.planted.tally import Path
from tests.planted.truth import ITEMS

NAMES = [
    "users", "Orders", "articles", "crm_Accounts", "sessions", "mentorSessions", "stock.items", "images", "Ratings",
    "newsletters", "tickets", "größen", "teams", "events", "payments", "with space", "a-b", "profiles",
]  # fmt: skip
FIELDS = [
    "name", "title", "status", "kind", "note", "amount", "total", "createdAt", "updated_at", "tags", "address", "meta",
    "items", "history", "settings", "price", "active", "score", "__v", "ort", "Größe", "camelCase", "snake_case", "x1",
]  # fmt: skip
STATES = ["ACTIVE", "PENDING", "COMPLETE", "active", "Archived", "lost"]
FEWEST = 12


@dataclass(frozen=True)
class Settings:
    """What a random database is like.

    Attributes:
        collections: How many, besides those that `odd` adds.
        documents: About so many in all collections together; each has at least twelve.
        references: How many references; those to one of several collections count once.
        relations: How many relations are kept in arrays on both sides.
        distractors: How many paths look like references and are none.
        orphan_rate: Share of the values of a reference that name a document that never existed.
        stray_rate: Share of them that name a document of another collection.
        reuse_rate: Share of the second collection's documents that have ids of the first, as far as these suffice.
        odd: Whether there are refused values, odd keys, rare types and special collections.
    """

    collections: int = 6
    documents: int = 1000
    references: int = 10
    relations: int = 1
    distractors: int = 4
    orphan_rate: float = 0.05
    stray_rate: float = 0.01
    reuse_rate: float = 0.5
    odd: bool = True


ORDINARY_SETTINGS = Settings()


def generate(*, seed: int = 1, settings: Settings = ORDINARY_SETTINGS) -> Database:
    """Make a database; the same seed and settings give the same bytes."""
    return _Generator(seed, settings).database()


class _Generator:
    def __init__(self, seed: int, settings: Settings) -> None:
        self.settings = settings
        self.build = Builder("random", "random", seed, asdict(settings))
        self.chance = self.build.chance
        self.plant = self.build.planter
        pool = [*NAMES, *(f"collection{number}" for number in range(settings.collections - len(NAMES)))]
        self.names = self.chance.sample(pool, settings.collections)
        self.ids: dict[str, Keys] = {}
        self.natural: list[Keys] = []
        self.fields: dict[str, list[Field]] = {name: [] for name in self.names}
        self.maps: dict[str, dict[Path, str]] = {name: {} for name in self.names}
        self.unique: list[tuple[str, str]] = []
        self.used: set[tuple[str, str]] = set()

    def database(self) -> Database:
        self._draw_ids()
        for name in self.names:
            self._draw_fields(name)
        for _ in range(self.settings.references):
            self._draw_reference()
        for _ in range(self.settings.relations):
            self._draw_relation()
        for number in range(self.settings.distractors):
            self._draw_distractor(number)
        for name in self.names:
            self._fill(name)
        if self.settings.odd:
            self._add_special_collections()
        return self.build.finish()

    # Ids.

    def _draw_ids(self) -> None:
        weights = [self.chance.uniform(0.2, 1) for _ in self.names]
        sizes = [max(FEWEST, round(self.settings.documents * weight / sum(weights))) for weight in weights]
        drawn: dict[str, list[Any]] = {}
        for number, (name, size) in enumerate(zip(self.names, sizes, strict=True)):
            # The first two hold ObjectIds, so that ids can be reused; the third has small numbers.
            kinds = ["object_id", "object_id", "number", "object_id", "text", "uuid", "compound", "mixed"]
            kind = kinds[number] if number < 3 else self.chance.choice(kinds)
            drawn[name] = [self._id(kind, number, place) for place in range(size)]
        reused: list[Any] = []
        if len(self.names) > 1 and self.settings.reuse_rate:
            first, second = drawn[self.names[0]], drawn[self.names[1]]
            count = min(len(first), round(self.settings.reuse_rate * len(second)))
            reused = self.chance.sample(first, count)
            second[:count] = reused
        for name, values in drawn.items():
            self.ids[name] = self.plant.key(name, "_id", values)
        if reused:
            for name in self.names[:2]:
                distractor = self.plant.distractor(name, "_id", "reused_ids")
                for value in drawn[name]:
                    distractor.value(value)

    def _id(self, kind: str, collection: int, number: int) -> Any:
        """Make an id that no other collection has."""
        match kind:
            case "object_id":
                return object_id(self.chance)
            case "number":
                return number + 1 + (0 if collection == 2 else collection * 1_000_000)
            case "text":
                return f"{self.names[collection][:3].lower()}{collection}-{number}"
            case "uuid":
                return Binary(self.chance.randbytes(16), 4)
            case "compound":
                return {"shard": "abc"[number % 3], "number": collection * 1_000_000 + number}
            case _:
                return self._id(["object_id", "number", "text"][number % 3], collection, number)

    # Fields without references.

    def _key(self, collection: str, wish: str) -> str:
        """Return a top-level key of a collection that is not taken."""
        key, number = wish, 2
        while (collection, key) in self.used:
            key, number = f"{wish}{number}", number + 1
        self.used.add((collection, key))
        return key

    def _draw_fields(self, collection: str) -> None:
        if self.chance.random() < 0.6:
            self._draw_natural_key(collection)
        for wish in self.chance.sample(FIELDS, self.chance.randint(4, 10)):
            key = self._key(collection, wish)
            self.fields[collection].append(self._field(collection, key.encode(), (key,), 0))
        if self.settings.odd:
            self._draw_odd_fields(collection)

    def _draw_natural_key(self, collection: str) -> None:
        """Give every document a text or number that is unique."""
        key = self._key(collection, self.chance.choice(["code", "email", "number"]))
        size = len(self.ids[collection].values)
        nth = len(self.natural)
        texts = [f"{collection[:2]}{one}@{key}{nth}.example" for one in range(size)]
        numbers = [500_000_000 + 1_000_000 * nth + one for one in range(size)]
        values: list[Any] = [*numbers] if key.startswith("number") else [*texts]
        holders = map(canonical, self.ids[collection].values)
        self.natural.append(self.plant.key(collection, key, values))
        self.fields[collection].append(Field(key.encode(), plans.ByHolder(dict(zip(holders, values, strict=True)))))
        self.unique.append((collection, key))

    def _field(self, collection: str, key: bytes, path: Path, depth: int) -> Field:
        plan = self._plan(collection, path, depth)
        rate = self.chance.random
        return Field(
            key,
            plan,
            missing=self.chance.choice([0, 0, rate() * 0.5, 0.98]),
            null=self.chance.choice([0, 0, rate() * 0.3]),
        )

    def _plan(self, collection: str, path: Path, depth: int) -> Plan:
        roll = self.chance.random()
        if depth < 4 and roll < 0.12:
            return self._sub_document(collection, path, depth)
        if depth < 4 and roll < 0.24:
            return plans.Items(self._plan(collection, (*path, ITEMS), depth + 1))
        if depth < 4 and roll < 0.30:
            kind = self.chance.choice(list(plans.DATA_KEYS))
            self.maps[collection][path] = kind
            return plans.KeyedByData(plans.DATA_KEYS[kind], plans.Scalar(self.chance.choice(plans.ORDINARY)))
        if roll < 0.45:
            return plans.Enum(self.chance.sample(STATES, self.chance.randint(2, 5)))
        if roll < 0.55:
            common, rare = (plans.Scalar(self.chance.choice(plans.ORDINARY)) for _ in range(2))
            return plans.Mixed([(0.95, common), (0.05, rare)])
        return plans.Scalar(self.chance.choice(plans.ORDINARY))

    def _sub_document(self, collection: str, path: Path, depth: int) -> SubDocument:
        keys = self.chance.sample(FIELDS, self.chance.randint(1, 4))
        return SubDocument([self._field(collection, key.encode(), (*path, key), depth + 1) for key in keys])

    def _draw_odd_fields(self, collection: str) -> None:
        fields = self.fields[collection]
        for make in self.chance.sample(plans.REFUSED, 2):
            # Among many sound values, now and then.
            plan = plans.Mixed([(0.9, plans.Scalar(plans.text)), (0.1, plans.Scalar(make))])
            fields.append(Field(self._key(collection, "odd").encode(), plan, missing=0.2))
        several = plans.Mixed([(0.8, plans.Scalar(plans.text)), (0.2, plans.Scalar(self.chance.choice(plans.REFUSED)))])
        fields.append(Field(self._key(collection, "odds").encode(), plans.Items(several, most=6), missing=0.5))
        for make in self.chance.sample(plans.UNUSUAL, 3):
            fields.append(Field(self._key(collection, "unusual").encode(), plans.Scalar(make), missing=0.8))
        for key in self.chance.sample([key for key in plans.ODD_KEYS if key != b"_id"], 3):
            fields.append(Field(key, plans.Scalar(self.chance.choice(plans.ORDINARY)), missing=0.5))
        inner = [Field(key, plans.Scalar(plans.text)) for key in self.chance.sample(plans.ODD_KEYS, 3)]
        fields.append(Field(self._key(collection, "nested").encode(), SubDocument(inner), missing=0.7))
        fields.append(Field(self._key(collection, "twice").encode(), plans.Scalar(plans.text), twice=0.1))
        fields.append(Field(self._key(collection, "deep").encode(), plans.Deep(), missing=0.97))

    # What looks like references, and is.

    def _blemishes(self) -> Blemishes:
        return Blemishes(orphans=self.settings.orphan_rate, strays=self.settings.stray_rate)

    def _planted(self, collection: str, path: list[str], target: Keys, **how: Any) -> PlantedReference:
        """Plant a reference into a collection with blemishes as set."""
        strays = [keys for name, keys in self.ids.items() if name != target.collection] if target.are_ids else []
        forms: dict[str, float] = self.chance.choice(
            [{"object_id": 1.0}, {"object_id": 1.0}, {"hex": 1.0}, {"dbref": 1.0}, {"object_id": 0.8, "hex": 0.2}]
        )
        how = {"forms": forms, "coverage": self.chance.uniform(0.3, 1), **how}
        return self.plant.reference(collection, path, target, blemishes=self._blemishes(), strays=strays, **how)

    def _draw_reference(self) -> None:
        collection = self.chance.choice(self.names)
        missing, null = self.chance.choice([0, 0.1, 0.6]), self.chance.choice([0, 0.1])
        roll = self.chance.random()
        if roll < 0.1:
            self._draw_reference_by_kind(collection, missing)
            return
        wanted = self.natural if self.natural and roll < 0.25 else list(self.ids.values())
        target = self.chance.choice(wanted)
        # A name that says what it is, or one that does not.
        spoken = target.collection[:4].lower().replace(" ", "").replace(".", "")
        key = self._key(collection, self.chance.choice([f"{spoken}Id", spoken, "owner", "by", "ref", "x"]))
        shape = self.chance.choice(["plain", "plain", "array", "inside", "items"])
        path = {"plain": [key], "array": [key, ITEMS], "inside": [key, "of", "id"], "items": [key, ITEMS, "id"]}[shape]
        named: Plan = plans.Named(self._planted(collection, path, target))
        plan: dict[str, Plan] = {
            "plain": named,
            "array": plans.Items(named),
            "inside": SubDocument([Field(b"of", SubDocument([Field(b"id", named)]))]),
            "items": plans.Items(
                SubDocument([Field(b"id", named, missing=0.1), Field(b"n", plans.Scalar(plans.date))])
            ),
        }
        self.fields[collection].append(Field(key.encode(), plan[shape], missing, null))

    def _draw_reference_by_kind(self, collection: str, missing: float) -> None:
        key = self._key(collection, "about")
        targets = self.chance.sample(self.names, min(3, len(self.names)))
        references = {
            target: self._planted(
                collection, [key, "ref"], self.ids[target], forms={"object_id": 1.0}, kind=([key, "kind"], target)
            )
            for target in targets
        }
        self.fields[collection].append(Field(key.encode(), plans.NamedByKind(references), missing))

    def _draw_relation(self) -> None:
        if len(self.names) < 2:
            return
        left, right = self.chance.sample(self.names, 2)
        left_key, right_key = self._key(left, "linkedIDs"), self._key(right, "linkedIDs")
        one = self.plant.reference(left, [left_key, ITEMS], self.ids[right])
        other = self.plant.reference(right, [right_key, ITEMS], self.ids[left])
        relation = self.plant.relation(one, other, orphans=self.settings.orphan_rate)
        self.fields[left].append(Field(left_key.encode(), plans.Side(relation.of_left)))
        self.fields[right].append(Field(right_key.encode(), plans.Side(relation.of_right)))

    def _draw_distractor(self, number: int) -> None:
        collection = self.chance.choice(self.names)
        makers: list[tuple[str, str, Callable[[random.Random], Any]]] = [
            ("small_int", "rank", lambda chance: chance.randint(1, 5)),
            ("ids_of_nothing", "traceId", object_id),
            ("boolean", "done", lambda chance: chance.random() < 0.5),
            ("name", "user_id", plans.text),
            ("date", "seenAt", lambda chance: EPOCH + timedelta(milliseconds=chance.randint(1, 12))),
            ("ids_of_nothing", "request", lambda chance: str(object_id(chance))),
        ]
        kind, wish, make = makers[number % len(makers)]
        key = self._key(collection, wish)
        distractor = self.plant.distractor(collection, [key], kind)
        self.fields[collection].append(Field(key.encode(), plans.Distracting(distractor, make), missing=0.1))

    # Documents.

    def _fill(self, name: str) -> None:
        self.build.collection(name, maps=self.maps[name])
        fields = self.fields[name]
        for identifier in self.ids[name].values:
            rest = SubDocument(fields).draw(self.chance, identifier)
            self.build.add(name, Document(((b"_id", node(identifier)), *rest.elements)))
        for collection, key in self.unique:
            if collection == name:
                self.build.index(name, key, unique=True)

    def _add_special_collections(self) -> None:
        self.build.collection("log", kind="capped", options={"capped": True, "size": 1 << 20})
        for number in range(FEWEST):
            self.build.add(
                "log", document({"_id": object_id(self.chance), "line": f"{number} {plans.text(self.chance)}"})
            )
        self.build.collection("view_of_first", kind="view", options={"viewOn": self.names[0], "pipeline": []})
        self.build.collection("empty")
        self.build.collection("wide")
        for number in range(3):
            wide = "".join(self.chance.choices("0123456789abcdef", k=2700 + number))
            self.build.add("wide", document({"_id": wide, "line": "wide"}))
        self._add_files()

    def _add_files(self) -> None:
        """Add a few files of GridFS."""
        files = self.plant.key("fs.files", "_id", [object_id(self.chance) for _ in range(FEWEST)])
        chunks = self.plant.reference("fs.chunks", "files_id", files)
        order = self.plant.distractor("fs.chunks", "n", "small_int")
        self.build.collection("fs.files", kind="gridfs")
        self.build.collection("fs.chunks", kind="gridfs")
        self.build.index("fs.chunks", "files_id", "n", unique=True)
        for number, identifier in enumerate(files.values):
            length = 255 * (1 + number % 3)
            about = {"length": bw.int64(length), "chunkSize": 255, "uploadDate": plans.date(self.chance)}
            self.build.add("fs.files", document({"_id": identifier, **about, "filename": f"file{number}.bin"}))
            for n in range(length // 255):
                chunk_id = object_id(self.chance)
                chunk = {"files_id": chunks.write(chunk_id, identifier), "n": order.value(n)}
                data = Binary(self.chance.randbytes(255))
                self.build.add("fs.chunks", document({"_id": chunk_id, **chunk, "data": data}))
