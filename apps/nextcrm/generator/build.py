"""Makes a whole database: chooses where things are planted, lets documents flow into a sink, and tells the truth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bson import Int64

from apps.generating.outcomes import Outcome, extended, holds, orphan, points
from apps.generating.placing import spread
from apps.generating.sinks import Index, Sink
from apps.nextcrm.generator.catalogue import PLANTS
from apps.nextcrm.generator.documents import Documents
from apps.nextcrm.generator.ids import LABELS, OLD_CAMPAIGNS, Ids, label
from apps.nextcrm.generator.models import FIELDS
from apps.nextcrm.generator.planting import Plant, Spot
from apps.nextcrm.generator.profiles import Links, Profile, as_run, busy
from apps.nextcrm.generator.relations import JUNCTIONS, Relation
from apps.nextcrm.generator.truth import JunctionTruth, Planted, Truth

LISTED = 20_000
"""Most pairs of a junction that the truth names one by one."""
COMMENTS = 2_000
"""Comments whose way is told one by one, besides the planted ones."""
PLANTED_EVERY = 20_000
"""In greater collections each kind is planted once in so many documents."""
_FORMER = ("SetupIndustry", "Translation", "User", "Account", "Session", "VerificationToken")
_CAMPAIGNS_OF_OLD = 3
WRITTEN = (*FIELDS, *_FORMER, OLD_CAMPAIGNS)
"""Every collection that some database of these has."""
_EMAIL_INDEX = Index("Users_email_key", {"email": 1}, {"unique": True})
_DANGLING_FIELDS = ("assigned_to", "created_by")
_DANGLING_REFERENCES, _DANGLING_IDS = 22, 10
"""What the real run set to NULL in opportunities without telling: references, and different ids in them."""


def fewest() -> dict[str, int]:
    """Documents that each collection needs, so that everything can be planted, with a sound document beside each."""
    return {collection: 2 * len(plants) + 4 for collection, plants in PLANTS.items()}


def smallest() -> int:
    """Documents of the smallest busy database, in all; collections of older applications come on top of any profile."""
    return sum(busy(1, fewest()).sizes.values()) + len(_FORMER) + _CAMPAIGNS_OF_OLD


def profile_of(name: str, documents: int) -> Profile:
    """Return a profile by its name, `as-run` or `busy`; `documents` counts for the second only."""
    return as_run() if name == "as-run" else busy(documents, fewest())


def generate(profile: Profile, seed: int, sink: Sink) -> Truth:
    """Write a database to a sink and return the truth about it.

    The same profile and seed give the same bytes. Memory holds a few thousand documents, whatever the size.
    """
    return _Builder(profile, seed).run(sink)


class _Builder:
    def __init__(self, profile: Profile, seed: int) -> None:
        self._profile, self._seed = profile, seed
        self._ids = Ids(seed, profile.sizes)
        self._truth = Truth(profile.name, seed, {name: column for name, (column, _) in LABELS.items()})
        self._plants = {name: self._placed(name) for name in FIELDS}
        self._lost = self._numbers("letter")
        self._twins = self._numbers("merged")
        self._apart = self._numbers("apart")
        self._avoid = {name: {*self._lost[name], *self._twins[name], *self._apart[name]} for name in FIELDS}
        self._relations = [
            Relation(
                junction,
                profile.sizes[junction.left],
                profile.sizes[junction.right],
                profile.links.get(junction.name, Links(0, 0)),
                self._avoid[junction.left],
                self._avoid[junction.right],
            )
            for junction in JUNCTIONS
        ]
        self._documents = Documents(seed, profile, self._ids, self._relations, self._avoid)

    def run(self, sink: Sink) -> Truth:
        truth = self._truth
        for name, size in self._profile.sizes.items():
            one_each = name == "Users" and not self._twins["Users"]
            sink.write(name, self._collection(name), (_EMAIL_INDEX,) if one_each else ())
            truth.read[name] = size
            truth.letters[name] = len(self._lost[name])
            truth.merged[name] = len(self._twins[name])
        if self._profile.name == "busy":
            self._write_former(sink)
        for relation in self._relations:
            truth.junctions[relation.junction.name] = _told(relation)
        return truth

    def _placed(self, collection: str) -> dict[int, Plant]:
        """Give each plant documents of its own, spread over the collection."""
        size = self._profile.sizes[collection]
        wanted = [plant for plant in PLANTS.get(collection, ()) if plant.silent or not self._profile.silent_only]
        copies = max(1, size // PLANTED_EVERY)
        # Of great collections the first documents stay sound: the first comments point at the first tasks.
        start = 40 if size > 40 + 2 * len(wanted) * copies else 1
        placed, left = spread(wanted * copies, start, size)
        self._truth.not_planted += [f"{collection}/{plant.name}" for plant in left]
        return placed

    def _numbers(self, fate: str) -> dict[str, list[int]]:
        return {
            name: [number for number, plant in placed.items() if plant.do.fate == fate]
            for name, placed in self._plants.items()
        }

    def _collection(self, name: str) -> Iterator[dict[str, Any]]:
        make, placed = self._documents.of(name), self._plants[name]
        stray = self._stray_references() if name == "crm_Opportunities" else {}
        for number in range(self._profile.sizes[name]):
            document = make(number)
            plant = placed.get(number)
            if plant is not None:
                outcomes = plant.do.change(self._spot(name, number), document)
                self._tell(name, plant.name, number, document, plant.do.path, outcomes)
            for path, identifier in stray.get(number, ()):
                document[path] = identifier
                self._tell(name, "dangling", number, document, path, [orphan(path, identifier)])
            if name == "tasksComments" and plant is None and number < COMMENTS:
                self._tell_comment(number, document)
            yield document

    def _spot(self, collection: str, number: int) -> Spot:
        sound, lost, twins = self._documents.sound, self._lost, self._twins["Users"]
        return Spot(self._ids, collection, number, sound, lost, twins, self._apart)

    def _tell(
        self, collection: str, name: str, number: int, document: dict[str, Any], path: str, outcomes: list[Outcome]
    ) -> None:
        found = label(collection, number) if collection in LABELS else None
        value = extended(document.get(path))
        self._truth.planted.append(Planted(collection, name, extended(document["_id"]), found, path, value, outcomes))

    def _tell_comment(self, number: int, document: dict[str, Any]) -> None:
        """Where a comment must be routed: every one is of a CRM task or of an ordinary one."""
        crm = number % 3 == 0
        name, column = ("crm_Accounts_Tasks", "assigned_crm_account_task") if crm else ("Tasks", "task")
        meant = label(name, self._ids.number(document["task"]))
        outcomes = [
            points(column, name, meant),
            holds("task" if crm else "assigned_crm_account_task", None),
        ]
        self._tell("tasksComments", "of-crm-task" if crm else "of-task", number, document, "task", outcomes)

    def _stray_references(self) -> dict[int, list[tuple[str, Any]]]:
        """The references that the real run set to NULL: 22, of ten ids, in documents where nothing else is planted."""
        if self._profile.name != "as-run":
            return {}
        free = [
            n for n in range(self._profile.sizes["crm_Opportunities"]) if n not in self._plants["crm_Opportunities"]
        ]
        found: dict[int, list[tuple[str, Any]]] = {}
        for count in range(_DANGLING_REFERENCES):
            path = _DANGLING_FIELDS[count // len(free) % 2]
            identifier = self._ids.gone(5_000 + count % _DANGLING_IDS)
            found.setdefault(free[count % len(free)], []).append((path, identifier))
        return found

    def _write_former(self, sink: Sink) -> None:
        """Write collections that the application had once: those it no longer reads, and one that has another name."""
        for name in _FORMER:
            sink.write(name, [{"_id": self._ids.gone(9_000 + len(name)), "name": "of old"}])
            self._truth.left_behind[name] = 1
        old = range(_CAMPAIGNS_OF_OLD)
        rows = [{"_id": self._ids.of(OLD_CAMPAIGNS, n), "__v": Int64(0), "name": label(OLD_CAMPAIGNS, n)} for n in old]
        sink.write(OLD_CAMPAIGNS, rows)
        self._truth.renamed["crm_campaigns"] = len(rows)


def _told(relation: Relation) -> JunctionTruth:
    """Count, and where they are few list, the pairs of a junction."""
    junction = relation.junction
    told = JunctionTruth((junction.left_column, junction.right_column), (junction.left, junction.right), listed=[])
    for link, left, right in relation.pairs():
        told.pairs += 1
        side = relation.side(link)
        told.only_left += side == "left"
        told.only_right += side == "right"
        if told.listed is not None:
            told.listed.append((label(junction.left, left), label(junction.right, right)))
            if len(told.listed) > LISTED:
                told.listed = None
    return told
