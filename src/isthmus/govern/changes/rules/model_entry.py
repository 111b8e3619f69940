"""Every change of a model has an entry of its own.

Problem: the schema of a MongoDB collection is code. Whoever adds, changes, renames or deletes a model changes what all
documents must look like, and nothing but a diff among many says so. A log that only asks for *some* entry is satisfied
by one that speaks of another model, or by the word `userId` for a model `user`.

Solution: with each model file that is added, changed (its mode too), replaced by a link or deleted goes a new entry
whose `Model File` is that very path. A renamed model is a deleted one and an added one, and may have one entry for
both: `lib/model/old.ts` → `lib/model/new.ts`. While the settings themselves change, what their globs took in until
now is a model too. What the base already has is not asked for again. `isthmus changes new`
writes the entry. Against a base each commit is held as well, so that a later change needs a later entry.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.govern.changes.checking import STAGED, ChangesChecking, EntryFile
from isthmus.govern.changes.rules.advice import write_entry
from isthmus.govern.findings import Finding
from isthmus.govern.repository.history import ADDED, Touched
from isthmus.govern.rules.rule import Rule


def _find(checking: ChangesChecking) -> Iterator[Finding]:
    named: dict[str, list[EntryFile]] = {}
    for one in checking.new:
        for path in checking.names(one):
            named.setdefault(path, []).append(one)
    changed = {one.path: one for one in checking.changes}
    for path, change in changed.items():
        if path not in named:
            is_one = any(True for _ in checking.globs.matching(path))
            was = "" if is_one else f", by the settings of {checking.before.name} it is a model"
            message = f"It {change.how}{was}, and no new entry has it as its model."
            hint = "Commit the settings alone first (with a base: let that have them first); or: " if not is_one else ""
            yield Finding(path, 0, RULE.name, message, hint + write_entry(checking, path))
    if checking.scope == "staged" or checking.parted is None:
        return
    for path, entries in named.items():
        late = _unnamed(checking, path, entries) if path in checking.ever else None
        if late is not None:
            by = STAGED if late.commit == STAGED else f"commit {late.commit[:10]}"
            last = max(one.blob.path for one in entries).rpartition("/")[2]
            message = f"It is changed by {by}, and no entry came with that or later; {last} was there before."
            yield Finding(path, 0, RULE.name, message, write_entry(checking, path))


def _unnamed(checking: ChangesChecking, path: str, entries: list[EntryFile]) -> Touched | None:
    """Return a change of a model that no entry was written for, then or later."""
    places = [*checking.touched, checking.staged]
    written = {place.commit for place in places if any(place.paths.get(one.blob.path) == ADDED for one in entries)}
    for place in places:
        if path in place.paths and not written & {*place.after, STAGED}:
            return place
    return None


RULE = Rule(
    "model-entry",
    _find,
)
