"""How a survey ends: its exit code, and for people why it is not 0 and what to do. Pure."""

from __future__ import annotations

from isthmus.sources.shown import shown
from isthmus.survey.model import Survey
from isthmus.work.amounts import plural
from isthmus.work.listed import listed

_NAMED = 4


def exit_code(survey: Survey) -> int:
    """Return 0 when all documents were read, 1 when some are malformed, 3 when not all could be read."""
    return 3 if survey.broken else 1 if survey.malformed else 0


def remedy(survey: Survey) -> str:
    """Return why the exit code is not 0, and what to do; an empty text when it is."""
    broken = [shown(name) for name, one in survey.collections.items() if one.broken]
    why = [f"{listed(broken, _NAMED)} could not be read to {'its' if len(broken) == 1 else 'their'} end"]
    why = why if broken else []
    faults = [shown(name) for name, one in survey.collections.items() if one.info.fault]
    if faults:
        why.append(f"the metadata of {listed(faults, _NAMED)} could not be read, so its indexes are not known")
    if survey.unread:
        why.append(f"{listed([shown(name) for name in survey.unread], _NAMED)} could not be read at all")
    if why:
        live = survey.kind == "live"
        then = (
            "Look at the server and the rights of its user, and run this again."
            if live
            else "Make the dump anew, or repair it: docs/how-to/repair-a-broken-dump.md."
        )
        return f"{'; '.join(why)}. {then}"
    if survey.malformed:
        where = [shown(name) for name, one in survey.collections.items() if one.malformed]
        one = survey.malformed == 1
        are, their, them = ("is", "its", "it") if one else ("are", "their", "them")
        letters = "a dead letter" if one else "dead letters"
        return (
            f"{plural(survey.malformed, 'document')} of {listed(where, _NAMED)} {are} malformed and not counted."
            f" A copy keeps {their} bytes as {letters}; to mend {them}, see docs/how-to/read-dead-letters.md."
        )
    return ""
