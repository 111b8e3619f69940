"""The truth about a generated database: a page of counts, and files of lines for what is told one by one."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from apps.generating.lines import Lines, write_json
from apps.generating.outcomes import Outcome
from apps.panamia.generator.planting import End
from apps.panamia.generator.values import CANONICAL

FILES = {
    "people": "who there is, with every document that tells who they are, and what their row must hold",
    "conflicts": "people whom the data do not tell apart, or together, and what a person answers",
    "ends": "documents that do not simply become a row of their own",
    "planted": "what is planted, with what must come of it",
    "follows": "who follows whom, each pair once",
    "lists": "whose lists there are, with the profiles in them",
}
"""Files of lines, in a folder beside the page, and what each line tells."""


@dataclass
class Count:
    """How the documents of a collection end.

    Attributes:
        documents: All of them.
        skipped: By the kind of reason.
        dead_letter: By the code.
    """

    documents: int = 0
    copied: int = 0
    merged: int = 0
    skipped: dict[str, int] = field(default_factory=dict[str, int])
    dead_letter: dict[str, int] = field(default_factory=dict[str, int])


class Truth(AbstractContextManager["Truth"]):
    """What is told while a database is made.

    Args:
        path: Of the page; a folder of its name takes the lines: without `.json`, else with `.lines`.
        people: How many persons were asked for.
        seed: Of all chance.
    """

    def __init__(self, path: Path, people: int, seed: int) -> None:
        self._path, self._people, self._seed = path, people, seed
        self._folder = _folder(path)
        self._counts: dict[str, Count] = {}
        self._plants: dict[str, int] = {}
        self._target_rows: list[dict[str, Any]] = []
        self._files = ExitStack()
        self._lines: dict[str, Lines] = {}

    def __enter__(self) -> Truth:
        """Make the files; what was in them is lost."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            self._lines[name] = self._files.enter_context(Lines(self._folder / f"{name}.jsonl"))
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        """Close the files; the page is written last, and only where all went well."""
        self._files.close()
        if failed is None:
            write_json(self._path, self._page())

    def collection(self, name: str) -> None:
        """Say that there is a collection, be it empty."""
        self._counts.setdefault(name, Count())

    def end(self, collection: str, identifier: Any, end: End, why: str | None, **more: Any) -> None:
        """Count a document, and tell its end unless it simply is copied.

        Args:
            collection: The document's.
            identifier: Its `_id`.
            end: How it ends.
            why: The code of the dead letter, or the kind of reason.
            more: What else is known of the end.
        """
        count = self._counts[collection]
        count.documents += 1
        if end == "copied":
            count.copied += 1
            return
        if end == "merged":
            count.merged += 1
        else:
            reasons = count.skipped if end == "skipped" else count.dead_letter
            reasons[str(why)] = reasons.get(str(why), 0) + 1
        line = {"collection": collection, "id": str(identifier), "end": end}
        self._lines["ends"].add(line | ({} if why is None else {"why": why}) | more)

    def planted(
        self,
        plant: str,
        collection: str,
        identifier: Any,
        path: str,
        end: End,
        why: str | None,
        outcomes: list[Outcome],
        **more: Any,
    ) -> None:
        """Tell what was planted in a document, and what must come of it."""
        self._plants[plant] = self._plants.get(plant, 0) + 1
        line = {"plant": plant, "collection": collection, "id": str(identifier), "path": path, "end": end}
        self._lines["planted"].add(line | ({} if why is None else {"why": why}) | {"outcomes": outcomes} | more)

    def add(self, kind: str, line: dict[str, Any]) -> None:
        """Write a line of `people`, `conflicts`, `follows` or `lists`."""
        self._lines[kind].add(line)

    def there(self, person: int, email: str) -> None:
        """Say whose row a target may have already, under the id that rewritten references hold."""
        self._target_rows.append({"table": "users", "id": CANONICAL, "person": person, "email": email})

    @property
    def documents(self) -> int:
        """Documents of all collections so far."""
        return sum(count.documents for count in self._counts.values())

    @property
    def plants(self) -> int:
        """Things planted so far."""
        return sum(self._plants.values())

    def _page(self) -> dict[str, Any]:
        files = {name: f"{self._folder.name}/{name}.jsonl" for name in FILES}
        return {
            "people": self._people,
            "seed": self._seed,
            "files": {name: {"file": file, "lines": self._lines[name].count} for name, file in files.items()},
            "collections": {name: asdict(count) for name, count in self._counts.items()},
            "plants": self._plants,
            "target_rows": self._target_rows,
        }


def _folder(path: Path) -> Path:
    """The folder for the lines that belong to a page; never the page itself."""
    return path.with_suffix("") if path.suffix == ".json" else path.with_name(f"{path.name}.lines")
