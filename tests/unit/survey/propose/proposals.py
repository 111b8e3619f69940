"""Proposals of small databases, made as the command makes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from isthmus.mapping import parse_mapping
from isthmus.mapping.model import Mapping as MappingModel
from isthmus.survey.propose import propose, write_mapping
from tests.unit.survey.surveys import survey_of


def proposed(
    folder: Path, collections: Mapping[str, Sequence[Mapping[str, Any]]], **more: Any
) -> tuple[str, MappingModel]:
    """Return the text of a proposal, and what it means."""
    text = write_mapping(propose(survey_of(folder, collections, **more)))
    return text, parse_mapping(text)


def line_of(text: str, start: str) -> str:
    """Return the only line that begins with something, without its indent."""
    (found,) = [line.strip() for line in text.splitlines() if line.strip().startswith(start)]
    return found


def notes_above(text: str, start: str) -> list[str]:
    """Return the comments above that line."""
    lines = [line.strip() for line in text.splitlines()]
    at = next(number for number, line in enumerate(lines) if line.startswith(start))
    found: list[str] = []
    while at and lines[at - 1].startswith("#"):
        at -= 1
        found.insert(0, lines[at])
    return found
