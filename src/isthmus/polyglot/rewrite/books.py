"""The books of a rewrite: values by place and outcome, from what was judged or from the log that was kept."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg

from isthmus.polyglot.rewrite.judge import Value
from isthmus.polyglot.rewrite.looked import Looked
from isthmus.polyglot.rewrite.result import Listed, PlaceBooks, RewriteResult
from isthmus.polyglot.sites import Site, show_place
from isthmus.state.rewrites import Part, counts, done_documents, first_lines

UNKEPT = frozenset({"canonical", "elsewhere"})
"""Verdicts that ask nobody to do anything: they are counted, and no line of the log tells of them."""

_PLAIN = frozenset({"unmapped", "ambiguous", "moved"})
"""Reasons of refused lines that are outcomes of their own; all others are reasons of `cannot`."""


class DryBooks:
    """Counts what would become of values, and keeps the first of each kind.

    Args:
        result: Is filled.
    """

    def __init__(self, result: RewriteResult) -> None:
        self._result = result

    def add(self, collection: str, looked: Iterable[Looked]) -> None:
        """Add documents."""
        for one in looked:
            self._result.changed += bool(one.changing)
            for value in one.values:
                self._add(collection, one.read.source_id, value)

    def _add(self, collection: str, source_id: bytes, value: Value) -> None:
        outcome = "would_change" if value.verdict == "change" else value.verdict
        name = f"{outcome}:{value.reason}" if value.reason else outcome
        count = self._result.count(collection, value.site.shown, name)
        if value.verdict not in UNKEPT and count <= self._result.limit:
            path, sensitive = show_place(value.place), value.site.sensitive
            listed = Listed(collection, source_id, path, value.old, value.new, outcome, value.reason, sensitive)
            self._result.listed.append(listed)


def refusal_of(value: Value) -> str:
    """Return the reason under which the log keeps a value that is not changed."""
    return value.reason or value.verdict


def read_books(
    connection: psycopg.Connection,
    rewrite: int,
    parts: Iterable[Part],
    sites: dict[str, tuple[Site, ...]],
    result: RewriteResult,
) -> None:
    """Fill the counts and the list of a result from what a rewrite has committed."""
    for books in result.places.values():
        books.counts.clear()
    result.changed = done_documents(connection, rewrite)
    for part in parts:
        result.documents[part.collection] = part.documents
        for path, kept in part.counts.items():
            result.places.setdefault((part.collection, path), PlaceBooks()).counts.update(kept)
    for collection, path, state, reason, count in counts(connection, rewrite):
        if state in {"done", "refused"}:
            outcome = _outcome(state, reason)
            result.places.setdefault((collection, path), PlaceBooks()).counts[outcome] += count
    hidden = {(site.collection, site.shown) for group in sites.values() for site in group if site.sensitive}
    result.listed = []
    for line in first_lines(connection, rewrite, ["done", "refused"], result.limit):
        outcome, _, reason = _outcome(line.state, line.reason).partition(":")
        sensitive = (line.collection, line.site) in hidden
        path = show_place(line.path)
        result.listed.append(
            Listed(
                line.collection, line.source_id, path, line.old_value, line.new_text, outcome, reason or None, sensitive
            )
        )


def _outcome(state: str, reason: str | None) -> str:
    if state == "done":
        return "changed"
    return reason if reason in _PLAIN else f"cannot:{reason}"
