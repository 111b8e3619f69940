"""Generated databases that nobody damages: each with the mapping it is copied with, or with the one `map` proposes."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import bson
import hypothesis
from bson import DBRef, ObjectId
from bson.errors import BSONError
from hypothesis import HealthCheck, Phase, settings
from hypothesis.strategies import SearchStrategy
from ruamel.yaml import YAML

from tests.damage.target import write_dump
from tests.generators import forms, mappings
from tests.generators.hostile import write_hostile
from tests.generators.joined import Joined
from tests.generators.joined import mapping as joined_mapping
from tests.generators.mappings import Case
from tests.generators.mingled import Mingled
from tests.generators.mixed_ids import mixed
from tests.generators.shop import write_shop
from tests.generators.troubled import troubled
from tests.planted import crm, random_database
from tests.planted.random_database import Settings
from tests.planted.write import write_dump as write_planted

_HEALTH_CHECKS: Any = list(HealthCheck)  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True)
class Written:
    """A database that was written.

    Attributes:
        dump: The dump's folder.
        mapping: The mapping; None: `isthmus map` proposes it.
    """

    dump: Path
    mapping: str | None


@dataclass(frozen=True)
class Generated:
    """A database to be written.

    Attributes:
        name: What it is like, and its seed.
        schema: Where its tables go.
        write: Writes it into a folder.
    """

    name: str
    schema: str
    write: Callable[[Path], Written]


def databases(kind: str, seeds: range) -> Iterator[Generated]:
    """Yield a database of a kind for each seed."""
    if kind in _DRAWN:
        cases = _drawn(_DRAWN[kind], seeds)
        for seed, case in zip(seeds, cases, strict=True):
            yield Generated(f"{kind} {seed}", "public", partial(_write_case, case))
        return
    for seed in seeds:
        yield Generated(f"{kind} {seed}", _SCHEMAS.get(kind, "public"), partial(_WRITTEN[kind], seed))


def _drawn(strategy: SearchStrategy[Case], seeds: range) -> list[Case]:
    """Draw a case for each seed; the same seeds give the same cases."""
    found: list[Case] = []

    # the first ones that are drawn are the smallest, and say little
    @hypothesis.seed(seeds.start)
    @settings(
        max_examples=2 * len(seeds) + 10,
        database=None,
        deadline=None,
        suppress_health_check=_HEALTH_CHECKS,
        phases=[Phase.generate],
    )
    @hypothesis.given(strategy)
    def keep(case: Case) -> None:
        found.append(case)

    keep()
    return found[-len(seeds) :]


def _write_case(case: Case, folder: Path) -> Written:
    """Write a case: documents of `Main`, and documents of the others that some of them point at."""
    collections: dict[str, list[Any]] = {name: [] for name in _sources(case.mapping)}
    collections["Main"] = list(case.documents)
    met = sorted({one for document in case.documents for one in _object_ids(document)})
    if "Users" in collections:
        collections["Users"] = [{"_id": one, "name": "a user"} for one in met[::2]]
    if "TeamsA" in collections:
        collections["TeamsA"] = [{"_id": one} for one in met[1::4]]
    return Written(write_dump(folder / "dump" / "db", collections), _yaml(case.mapping))


def _yaml(mapping: dict[str, Any]) -> str:
    """Return a mapping as YAML; JSON would make one key of the text `true` and the boolean."""
    yaml = YAML(typ="safe", pure=True)
    yaml.representer.sort_base_mapping_type_on_output = False  # the order of entries and routes means something
    yaml.width = 1_000_000  # a plain key that is broken over two lines is none
    written = io.StringIO()
    yaml.dump(mapping, written)
    return written.getvalue()


def _sources(mapping: dict[str, Any]) -> Iterator[str]:
    for name, said in mapping["collections"].items():
        origin = said.get("from", name)
        yield from [origin] if isinstance(origin, str) else origin


def _object_ids(document: bytes) -> Iterator[ObjectId]:
    try:
        waiting: list[Any] = [bson.decode(document)]
    except BSONError:
        return
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, DBRef):
            waiting.append(value.id)
        elif isinstance(value, ObjectId):
            yield value


def _planted(seed: int, folder: Path) -> Written:
    chosen = Settings(collections=3, documents=60, references=4, relations=1, distractors=2, odd=seed % 2 == 0)
    return Written(write_planted(random_database.generate(seed=seed, settings=chosen), folder).dump, None)


def _crm(seed: int, folder: Path) -> Written:
    return Written(write_planted(crm.generate(seed=seed, documents=200), folder).dump, None)


def _hostile(seed: int, folder: Path) -> Written:
    return Written(write_hostile(folder, seed, documents=30), None)


def _joined(seed: int, folder: Path) -> Written:
    ways, shared = ("one", "chains", "any")[seed % 3], seed % 2 == 0
    unique = "{columns: [first, last], unique: true}", "{columns: [phone], unique: true}"
    text = joined_mapping(uniques=unique, shared=shared, waits=ways != "one")
    documents = Joined(seed, ways=ways, shared=shared).documents()
    return Written(write_dump(folder / "dump" / "db", documents), text)


def _mingled(seed: int, folder: Path) -> Written:
    made = Mingled(seed)
    return Written(write_dump(folder / "dump" / "db", made.documents()), made.mapping())


def _mixed(seed: int, folder: Path) -> Written:
    made = mixed(seed)
    return Written(write_dump(folder / "dump" / "db", made.collections), made.mapping)


def _shop(seed: int, folder: Path) -> Written:
    dump, mapping, _ = write_shop(folder, seed=seed, orders=40)
    return Written(dump, mapping.read_text(encoding="utf-8"))


def _troubled(seed: int, folder: Path) -> Written:
    made = troubled(seed)
    return Written(write_dump(folder / "dump" / "db", made.collections), made.mapping)


_DRAWN: dict[str, SearchStrategy[Case]] = {
    "types": mappings.cases(max_documents=12),
    "forms": forms.form_cases(max_documents=12),
}
_WRITTEN: dict[str, Callable[[int, Path], Written]] = {
    "planted": _planted,
    "crm": _crm,
    "hostile": _hostile,
    "joined": _joined,
    "mingled": _mingled,
    "mixed ids": _mixed,
    "shop": _shop,
    "troubled": _troubled,
}
_SCHEMAS = {"troubled": 'Troubled "ü"'}
