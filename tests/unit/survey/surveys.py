"""Surveys of small databases, made as the command makes them: a dump is written, read twice, judged."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from isthmus.sources import open_source
from isthmus.sources.reading import Options
from isthmus.survey.model import Survey
from isthmus.survey.run import survey_source
from isthmus.work.progress import Progress
from tests.fix_dumps import write_collection

ID_INDEX = {"v": 2, "key": {"_id": 1}, "name": "_id_"}


def survey_of(
    folder: Path,
    collections: Mapping[str, Sequence[Mapping[str, Any]] | None],
    *,
    indexes: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    sample: int | None = None,
    names: Sequence[str] | None = None,
) -> Survey:
    """Write a dump into a folder and survey it.

    Args:
        folder: An empty folder.
        collections: Name → documents; None writes metadata only.
        indexes: Name → indexes beside that of `_id`.
        options: Name → options, as `listCollections` gives them.
        sample: Most documents of a collection.
        names: The collections to look at; None for all.
    """
    dump = folder / "shop"
    for name, documents in collections.items():
        own = [ID_INDEX, *(indexes or {}).get(name, [])]
        metadata = {"options": (options or {}).get(name, {}), "indexes": own, "collectionName": name}
        write_collection(dump, name, documents, metadata=metadata)
    source = open_source(str(dump))
    try:
        return survey_source(source, Options(workers=2, sample=sample), Progress(), threading.Event(), names)
    finally:
        source.close()
