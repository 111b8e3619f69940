"""What is odd about a collection, in sentences: what broke, what a copy must decide on, what names cannot say. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from isthmus.sources.shown import shown
from isthmus.survey.model import Survey, Surveyed
from isthmus.survey.profile import Path, Profile
from isthmus.survey.report.fields import field_rows, keys_text, type_word
from isthmus.survey.report.words import path_text, short
from isthmus.survey.sensitive_names import is_sensitive
from isthmus.work.amounts import plural, share_text
from isthmus.work.listed import listed

_NAMED = 4

_KEYS = {
    "dot": "a dot in the key",
    "dollar": "a key that begins with a dollar sign",
    "empty": "an empty key",
    "long": "a key of more than 63 bytes, too long for the name of a column",
    "nul": "a NUL in the key",
    "invalid_utf8": "a key that is not UTF-8",
    "duplicate": "a key that stands twice in one document (the last one counts)",
}

_REFUSED = {
    "nul": ("text with NUL", "texts with NUL", "PostgreSQL's text holds no NUL"),
    "invalid_utf8": ("text that is not UTF-8", "texts that are not UTF-8", "PostgreSQL's text is UTF-8"),
    "nan": ("NaN", "NaN", "JSON has none; double precision and numeric do"),
    "infinite": ("infinite number", "infinite numbers", "JSON has none; double precision and numeric do"),
    "out_of_range": ("date out of range", "dates out of range", "a timestamp is one of 4714 BC to 294276"),
    "decimal_special": ("special decimal", "special decimals", "JSON has no NaN or infinity"),
}


def oddities(one: Surveyed) -> list[str]:
    """Return what is odd about a collection, the gravest first."""
    return [*_breaks(one), *_refused(one.profile), *_ids(one.profile), *_odd_keys(one.profile), *_shapes(one.profile)]


def _breaks(one: Surveyed) -> Iterator[str]:
    if one.info.fault:
        yield f"Its indexes and options are not known: {shown(one.info.fault)}"
    for why in one.broken:
        yield f"Not read to its end: {shown(why)} What stands before that is counted."
    for code, count in one.profile.broken.items():
        are = plural(count, "document is", "documents are")
        letters = "a dead letter of it" if count == 1 else "dead letters of them"
        yield f"{are} malformed ({code}) and not counted; a copy makes {letters}."


def _refused(profile: Profile) -> Iterator[str]:
    for what, count in profile.refused.items():
        single, several, why = _REFUSED.get(what, (what, what, "PostgreSQL refuses it"))
        yield f"{plural(count, single, several)}{_where(_holders(profile, what))}: {why}."


def _holders(profile: Profile, what: str) -> Iterator[Path]:
    """Yield the paths at which such values were met."""
    for path, node in profile.walk():
        parts = (node.texts, node.doubles, node.decimals, node.dates)
        if what == "decimal_special":
            met = node.decimals is not None and (node.decimals.nan or node.decimals.infinite)
        else:
            met = any(getattr(part, what, 0) for part in parts if part is not None and part is not node.decimals)
        if met:
            yield path


def _where(paths: Iterable[Path]) -> str:
    named = [path_text(path) for path in paths]
    return f" in {listed(named, _NAMED)}" if named else ""


def _ids(profile: Profile) -> Iterator[str]:
    node = profile.root.fields.get("_id")
    if node is None:
        return
    if len(node.types) > 1:
        kinds = sorted(node.types.items(), key=lambda one: (-one[1], one[0]))
        shares = ", ".join(f"{type_word(kind)} {share_text(count, node.present)}" for kind, count in kinds)
        yield f"_id is of several types: {shares}."
    if node.missing:
        yield f"{plural(node.missing, 'document has', 'documents have')} no _id."


def _odd_keys(profile: Profile) -> Iterator[str]:
    for what, paths in profile.odd_keys.items():
        named = [f"{short(path, 60) or 'an empty one'} ({count:,})" for path, count in paths]
        yield f"Fields with {_KEYS.get(what, what)}: {listed(named, _NAMED)}."


def _shapes(profile: Profile) -> Iterator[str]:
    if profile.root.collapsed is not None:
        yield f"In its documents, {keys_text(profile.root.collapsed, secret=False)}."
    for path, node in profile.walk():
        if node.collapsed is not None:
            yield f"In {path_text(path)}, {keys_text(node.collapsed, secret=is_sensitive(path))}."
    mixed = [row for row in field_rows(profile) if len(row.node.kinds) > 1 and row.path != ("_id",)]
    if mixed:
        named = [f"{row.full_name} ({row.types})" for row in mixed]
        yield f"Fields of several types: {listed(named, _NAMED)}."
    if profile.path_limit:
        yield "There are more fields than are followed: some were counted, but not looked into."


def notes(survey: Survey) -> list[str]:
    """Return what is to be known of a survey as a whole: what it left out, what it cannot see, and why."""
    found = [f"{shown(name)} was left out: {shown(rule)}" for name, rule in survey.left_out.items()]
    found += [
        f"{shown(bucket)} is a GridFS bucket: {shown(bucket)}.files and {shown(bucket)}.chunks hold files in pieces."
        for bucket in survey.buckets
    ]
    if survey.not_asked:
        names = listed([shown(name) for name in survey.not_asked], _NAMED)
        found.append(
            f"{plural(len(survey.not_asked), 'collection was', 'collections were')} not asked for ({names}): references"
            " to and from them are not seen."
        )
    found += _sample_notes(survey)
    broken = [shown(name) for name, one in survey.collections.items() if one.broken]
    if broken:
        were = plural(len(broken), "collection was", "collections were")
        found.append(
            f"{were} not read to the end ({listed(broken, _NAMED)}):"
            " of what refers to them only the least that is found is told, and no orphans."
        )
    if survey.moves:
        found.append("The server may have been written to meanwhile: the passes may have seen different documents.")
    found += _set_notes(survey)
    return found


def _sample_notes(survey: Survey) -> Iterator[str]:
    if survey.sample is None:
        return
    part = {name: one.profile.documents for name, one in survey.collections.items() if one.sampled}
    if not part:
        yield (
            f"A sample of {survey.sample:,} documents was asked for, and all were read: no collection has more than are"
            " read at once."
        )
        return
    told = [f"{shown(name)}: {count:,} documents" for name, count in part.items()]
    yield (
        f"Only a sample was read of {plural(len(part), 'collection')} ({listed(told, _NAMED)}), the first ones of"
        " several stretches. Not seen may be: fields and types that fewer than about one document in"
        f" {max(1, min(part.values()) // 3):,} has, wider ranges, longer texts, further values. What is unique or"
        " always there in the sample need not be so in the collection."
    )
    yield (
        "References were looked up among the ids of the sample. What is not found may be an id outside of it, so"
        " orphans are not told; a reference is not seen at all where the sample holds too few of the ids it points at."
    )


def _set_notes(survey: Survey) -> Iterator[str]:
    filters = [one for one in survey.looked_in if not one.exact]
    sets = plural(len(survey.looked_in), "set")
    if survey.looked_in and not filters:
        yield f"Values were looked up in {sets} of ids and natural keys, each of them exact."
    if filters:
        named = [
            f"{shown(one.collection)}.{path_text(one.path)} ({one.count:,} values, {one.false_positives:.2g})"
            for one in filters
        ]
        yield (
            f"Values were looked up in {sets} of ids and natural keys; {len(filters):,} did not fit into memory and"
            f" became filters, which take a share of foreign values for members: {listed(named, _NAMED)}."
        )
