"""A whole survey: both passes over a source, what they mean for each collection, and no secrets in it."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace

from isthmus._rust import IdSet
from isthmus.errors import ConfigError
from isthmus.sources.nearest import nearest
from isthmus.sources.protocol import CollectionInfo, Source
from isthmus.sources.reading import Options
from isthmus.sources.shown import shown
from isthmus.survey.advise import advise
from isthmus.survey.conceal import conceal
from isthmus.survey.model import LookedIn, Survey
from isthmus.survey.reference import Key
from isthmus.survey.references import find_references
from isthmus.survey.scan import scan
from isthmus.work.listed import listed
from isthmus.work.progress import Progress

_NAMED = 10


def survey_source(
    source: Source,
    options: Options,
    progress: Progress,
    stop: threading.Event,
    names: Sequence[str] | None = None,
) -> Survey:
    """Read a source twice or three times, and return what it holds, with references and advice.

    Values of fields that look like secrets are not in it. Reads only.

    Args:
        source: The source.
        options: How.
        progress: Told how far it is.
        stop: Set when the user wants it to end.
        names: The collections to read; None for all.

    Raises:
        ConfigError: The source has no collection of one of the names (code `unknown-collection`), or a rule leaves it
            out (code `collection-not-read`).
        Interrupted: The user asked to stop.
        SourceError: The source as a whole cannot be read.
    """
    there = {info.name: info for info in source.collections()}
    if names is not None:
        _check_names(source.name, there, names)
    survey, ids = scan(source, options, progress, stop, names)
    sets: list[LookedIn] = []

    def tell_set(key: Key, values: IdSet) -> None:
        told = json.loads(values.describe())
        sets.append(LookedIn(key.collection, key.path, told["count"], told["exact"], told["false_positives"]))

    references = find_references(source, survey, ids, options, progress, stop, tell_set)
    found = replace(
        survey,
        references=references,
        looked_in=tuple(sets),
        left_out={} if names is not None else survey.left_out,
        unread=tuple(name for name, info in there.items() if info.rule and info.kind == "collection" and names is None),
        not_asked=tuple(name for name, info in there.items() if info.readable and name not in survey.collections),
    )
    return conceal(replace(found, advice=advise(found)))


def _check_names(source: str, there: Mapping[str, CollectionInfo], names: Sequence[str]) -> None:
    for name in names:
        if name not in there:
            near = nearest(name, there)
            known = listed([shown(one) for one in sorted(there)], _NAMED) or "none"
            raise ConfigError(
                f"{source} has no collection {shown(name)}.",
                code="unknown-collection",
                hint=f"Did you mean {shown(near)}?" if near else f"It has {known}.",
            )
        rule = there[name].rule
        if rule is not None:
            raise ConfigError(f"The collection {shown(name)} is not read: {rule}", code="collection-not-read")
