"""A survey as data: what is shown, written as JSON, and read again by `map`. Pure.

The JSON holds each collection's profile as the core gave it, so that nothing is lost between the two.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from isthmus.errors import ConfigError
from isthmus.sources.protocol import CollectionInfo
from isthmus.survey.advice import Advice, read_advice
from isthmus.survey.profile import Path, Profile, read_profile
from isthmus.survey.reference import Reference, read_reference

FORMAT = 1


@dataclass(frozen=True)
class Surveyed:
    """What a survey found in a collection.

    Attributes:
        info: How the source lists it.
        text: The core's JSON.
        profile: The same, read.
        broken: Where and why reading ended early, for people; what stands before that is counted.
        sampled: Whether documents were left out because a sample was asked for.
    """

    info: CollectionInfo
    text: str
    profile: Profile
    broken: tuple[str, ...] = ()
    sampled: bool = False

    @property
    def malformed(self) -> int:
        """Documents that are malformed, and so not counted in the profile."""
        return sum(self.profile.broken.values())


@dataclass(frozen=True)
class LookedIn:
    """A set of ids, or of the values of a natural key, in which values were looked up.

    Attributes:
        collection: Whose.
        path: `_id`, or the natural key.
        count: Different values.
        exact: Whether the set holds each of them; otherwise it is a filter.
        false_positives: Share of foreign values that the filter takes for members; 0 of an exact set.
    """

    collection: str
    path: Path
    count: int
    exact: bool
    false_positives: float = 0.0


@dataclass(frozen=True)
class Survey:
    """What a source holds.

    Attributes:
        source: Its name, without secrets.
        kind: Its kind.
        moves: Whether documents may have been written while it was read.
        sample: Most documents that were to be read of a collection; None for all.
        collections: What was read, by name.
        left_out: Collections that a rule leaves out → the rule, a sentence.
        unread: Of those, the ones that hold documents of the application, as far as the source tells, and cannot be
            read: the source is not whole, or not open to its reader.
        not_asked: Collections that were not among the names that were asked for.
        buckets: Names of GridFS buckets.
        references: What points at what, by collection and path.
        looked_in: In which sets values were looked up; with `sample`, those hold ids of the sample only.
        counted: Collection and path of a field that a unique index or a reference asks for → how many different values
            it has, exactly; what the profile knows is not in it.
        advice: Collection → where it could go.
        database: Which database the source says it is; None where it names none.
    """

    source: str
    kind: str
    moves: bool
    sample: int | None
    collections: dict[str, Surveyed]
    left_out: dict[str, str] = field(default_factory=dict[str, str])
    unread: tuple[str, ...] = ()
    not_asked: tuple[str, ...] = ()
    buckets: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    looked_in: tuple[LookedIn, ...] = ()
    counted: dict[tuple[str, Path], int] = field(default_factory=dict["tuple[str, Path]", int])
    advice: dict[str, Advice] = field(default_factory=dict[str, Advice])
    database: str | None = None

    @property
    def broken(self) -> bool:
        """Whether anything of the source could not be read, or not to its end."""
        return bool(self.unread) or any(one.broken or one.info.fault for one in self.collections.values())

    @property
    def malformed(self) -> int:
        """Documents that are malformed, and so not counted in any profile."""
        return sum(one.malformed for one in self.collections.values())

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "format": FORMAT,
            "source": self.source,
            "kind": self.kind,
            "database": self.database,
            "moves": self.moves,
            "sample": self.sample,
            "collections": {name: _collection_json(one) for name, one in self.collections.items()},
            "left_out": self.left_out,
            "unread": list(self.unread),
            "not_asked": list(self.not_asked),
            "gridfs": list(self.buckets),
            "references": [one.as_json() for one in self.references],
            "looked_in": [{**vars(one), "path": list(one.path)} for one in self.looked_in],
            "counted": [
                {"collection": name, "path": list(path), "values": count}
                for (name, path), count in sorted(self.counted.items())
            ],
            "advice": {name: one.as_json() for name, one in self.advice.items()},
        }


def _collection_json(one: Surveyed) -> dict[str, Any]:
    info = one.info
    return {
        "kind": info.kind,
        "indexes": list(info.indexes),
        "options": info.options,
        "fault": info.fault,
        "broken": list(one.broken),
        "sampled": one.sampled,
        "profile": json.loads(one.text),
    }


def read_survey(text: str, *, file_name: str) -> Survey:
    """Read a survey that was written as JSON.

    Raises:
        ConfigError: It is none, what a refused or stopped one left, or of another format (code `not-a-survey`).
    """
    try:
        found: dict[str, Any] = json.loads(text)
        refusal = _refusal_in(found)
        if refusal is not None:
            raise ConfigError(
                f"{file_name} is no survey: {refusal}",
                code="not-a-survey",
                hint="When that is mended, make the survey again: isthmus survey SOURCE --json FILE.",
            )
        if found["format"] != FORMAT:
            raise ValueError
        return Survey(
            source=found["source"],
            kind=found["kind"],
            moves=found["moves"],
            sample=found["sample"],
            collections={name: _collection(name, one) for name, one in found["collections"].items()},
            left_out=found["left_out"],
            unread=tuple(found["unread"]),
            not_asked=tuple(found["not_asked"]),
            buckets=tuple(found["gridfs"]),
            references=tuple(read_reference(one) for one in found["references"]),
            looked_in=tuple(_looked_in(one) for one in found["looked_in"]),
            counted={(one["collection"], tuple(one["path"])): one["values"] for one in found.get("counted", ())},
            advice={name: read_advice(one) for name, one in found["advice"].items()},
            database=found.get("database"),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConfigError(
            f"{file_name} is no survey that this version of Isthmus reads.",
            code="not-a-survey",
            hint="Make one with isthmus survey SOURCE --json FILE.",
        ) from None


def _refusal_in(found: dict[str, Any]) -> str | None:
    """Return why a survey came to nothing, if that is what its JSON tells."""
    if "collections" in found or "error" not in found:
        return None
    if found["outcome"] == "interrupted":
        return "the survey was stopped before its end."
    return f"the survey was refused ({found['code']}). {found['error']}"


def _looked_in(found: dict[str, Any]) -> LookedIn:
    return LookedIn(found["collection"], tuple(found["path"]), found["count"], found["exact"], found["false_positives"])


def _collection(name: str, found: dict[str, Any]) -> Surveyed:
    text = json.dumps(found["profile"])
    profile = read_profile(text)
    info = CollectionInfo(
        name=name,
        kind=found["kind"],
        bytes_total=profile.bytes,
        documents=profile.documents,
        indexes=tuple(found["indexes"]),
        options=found["options"],
        fault=found["fault"],
    )
    return Surveyed(info, text, profile, tuple(found["broken"]), found["sampled"])
