"""Checks of where documents come from and of tables that several entries fill."""

from __future__ import annotations

from dataclasses import replace

from isthmus.mapping.model import Collection, Mapping
from isthmus.mapping.placing import PlacedTable, place_tables
from isthmus.mapping.reading.reader import Place, Reader, shorten
from isthmus.mapping.target import Column


def check_flows(mapping: Mapping, reader: Reader) -> None:
    """Report entries that no document reaches, and sources that are skipped as a whole."""
    for source in mapping.source_collections:
        taken: str | None = None
        for flow in mapping.flows_of(source):
            place = _source_place(reader, flow.entry, source)
            if taken is not None:
                message = (
                    f"No document of `{shorten(source)}` reaches `{shorten(flow.entry)}`: `{taken}` takes them all."
                )
                hint = f"Give `{taken}` a `when`, or put `{shorten(flow.entry)}` before it."
                reader.report("unreachable-entry", place, message, hint)
            elif not mapping.collections[flow.entry].when:
                taken = flow.entry
            _check_optional(mapping, reader, flow.entry, source)
            _check_asked(mapping, reader, flow.entry, source)
            if source in mapping.skipped:
                message = f"`{shorten(source)}` is skipped as a whole, but `{shorten(flow.entry)}` reads it."
                reader.report("skipped", place, message, "Remove one of the two.")


def _check_optional(mapping: Mapping, reader: Reader, entry: str, source: str) -> None:
    """Report a source that one entry lets be missing and another one does not."""
    said = any(rule.optional for rule in mapping.collections[entry].sources if rule.collection == source)
    if said and source not in mapping.optional_collections:
        others = [flow.entry for flow in mapping.flows_of(source) if flow.entry != entry]
        shown = ", ".join(f"`{shorten(other)}`" for other in others)
        message = f"`{shorten(source)}` may be missing for `{shorten(entry)}`, but not for all that read it: {shown}."
        reader.report(
            "optional-source", ("collections", entry, "optional"), message, "Say it in all of them, or in none."
        )


def _check_asked(mapping: Mapping, reader: Reader, entry: str, source: str) -> None:
    """Report a collection that is to be asked for where nobody can, or that another entry carries unasked."""
    place = ("collections", entry, "asked")
    if mapping.collections[entry].asked is None:
        return
    if mapping.target.tables != "existing":
        message = "Only a copy into tables that exist can be told which collections to carry."
        reader.report("asked-existing", place, message, 'Write skip: "why", or target: {tables: existing}.')
    others = [flow.entry for flow in mapping.flows_of(source) if mapping.collections[flow.entry].asked is None]
    if others:
        message = f"`{shorten(source)}` is to be asked for, but `{shorten(others[0])}` carries it without."
        reader.report("asked-shared", place, message, "Say it in all entries that read the collection, or in none.")


def _source_place(reader: Reader, entry: str, source: str) -> Place:
    place = ("collections", entry)
    inner = (*place, "from", source)
    return inner if inner in reader.lines else (*place, "from") if (*place, "from") in reader.lines else place


def check_shared(mapping: Mapping, reader: Reader) -> None:
    """Report entries that fill one table and do not agree; entries with problems of their own are left alone."""
    known: dict[str, list[tuple[str, PlacedTable]]] = {}
    done: set[str] = set()
    broken = {
        problem_place[1]
        for problem_place in reader.broken
        if problem_place[:1] == ("collections",) and len(problem_place) > 1
    }
    for flow in mapping.flows:
        if flow.entry in done or flow.entry in broken:
            continue
        done.add(flow.entry)
        try:
            tables = place_tables(mapping, flow)
        except KeyError:  # a reference into an entry with a problem
            continue
        for table in tables:
            before = known.setdefault(table.name, [])
            # with all of them: what two have in common the first may lack
            agree = all(_agree(mapping, reader, entry, other, flow.entry, table) for entry, other in before)
            if agree:
                before.append((flow.entry, table))


def _agree(
    mapping: Mapping, reader: Reader, entry: str, table: PlacedTable, other_entry: str, other: PlacedTable
) -> bool:
    """Whether two entries that fill one table agree in it; report the first thing in which they do not."""
    if entry == other_entry:  # two arrays of one entry: reported as wanted twice
        return False
    place = ("collections", other_entry)
    owner = f"`{shorten(entry)}` and `{shorten(other_entry)}` fill one table, `{table.name}`"
    rules = mapping.collections[entry], mapping.collections[other_entry]
    if table.parent is None and not _rules_agree(reader, place, owner, *rules):
        return False
    return _columns_agree(reader, place, owner, table, other)


_AGREE = ("ids", "key", "extras", "search", "on_duplicate", "match", "on_conflict", "rerun")


def _rules_agree(reader: Reader, place: Place, owner: str, first: Collection, second: Collection) -> bool:
    differing = [key for key in _AGREE if getattr(first, key) != getattr(second, key)]
    if "search" in differing and None in (first.search, second.search):
        differing.remove("search")
    if first.id != second.id and "ids" not in differing:
        differing.insert(0, "_id")
    if differing:
        message = f"{owner}, but do not agree in `{differing[0]}`."
        at = (*place, "fields", "_id") if differing[0] == "_id" else (*place, differing[0])
        reader.report("table-clash", at, message, "State the same in both, or give one another table.")
    return not differing


def _columns_agree(reader: Reader, place: Place, owner: str, first: PlacedTable, second: PlacedTable) -> bool:
    ours = {placed.column.name: placed.column for placed in first.columns}
    theirs = {placed.column.name: placed.column for placed in second.columns}
    for name in dict.fromkeys((*ours, *theirs)):
        mine, other = ours.get(name), theirs.get(name)
        if mine is None or other is None:
            lone = mine or other
            if lone is not None and (not lone.nullable or second.parent is not None):
                why = "all columns of child tables must be in both" if second.parent is not None else "it is required"
                message = f"{owner}, but only one has the column `{name}`, and {why}."
                reader.report("table-clash", place, message, "State it in both, or give one another table.")
                return False
        elif (difference := _difference(mine, other)) is not None:
            message = f"{owner}, but the column `{name}` differs: {difference}."
            reader.report("table-clash", place, message, "State the same in both, or give one another column.")
            return False
    return True


def _difference(first: Column, second: Column) -> str | None:
    if first.type != second.type:
        return f"`{first.type}` in the first, `{second.type}` in the second"
    if first.nullable != second.nullable:
        return "required in one of them only"
    if first.role != second.role:
        ours, theirs = (_ROLES.get(column.role, column.role) for column in (first, second))
        return f"it is {ours} in the first, {theirs} in the second"
    if first.sql_default != second.sql_default:
        return "the table's own default is not the same"
    if first.reference is None or second.reference is None:
        return None
    ends = [
        replace(reference, collection="", entry="", stated=False) for reference in (first.reference, second.reference)
    ]
    return (
        None if ends[0] == ends[1] else "they do not refer to the same, or orphans or deletions are treated otherwise"
    )


_ROLES = {"value": "a field", "reference": "a reference", "constant": "a constant", "extras": "for extras"}
