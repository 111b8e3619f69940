"""What a copy into a table that holds rows must come to: a plain model of the rules, without a database.

One table `people` (email unique, name, boss) with `match: [[email], [name]]`, and one collection. Rows are known by
their id; the id that a document derives is `("doc", number)`, a row of somebody else's is `("row", number)`.

It knows nothing of isthmus. What it cannot see: child tables, pairs, values that a server changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Id = tuple[str, int]
Policy = Literal["keep_target", "overwrite", "dead_letter"]


@dataclass(frozen=True)
class Document:
    """A document: email and name may be missing, boss is the number of another one."""

    email: str | None
    name: str | None
    boss: int | None


@dataclass(frozen=True)
class Row:
    """A row; `note` is nobody's but the target's."""

    email: str | None
    name: str | None
    boss: Id | None
    note: str | None = None

    @property
    def contents(self) -> tuple[object, ...]:
        """What the mapping fills."""
        return (self.email, self.name, self.boss)


@dataclass
class Known:
    """What a tracked row was when it was last carried."""

    number: int
    source: tuple[object, ...]
    loaded: tuple[object, ...] | None
    gone: bool = False


@dataclass
class Outcome:
    """What one copy came to."""

    letters: dict[int, str] = field(default_factory=dict[int, str])
    verdicts: dict[str, int] = field(default_factory=dict[str, int])
    conflicts: set[tuple[Id, str]] = field(default_factory=set[tuple[Id, str]])
    copied: int = 0
    kept: int = 0
    protected: dict[Id, Row] = field(default_factory=dict[Id, Row])


@dataclass
class Model:
    """A target, and what was remembered of it."""

    policy: Policy
    tracked: bool
    rows: dict[Id, Row] = field(default_factory=dict[Id, Row])
    matched: dict[int, Id] = field(default_factory=dict[int, Id])
    known: dict[Id, Known] = field(default_factory=dict[Id, Known])

    def forget_runs(self) -> None:
        """Start over: ids that were matched are forgotten, rows and what was carried are not."""
        self.matched = {}

    def copy(self, documents: dict[int, Document]) -> Outcome:
        """Carry all documents."""
        outcome = Outcome()
        staged: dict[int, Document] = {}
        emails: set[str] = set()
        for number, document in sorted(documents.items()):
            if document.email is not None and document.email in emails:
                outcome.letters[number] = "duplicate-key"
                continue
            if document.email is not None:
                emails.add(document.email)
            staged[number] = document
        while True:
            self._settle(staged)
            found, refused = self._resolve(staged)
            if not refused:
                verdicts, refused = self._judge(staged, found)
                if not refused:
                    refused = self._taken(staged, found, verdicts)
                if not refused:
                    break
            for number, code in refused.items():
                outcome.letters[number] = code
                del staged[number]
        self._deliver(staged, found, verdicts, outcome)
        return outcome

    def _deleted(self, number: int) -> bool:
        return any(k.number == number and i not in self.rows for i, k in self.known.items())

    def _settle(self, staged: dict[int, Document]) -> None:
        for number, document in list(staged.items()):
            boss = document.boss
            if boss is None:
                continue
            there = boss in staged and not self._deleted(boss)
            there = there or ("doc", boss) in self.rows or self.matched.get(boss, ("", 0)) in self.rows
            if not there:
                staged[number] = Document(document.email, document.name, None)

    def _resolve(self, staged: dict[int, Document]) -> tuple[dict[int, Id], dict[int, str]]:
        found: dict[int, Id] = {}
        how: dict[int, int] = {}
        for number in staged:
            if self.matched.get(number, ("", 0)) in self.rows:
                found[number] = self.matched[number]
                how[number] = 0
            elif ("doc", number) in self.rows:
                found[number] = ("doc", number)
                how[number] = 1
        for column in ("email", "name"):
            for number, document in staged.items():
                hits = self._hits(document, column)
                if number not in found and len(hits) == 1:
                    found[number] = hits[0]
        refused: dict[int, str] = {}
        for number, document in staged.items():
            if number not in found and any(self._hits(document, column) for column in ("email", "name")):
                refused[number] = "match-ambiguous"
        for number, row in found.items():
            rivals = [other for other, theirs in found.items() if theirs == row and other != number]
            if any(how.get(other, 2) <= how.get(number, 2) for other in rivals):
                refused[number] = "match-taken"
        return found, refused

    def _hits(self, document: Document, column: str) -> list[Id]:
        value = getattr(document, column)
        return [i for i, row in self.rows.items() if value is not None and getattr(row, column) == value]

    def _contents(self, document: Document, found: dict[int, Id]) -> tuple[object, ...]:
        boss: Id | None = None
        if document.boss is not None:
            earlier = self.matched.get(document.boss, ("", 0))
            boss = found.get(document.boss) or (earlier if earlier in self.rows else ("doc", document.boss))
        return (document.email, document.name, boss)

    def _judge(self, staged: dict[int, Document], found: dict[int, Id]) -> tuple[dict[int, str], dict[int, str]]:
        verdicts: dict[int, str] = {}
        refused: dict[int, str] = {}
        for number, document in staged.items():
            row_id = found.get(number)
            if row_id is None:
                verdicts[number] = "deleted" if self.tracked and self._deleted(number) else "new"
                continue
            new, now = self._contents(document, found), self.rows[row_id].contents
            known = self.known.get(row_id) if self.tracked else None
            by_policy = {"keep_target": "kept", "overwrite": "overwritten", "dead_letter": "refused"}[self.policy]
            if new == now:
                ours = known is None or known.loaded in (None, now)
                verdict = "same" if ours or known is None or known.source != new else "edited"
            elif known is None:
                verdict = by_policy
            elif known.loaded == now:
                verdict = "same" if known.source == new else "updated"
            elif known.source == new:
                verdict = "kept-before" if known.loaded is None else "edited"
            else:
                verdict = by_policy
            verdicts[number] = verdict
            if verdict == "refused":
                refused[number] = "target-has-row"
        return verdicts, refused

    def _taken(self, staged: dict[int, Document], found: dict[int, Id], verdicts: dict[int, str]) -> dict[int, str]:
        refused: dict[int, str] = {}
        for number, document in staged.items():
            if verdicts[number] not in {"new", "overwritten", "updated"} or document.email is None:
                continue
            holders = [i for i, row in self.rows.items() if row.email == document.email and i != found.get(number)]
            if holders:
                refused[number] = "target-has-value"
        return refused

    def _deliver(
        self, staged: dict[int, Document], found: dict[int, Id], verdicts: dict[int, str], outcome: Outcome
    ) -> None:
        before = dict(self.rows)
        after = dict(self.rows)
        contents = {number: self._contents(document, found) for number, document in staged.items()}
        for number, verdict in verdicts.items():
            row_id = found.get(number, ("doc", number))
            if verdict == "new":
                after[row_id] = Row(*contents[number])  # pyright: ignore[reportArgumentType]
                outcome.copied += 1
                continue
            outcome.verdicts[verdict] = outcome.verdicts.get(verdict, 0) + 1
            if verdict in {"overwritten", "updated"}:
                after[row_id] = Row(*contents[number], note=before[row_id].note)  # pyright: ignore[reportArgumentType]
                outcome.copied += 1
            else:
                outcome.kept += 1
                if row_id in before:
                    outcome.protected[row_id] = before[row_id]
            if verdict in {"kept", "overwritten"}:
                outcome.conflicts.add((row_id, verdict))
            if verdict == "deleted":
                known = next(k for k in self.known.values() if k.number == number)
                if known.source != contents[number]:
                    outcome.conflicts.add((("doc", number), "deleted-in-target"))
        self.rows = after
        for number, row_id in found.items():
            if row_id != ("doc", number):
                self.matched[number] = row_id
        for number, row_id in list(self.matched.items()):
            if row_id not in self.rows and ("doc", number) in self.rows:
                del self.matched[number]
        if self.tracked:
            self._remember(staged, found, verdicts, contents, outcome)

    def _remember(
        self,
        staged: dict[int, Document],
        found: dict[int, Id],
        verdicts: dict[int, str],
        contents: dict[int, tuple[object, ...]],
        outcome: Outcome,
    ) -> None:
        for row_id, known in list(self.known.items()):
            if known.number in staged:
                known.gone = False
                continue
            if row_id not in self.rows:
                del self.known[row_id]
            elif known.number not in outcome.letters:
                verdict = "gone-before" if known.gone else "gone"
                outcome.verdicts[verdict] = outcome.verdicts.get(verdict, 0) + 1
                if not known.gone:
                    outcome.conflicts.add((row_id, "gone-from-source"))
                known.gone = True
        for number, verdict in verdicts.items():
            row_id = found.get(number, ("doc", number))
            if verdict == "deleted":
                for known in self.known.values():
                    if known.number == number:
                        known.source = contents[number]
            elif verdict not in {"edited", "kept-before"}:
                loaded = None if verdict == "kept" else self.rows[row_id].contents
                self.known[row_id] = Known(number, contents[number], loaded)
