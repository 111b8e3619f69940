"""What a collection is on its server, in words: capped, a view's documents, files of GridFS; and its indexes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isthmus.sources.shown import shown
from isthmus.survey.model import Survey, Surveyed
from isthmus.survey.report.words import short
from isthmus.work.amounts import size_text


def kind_text(survey: Survey, name: str) -> str:
    """Return what a collection is; empty for an ordinary one."""
    one = survey.collections[name]
    words: list[str] = []
    options = one.info.options
    if one.info.kind == "capped":
        size, most = options.get("size"), options.get("max")
        limits = [size_text(size)] if isinstance(size, int | float) else []
        limits += [f"{most:,} documents"] if isinstance(most, int) else []
        words.append(f"capped ({', '.join(limits)})" if limits else "capped")
    elif one.info.kind == "view" or "viewOn" in options:
        words.append("documents of a view")
    elif one.info.kind == "timeseries":
        words.append("time series")
    for bucket in survey.buckets:
        if name in {f"{bucket}.files", f"{bucket}.chunks"}:
            what = "files" if name.endswith(".files") else "chunks"
            words.append(f"{what} of the GridFS bucket {shown(bucket)}")
    if options.get("validator"):
        words.append("has a validator")
    if isinstance(options.get("collation"), dict):
        words.append("has a collation")
    return ", ".join(words)


def index_texts(one: Surveyed) -> list[str]:
    """Return each index but that of `_id` in words: `email (unique)`, `section, taskStatus descending`."""
    return [_index_text(index) for index in one.info.indexes if _keys(index) != {"_id": 1}]


def _index_text(index: Mapping[str, Any]) -> str:
    keys = _keys(index)
    weights = index.get("weights")
    if isinstance(weights, dict) and "_fts" in keys:
        fields = [short(str(name), 60) for name in weights]  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]
        fields += [short(name, 60) for name in keys if not name.startswith("_fts")]
        said = ["text"]
    else:
        fields = [f"{short(name, 60)}{' descending' if way == -1 else ''}" for name, way in keys.items()]
        said = sorted({str(way) for way in keys.values() if isinstance(way, str)})
    said += [word for word in ("unique", "sparse", "hidden") if index.get(word)]
    if "partialFilterExpression" in index:
        said.append("partial")
    if "expireAfterSeconds" in index:
        said.append(f"expires after {index['expireAfterSeconds']} s")
    if "collation" in index:
        said.append("with a collation")
    return ", ".join(fields) + (f" ({', '.join(said)})" if said else "")


def _keys(index: Mapping[str, Any]) -> dict[str, Any]:
    found = index.get("key")
    return {str(name): way for name, way in found.items()} if isinstance(found, dict) else {}  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]
