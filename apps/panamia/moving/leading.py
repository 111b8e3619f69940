"""Which phases' documents lead to which other ones, by the ids that MongoDB knows: read from the mapping. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.mapping import Mapping
from isthmus.polyglot.sites import Site, sites

from .phases import PHASES, Phase


def collections_of(mapping: Mapping, phase: Phase) -> tuple[str, ...]:
    """Return the collections that a phase carries, and those that are left behind with it; none of a rewrite."""
    if phase.kind == "rewrite":
        return ()
    carried = [name for entry in phase.entries for name in mapping.collections[entry].source_names]
    return (*carried, *phase.left)


def leading_to(mapping: Mapping, phase: Phase) -> list[Site]:
    """Return the places in documents of other phases whose values may lead to documents of one, by their `_id`."""
    own = set(collections_of(mapping, phase))
    tables = _tables(mapping, phase)
    return [
        site
        for site in sites(mapping)
        if site.collection not in own
        and site.by is None
        and any(mapping.collections[entry].table in tables for entry in site.targets)
    ]


def leads(mapping: Mapping) -> dict[int, set[int]]:
    """Return for each phase the others that its documents lead to, by their `_id`, once it is undone.

    A copy that comes behind the rewrite leads to users by ids of PostgreSQL; the rewrite undone, by those of MongoDB.
    """
    found: dict[int, set[int]] = {one.number: set(_rewritten(one)) for one in PHASES}
    holders = {name: one.number for one in PHASES for name in collections_of(mapping, one)}
    for to in PHASES:
        if to.kind != "copy":
            continue
        for site in leading_to(mapping, to):
            holder = holders.get(site.collection)
            if holder is not None and not _is_rewritten_for(holder, to):
                found[holder].add(to.number)
    return found


def _rewritten(phase: Phase) -> Iterator[int]:
    """Yield the phases whose ids a rewrite writes."""
    if phase.kind == "rewrite":
        yield from (one.number for one in PHASES if one.kind == "copy" and set(one.entries) & set(phase.entries))


def _is_rewritten_for(holder: int, to: Phase) -> bool:
    return any(one.kind == "rewrite" and one.number < holder and set(one.entries) & set(to.entries) for one in PHASES)


def _tables(mapping: Mapping, phase: Phase) -> set[str]:
    return {mapping.collections[entry].table for entry in phase.entries}
