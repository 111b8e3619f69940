"""Lay the shipped sample out in a reader's folder, where it can be read and changed; never over a change of theirs.

Every file appears whole or not at all; what a killed process leaves has a name of its own and is no change of theirs.
"""

from __future__ import annotations

import filecmp
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from isthmus.demo import DUMP, MAPPING


@dataclass(frozen=True)
class LaidOut:
    """Where the sample is now.

    Attributes:
        dump: The dump folder, equal to the shipped one.
        mapping: The mapping, equal to the shipped one.
        kept: What the reader changed and what was therefore left as it is, by the places first tried.
    """

    dump: Path
    mapping: Path
    kept: tuple[Path, ...]


def lay_out(folder: Path) -> LaidOut:
    """Make sure that the sample is in a folder as it was shipped.

    Writes files that are not there. Where the reader's differ, they stay, and the next free name beside them is taken:
    `mapping-2.yaml`, `dump-2/crm`. What is there as shipped is used again, so repeating it makes nothing new.

    Args:
        folder: The folder; it exists.
    """
    kept: list[Path] = []
    dump = _first(_numbered(folder / "dump", DUMP.name), _dump_as_shipped, kept)
    _write_dump(dump)
    mapping = _first(_numbered(folder / MAPPING.name), _mapping_as_shipped, kept)
    if not mapping.exists():
        _copy_whole(MAPPING, mapping)
    return LaidOut(dump, mapping, tuple(kept))


def _numbered(place: Path, inside: str = "") -> Iterator[Path]:
    yield place / inside
    for number in count(2):
        yield place.with_name(f"{place.stem}-{number}{place.suffix}") / inside


def _first(places: Iterator[Path], as_shipped: Callable[[Path], bool], kept: list[Path]) -> Path:
    """Return the first place that holds nothing but what was shipped; add the others to `kept`."""
    for place in places:
        if as_shipped(place):
            return place
        kept.append(place)
    raise AssertionError  # there is always another number


def _mapping_as_shipped(place: Path) -> bool:
    return not place.exists() or _equal(place, MAPPING)


def _dump_as_shipped(place: Path) -> bool:
    """Tell whether no file there differs from the sample or is none of it; one that is missing differs from nothing."""
    if not place.is_dir():
        return not place.exists()
    unfinished = {_unfinished(place / file.name) for file in DUMP.iterdir()}
    return all(_equal(file, DUMP / file.name) for file in place.iterdir() if file not in unfinished)


def _write_dump(place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True)
    for file in DUMP.iterdir():
        if not (place / file.name).exists():
            _copy_whole(file, place / file.name)


def _copy_whole(shipped: Path, place: Path) -> None:
    shutil.copyfile(shipped, _unfinished(place))
    _unfinished(place).replace(place)


def _unfinished(place: Path) -> Path:
    """Return the name under which a file is written."""
    return place.with_name(f".{place.name}.unfinished")


def _equal(one: Path, shipped: Path) -> bool:
    return one.is_file() and shipped.is_file() and filecmp.cmp(one, shipped, shallow=False)
