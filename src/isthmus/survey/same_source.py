"""Whether a survey is of the source that is named beside it. Pure; it says no only where the data can tell."""

from __future__ import annotations

from collections.abc import Sequence

from isthmus.sources.protocol import CollectionInfo
from isthmus.sources.shown import shown
from isthmus.survey.model import Survey
from isthmus.work.amounts import plural
from isthmus.work.listed import listed

_NAMED = 4


def differences(
    survey: Survey, *, database: str | None, moves: bool, collections: Sequence[CollectionInfo]
) -> list[str]:
    """Return what a source has otherwise than the survey tells, in sentences; none where nothing shows.

    A source may lie elsewhere, or be of another kind (a dump and its archive): it counts what is in it. Of one that
    may have been written to since, only the database counts.

    Args:
        survey: The survey.
        database: Which database the source says it is; None where it names none.
        moves: Whether the source may be written to.
        collections: As the source lists them.
    """
    found: list[str] = []
    if None not in {survey.database, database} and survey.database != database:
        found.append(f"The survey is of the database {shown(survey.database or '')}, not of {shown(database or '')}.")
    if moves or survey.moves:
        return found
    readable = {info.name: info for info in collections if info.readable}
    known = {*survey.collections, *survey.not_asked}
    for names, what in (
        (sorted(known - {*readable}), "in the survey only"),
        (sorted({*readable} - known), "in the source only"),
    ):
        if names:
            are = "is" if len(names) == 1 else "are"
            found.append(f"{listed([shown(name) for name in names], _NAMED)} {are} {what}.")
    for name in sorted(known & {*readable}):
        found += _amounts(survey, readable[name])
    return found


def _amounts(survey: Survey, info: CollectionInfo) -> list[str]:
    one = survey.collections.get(info.name)
    if one is None or one.sampled or one.broken or one.malformed:
        return []
    profile = one.profile
    if info.documents is not None and info.documents != profile.documents:
        return [f"{shown(info.name)} holds {plural(info.documents, 'document')}, in the survey {profile.documents:,}."]
    if info.bytes_exact and info.bytes_total is not None and info.bytes_total != profile.bytes:
        return [f"{shown(info.name)} holds {plural(info.bytes_total, 'byte')}, in the survey {profile.bytes:,}."]
    return []
