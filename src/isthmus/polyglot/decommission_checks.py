"""What stands between an application and switching MongoDB off: each thing that is looked at, in words. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from isthmus.mapping import Mapping
from isthmus.polyglot.decommission_copies import Copy
from isthmus.polyglot.decommission_documents import Changed
from isthmus.polyglot.decommission_writes import Writes
from isthmus.polyglot.named_in_code import KINDS, Code
from isthmus.polyglot.reference_map import ReferenceMap
from isthmus.work.amounts import plural

MOST_DETAILS = 1_000


@dataclass
class Check:
    """One thing that was looked at.

    Attributes:
        name: A slug: collections, documents, letters, conflicts, references, pending, homes, outbox, writes, code.
        stands: Whether it stands in the way; None where that cannot be told, or nobody asked.
        told: What was found, a sentence.
        details: One line each of what stands in the way, or is worth knowing.
        facts: The same for programs.
        acknowledged: How many of what could stand in the way somebody has acknowledged, so that it does not.
    """

    name: str
    stands: bool | None
    told: str
    details: list[str] = field(default_factory=list[str])
    facts: Any = None
    acknowledged: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "check": self.name,
            "stands_in_the_way": self.stands,
            "told": self.told,
            "facts": self.facts,
            "acknowledged": self.acknowledged,
        }


@dataclass
class Decommission:
    """What was found.

    Attributes:
        source: The source, for people.
        target: The target, for people.
        at_work: What an isthmus calls itself that writes to the target now; None when none does.
        checks: Everything that was looked at.
        gone: Name of the source's database where the server has none any more; None where it is there.
        answered_by: The host that said so, without secrets; None where it is there.
    """

    source: str
    target: str
    at_work: str | None
    checks: list[Check] = field(default_factory=list[Check])
    gone: str | None = None
    answered_by: str | None = None

    @property
    def in_the_way(self) -> list[Check]:
        """What stands in the way."""
        return [check for check in self.checks if check.stands]

    @property
    def clear(self) -> bool:
        """Whether nothing does, and nobody writes to the target now."""
        return not self.in_the_way and self.at_work is None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "outcome": "clear" if self.clear else "in-the-way",
            "source": self.source,
            "target": self.target,
            "gone": self.gone is not None,
            "answered_by": self.answered_by,
            "in_the_way": [check.name for check in self.in_the_way],
            "at_work": self.at_work,
            "checks": [check.as_json() for check in self.checks],
        }


def collections_check(mapping: Mapping, there: Collection[str], known: ReadOnly[str, Copy]) -> Check:
    """Say which collections are carried and verified, and what becomes of the others."""
    facts: dict[str, Any] = {}
    details: list[str] = []
    for name in [*there, *(name for name in mapping.source_collections if name not in there)]:
        copy, reason = known.get(name), mapping.why_skipped(name)
        fate, why = "carried", ""
        if reason is not None and (copy is None or not copy.complete):
            fate, why = "left behind", reason
        elif name not in mapping.source_collections:
            fate, why = "unnamed", "the mapping does not name it"
        elif copy is None or not copy.complete:
            gone = name not in there and name in mapping.optional_collections
            fate, why = ("optional", "it is not there") if gone else ("not carried", "no complete copy carried it")
        elif not copy.verified:
            fate, why = "not verified", f"run {copy.run} carried it, but {copy.why_not}"
        elif name not in there:
            fate, why = "gone", f"run {copy.run} carried it, and it is not in MongoDB any more"
        facts[name] = {"fate": fate, "run": copy.run if copy is not None else None, "why": why}
        if fate in _STANDING:
            details.append(f"{name}: {why}")
    standing = len(details)
    gone = sum(1 for one in facts.values() if one["fate"] == "gone")
    good = gone + sum(1 for one in facts.values() if one["fate"] == "carried")
    left = sum(1 for one in facts.values() if one["fate"] == "left behind")
    behind = f", {plural(left, 'collection')} left behind on purpose" if left else ""
    dropped = f" ({gone:,} of them not in MongoDB any more)" if gone else ""
    told = f"{plural(good, 'collection')} carried and verified{dropped}{behind}."
    if standing:
        told = f"{plural(standing, 'collection')} not carried, or not verified; {told}"
    return Check("collections", bool(standing), told, details, facts)


_STANDING = frozenset({"unnamed", "not carried", "not verified"})


def documents_check(changed: ReadOnly[str, Changed]) -> Check:
    """Say which documents are newer than their copy."""
    details: list[str] = []
    rewritten = sum(one.rewritten for one in changed.values())
    for name, one in changed.items():
        if not one:
            continue
        parts = [
            f"{count:,} {word}"
            for count, word in ((one.new, "new"), (one.changed, "changed"), (one.gone, "gone"))
            if count
        ]
        parts += [f"not read to its end ({' '.join(one.broken)})"] if one.broken else []
        newest = f", the newest made {one.newest_at:%Y-%m-%d %H:%M:%S} UTC" if one.newest_at else ""
        named = f": {', '.join(one.listed[:3])}{' …' if len(one.listed) > 3 else ''}" if one.listed else ""
        details.append(f"{name}: {', '.join(parts)}{newest}{named}")
    told = f"{plural(sum(one.documents for one in changed.values()), 'document')} of carried collections compared"
    by_rewrite = f"; {rewritten:,} differ by nothing but references that refs rewrite replaced" if rewritten else ""
    standing = sum(one.new + one.changed + one.gone for one in changed.values())
    end = f", {standing:,} are not as they were carried" if standing else ", all are as they were carried"
    return Check(
        "documents",
        bool(details),
        f"{told}{end}{by_rewrite}.",
        details,
        {name: one.as_json() for name, one in changed.items()},
    )


def references_check(told: ReferenceMap) -> Check:
    """Say where documents that stay in MongoDB refer to something as MongoDB knows it."""
    details: list[str] = []
    facts: dict[str, int] = {}
    for one in told.documents:
        old = one.written.total() - one.written["rewritten"]
        if old:
            place = f"{one.site.collection}.{one.site.shown}"
            facts[place] = facts.get(place, 0) + old
    details = [f"{place}: {plural(count, 'value')}" for place, count in facts.items()]
    total = sum(facts.values())
    words = f"{plural(total, 'reference')} in their old form in documents of collections that are not carried."
    return Check(
        "references",
        bool(total),
        words if total else "No document of a collection that is not carried refers to anything in the old form.",
        details,
        facts,
    )


def writes_check(writes: Writes, minutes: int) -> Check:
    """Say whether anybody wrote to MongoDB lately."""
    lately = f"in the last {plural(minutes, 'minute')}"
    details = [f"{name}: last at {at:%Y-%m-%d %H:%M:%S} UTC" for name, at in sorted(writes.last.items())]
    if writes.why:
        details.append(writes.why)
    if writes.how is None:
        return Check("writes", None, f"Whether anybody wrote {lately} cannot be told.", details, writes.as_json())
    what = "written to" if writes.how == "oplog" else "given new documents"
    if writes.last:
        told = f"{plural(len(writes.last), 'collection')} {what} {lately}."
        return Check("writes", True, told, details, writes.as_json())
    if writes.why:  # what could be seen is not all
        told = f"No collection was seen to be {what} {lately}, but that is not all that counts."
        return Check("writes", None, told, details, writes.as_json())
    return Check("writes", False, f"No collection was {what} {lately}.", details, writes.as_json())


def code_check(code: Code, folders: Sequence[Path]) -> Check:
    """Say what in folders of code still names MongoDB."""
    if not folders:
        told = "No folder of code was given (--code), so what still names MongoDB there is not known."
        return Check("code", None, told)
    lines = [f"{one.file}:{one.line}: {', '.join(one.names)}" for one in code.named[:MOST_DETAILS]]
    counts = [(kind, sum(one.kind == kind for one in code.named)) for kind in KINDS]
    of = ", ".join(f"{count:,} in {_WORDS[kind]}" for kind, count in counts if count)
    total = len(code.named)
    looked = f"{plural(code.files, 'file')} looked at"
    told = (
        f"{plural(total, 'line')} still naming MongoDB ({of}); {looked}."
        if total
        else f"Nothing names MongoDB; {looked}."
    )
    lines += [f"not looked at: {why}" for why in code.unread]
    facts = {"files": code.files, "named": [one.as_json() for one in code.named], "unread": code.unread}
    return Check("code", bool(total or code.unread), told, lines, facts)


_WORDS = {"code": "code", "setting": "settings", "dependency": "dependencies", "container": "container files"}
