"""A mapping from a survey: the order in which decisions are made, so that each finds what it needs. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator

from isthmus.mapping.model import Mapping
from isthmus.mapping.names import fold
from isthmus.survey.model import Survey, Surveyed
from isthmus.survey.paths import node_at
from isthmus.survey.profile import Node, Path
from isthmus.survey.propose.beside import Beside
from isthmus.survey.propose.ids import IdChoice, choose_ids
from isthmus.survey.propose.indexes import carry_indexes
from isthmus.survey.propose.junctions import join_arrays
from isthmus.survey.propose.names import free_name
from isthmus.survey.propose.pointing import find_pointers
from isthmus.survey.propose.proposal import CHECK, Entry, Proposal
from isthmus.survey.propose.refused import count_refused, standing_of
from isthmus.survey.propose.tables import Shared, TableMaker
from isthmus.survey.sensitive_names import is_sensitive
from isthmus.survey.unique import Counts, known_distinct
from isthmus.work.amounts import plural

_PLACE = re.compile(r" (?:in|at) ")


def propose(survey: Survey, beside: Mapping | None = None, stated: Collection[str] = ()) -> Proposal:
    """Propose a mapping that carries everything a survey saw.

    Args:
        survey: What was found.
        beside: A mapping that the proposal is to be added to: its names are taken, what it skips is not referred to,
            and the ids of its collections are as it says.
        stated: Names of the policies that the file of that mapping states (`stated_policies`); these are followed.

    Returns:
        The proposal; the same survey gives the same one.
    """
    counted: Counts = {
        **{(one.collection, one.path): one.count for one in survey.looked_in if one.exact},
        **survey.counted,
    }
    proposal = Proposal(header=list(_header(survey)), policies=_policies(survey))
    there = Beside(beside)
    ids = {
        name: there.ids(name) or choose_ids(survey.collections[name], _referring(survey, name))
        for name in sorted(survey.collections)
    }
    pointed = {name: one for name, one in ids.items() if there.may_be_pointed_at(name)}
    pointers = find_pointers(survey, pointed, counted, there.has_key)
    shared = Shared(
        ids,
        pointers,
        names=there.names(),
        enums=proposal.enums,
        beside=there,
        said=standing_of(beside, stated),
        secret=_secret(survey),
    )
    makers: dict[str, TableMaker] = {}
    for name in sorted(survey.collections):
        table = there.table(name) or free_name(name, shared.names, fallback="documents")
        shared.names.add(table)
        makers[name] = TableMaker(name, survey.collections[name], table, shared)
        makers[name].root.taken |= there.columns(name)
    for maker in makers.values():
        maker.make()
    tables = {name: maker.root.table for name, maker in makers.items()}
    proposal.junctions = join_arrays({name: maker.arrays for name, maker in makers.items()}, tables, shared)
    for name, maker in makers.items():
        carry_indexes(survey, survey.collections[name], maker, shared, counted)
    for name in sorted({*makers, *survey.left_out}):
        if name in makers:
            proposal.entries.append(_entry(survey, name, makers[name], ids[name], counted))
        elif name in survey.unread:
            proposal.entries.append(Entry(name, notes=[f"{CHECK}{name} is not mapped: {survey.left_out[name]}"]))
        elif not name.startswith("system."):
            proposal.entries.append(Entry(name, skip=_reason(survey.left_out[name])))
    return proposal


def _secret(survey: Survey) -> set[tuple[str, Path]]:
    """Return the fields that hold what a secret field holds, whatever they are called: they refer to it, or to such."""
    found: set[tuple[str, Path]] = set()
    while (
        more := {
            (one.collection, one.path)
            for one in survey.references
            if is_sensitive(one.to.path) or (one.to.collection, one.to.path) in found
        }
        - found
    ):
        found |= more
    return found


def _referring(survey: Survey, collection: str) -> Iterator[Node]:
    """Yield what stands where references to the ids of a collection are."""
    for one in survey.references:
        if collection in (one.several or {one.to.collection: 0}) and one.to.path == ("_id",):
            node = node_at(survey.collections[one.collection].profile.root, one.path)
            if node is not None:
                yield node


def _entry(survey: Survey, name: str, maker: TableMaker, ids: IdChoice, counted: Counts) -> Entry:
    one = survey.collections[name]
    notes = [*_notes(survey, name, one), *ids.notes, *_ids_twice(one, counted.get((name, ("_id",))))]
    entry = Entry(name, fields=maker.root, notes=notes)
    if maker.root.table != fold(name):
        entry.head["table"] = maker.root.table
    if ids.keep:
        entry.head["ids"] = "keep"
    return entry


def _ids_twice(one: Surveyed, counted: int | None) -> Iterator[str]:
    """Name ids that several documents have, which only a damaged dump holds; those are found where ids are counted."""
    node = one.profile.root.fields.get("_id")
    if node is None or one.sampled:
        return
    distinct = counted if counted is not None else known_distinct(node)
    again = node.present - node.kinds.get("array", 0) - node.kinds.get("regex", 0) - (distinct or node.present)
    if again > 0:
        yield (
            f"{CHECK}{plural(again, 'document')} of {node.present:,} with an _id that another one has, too: all but the"
            " first become dead letters (duplicate-id)"
        )


def _notes(survey: Survey, name: str, one: Surveyed) -> Iterator[str]:
    read = plural(one.profile.documents, "document")
    yield f"{read} of a sample" if one.sampled else read
    if one.sampled:
        yield f"{CHECK}a sample shows neither rare fields nor rare types; nothing is required for that reason"
    for why in one.broken:
        yield f"{CHECK}could not be read to its end: {why}"
    for code, count in sorted(one.profile.broken.items()):
        yield f"{CHECK}broken, so that they become dead letters ({code}): {plural(count, 'document')}"
    if one.profile.path_limit:
        yield f"{CHECK}more paths than a survey follows; what is beyond goes to extras"
    if one.info.kind == "capped":
        yield "capped in MongoDB: PostgreSQL keeps all rows, and no order"
    for bucket in survey.buckets:
        if name == f"{bucket}.files":
            yield f"GridFS: the files of the bucket {bucket}; their bytes are in {bucket}.chunks"
        elif name == f"{bucket}.chunks":
            yield f"GridFS: the bytes of the bucket {bucket}, in chunks"
    mended = dict(one.profile.odd_keys).get("invalid_utf8", ())
    if mended:
        yield f"{CHECK}keys that are no UTF-8; two that differ in such bytes alone make a document a dead letter"


def _header(survey: Survey) -> Iterator[str]:
    documents = sum(one.profile.documents for one in survey.collections.values())
    yield f"Proposed by isthmus map from {_source(survey.source)}:"
    part = any(one.sampled for one in survey.collections.values())
    how = "a sample, not all there are" if part else "all were read"
    yield f"{plural(documents, 'document')} in {plural(len(survey.collections), 'collection')}; {how}."
    yield "Lines with `check:` are where a person should look: they say what was seen, and what else could be done."
    if survey.moves:
        yield "The source may be written to: what came after the survey may not fit."


def _policies(survey: Survey) -> dict[str, tuple[str, str]]:
    refused: Counter[str] = Counter()
    raw = keys = 0
    for one in survey.collections.values():
        refused.update(one.profile.refused)
        keys += len(dict(one.profile.odd_keys).get("invalid_utf8", ()))
        raw += count_refused(one.profile.root).raw
    found: dict[str, tuple[str, str]] = {}
    listed = "isthmus.adjustment lists each with its original"
    if refused["nul"] or raw:
        found["nul"] = (
            "remove",
            f"NUL, which PostgreSQL's texts cannot hold: {plural(refused['nul'], 'text')}; {listed}",
        )
    if refused["invalid_utf8"] or raw or keys:
        found["utf8"] = (
            "replace",
            f"not UTF-8: {plural(refused['invalid_utf8'], 'text')}, {plural(keys, 'key')}; {listed}",
        )
    special = refused["nan"] + refused["infinite"] + refused["decimal_special"]
    if special:
        found["nan"] = (
            "null",
            f"NaN or infinite: {plural(special, 'number')}, kept in columns of numbers, null inside of jsonb; {listed}",
        )
    return found


def _source(name: str) -> str:
    """Return what was read, without where it lies: the same data gives the same file."""
    return _PLACE.split(name, maxsplit=1)[0]


def _reason(rule: str) -> str:
    return rule.rstrip(".") or "it is not read"
