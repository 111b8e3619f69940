"""What of a mapping a rewrite is about: collections that are looked through, entries whose ids are written. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from isthmus.errors import ConfigError
from isthmus.mapping.model import Mapping
from isthmus.polyglot.sites import Site, sites
from isthmus.sources.nearest import nearest


@dataclass(frozen=True)
class Scope:
    """What is looked at.

    Attributes:
        sites: Collection → its sites, both in the mapping's order; no collection is without.
        entries: The entries whose rows values may become, in the mapping's order.
        left_out: (collection, path, why) of sites that no id can be written to, or that lead elsewhere.
    """

    sites: dict[str, tuple[Site, ...]]
    entries: tuple[str, ...]
    left_out: tuple[tuple[str, str, str], ...]

    def as_json(self) -> dict[str, list[str]]:
        """Return what tells one scope from another, for the state."""
        return {"to": sorted(self.entries), "only": sorted(self.sites)}


def scope_of(
    mapping: Mapping, to: Collection[str] = (), only: Collection[str] = (), *, may_be_empty: bool = False
) -> Scope:
    """Choose what to look at.

    Args:
        mapping: A checked mapping.
        to: Tables, entries or source collections whose ids are written; empty for all.
        only: Entries or source collections whose documents are looked through; empty for all but those that are to be
            asked for.
        may_be_empty: Whether nothing to look at is no fault, as where a log says what was written.

    Raises:
        ConfigError: A name is none (code `no-such-entry`), or nothing is left to look at (`nothing-refers`).
    """
    entries = _entries(mapping, to)
    collections = _collections(mapping, only)
    chosen: dict[str, list[Site]] = {}
    left_out: list[tuple[str, str, str]] = []
    for site in sites(mapping):
        if site.collection not in collections:
            if not only:
                left_out.append((site.collection, site.shown, "the collection is to be asked for (`asked`, --only)"))
            continue
        why = _why_not(mapping, site, entries)
        if why is None:
            chosen.setdefault(site.collection, []).append(site)
        elif why:
            left_out.append((site.collection, site.shown, why))
    if not chosen and not may_be_empty:
        raise ConfigError(
            "The mapping names no reference to an id that could be rewritten"
            + (" among what --to and --only choose." if to or only else "."),
            code="nothing-refers",
            hint="References are columns with `references`, `route`, `rewrite` inside jsonb, and junctions.",
        )
    pointed = {entry for group in chosen.values() for site in group for entry in site.targets}
    return Scope(
        {name: tuple(group) for name, group in chosen.items()},
        tuple(name for name in mapping.collections if name in pointed & entries),
        tuple(left_out),
    )


def _why_not(mapping: Mapping, site: Site, entries: set[str]) -> str | None:
    """Return why a site is not looked at; None when it is, nothing where nobody asked for it."""
    if not set(site.targets) & entries:
        return ""
    if site.by is not None:
        return f"it is compared with {'.'.join(site.by)}, not with an id"
    without = [name for name in site.targets if not mapping.collections[name].id.kept]
    if without:
        return f"{mapping.collections[without[0]].table} keeps no ids of documents"
    if site.path[:1] == ("_id",):
        return "it is a part of the document's own _id, which never changes"
    return None


def _entries(mapping: Mapping, names: Collection[str]) -> set[str]:
    if not names:
        return set(mapping.collections)

    def of(name: str) -> set[str]:
        by_table = {entry for entry, rule in mapping.collections.items() if rule.table == name}
        by_source = {flow.entry for flow in mapping.flows_of(name)}
        return ({name} & set(mapping.collections)) | by_table | by_source

    tables = [rule.table for rule in mapping.collections.values()]
    return _chosen(names, of, "--to", [*tables, *mapping.collections, *mapping.source_collections])


def _collections(mapping: Mapping, names: Collection[str]) -> set[str]:
    if not names:
        return {name for name in mapping.source_collections if mapping.why_asked(name) is None}

    def of(name: str) -> set[str]:
        rule = mapping.collections.get(name)
        found = {name} & set(mapping.source_collections)
        return found | (set(rule.source_names) if rule is not None else set())

    return _chosen(names, of, "--only", [*mapping.collections, *mapping.source_collections])


def _chosen(names: Iterable[str], of: Callable[[str], set[str]], option: str, known: list[str]) -> set[str]:
    chosen: set[str] = set()
    for name in names:
        found = of(name)
        if not found:
            close = nearest(name, list(dict.fromkeys(known)))
            what = "no table and no collection" if option == "--to" else "no collection"
            raise ConfigError(
                f"{option} names {name}, which is {what} of the mapping.",
                code="no-such-entry",
                hint=f"Did you mean {close}?" if close else "Name entries of the mapping, or source collections.",
            )
        chosen |= found
    return chosen
