"""Every damage is found by `isthmus verify`, and named as it was said beforehand; nothing else is named.

Damage to different tables is done to one target; in the full size each by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

from tests.damage import definitions, ledgers, rows, sources, values
from tests.damage.case import ANY, Case, Named, judged, prepare
from tests.damage.source import database
from tests.damage.target import Target, write_dump

Twin = Callable[[], Target]

CASES = [*values.CASES, *rows.CASES, *ledgers.CASES, *definitions.CASES]


def _places(case: Case) -> set[Named] | set[str]:
    """Return what no other damage to the same target may touch: the places that must be named, or whole tables."""
    return set(case.must) if not case.alone else {one.table for one in (*case.must, *case.may)}


def _apart(cases: Iterable[Case]) -> list[list[Case]]:
    """Return the cases in a few groups in which none touches what another one does."""
    groups: list[list[Case]] = []
    for case in cases:
        single = ANY in _places(case) or not _places(case) or case.code != 1
        for group in groups:
            free = not single and group[0].code == 1 and not any(_places(one) & _places(case) for one in group)
            if free and not any(ANY in _places(one) or not _places(one) for one in group):
                group.append(case)
                break
        else:
            groups.append([case])
    return groups


# What is compared of a table whose definition was damaged is another question.
GROUPS = [
    *_apart([*values.CASES, *(case for case in rows.CASES if not case.alone)]),
    *_apart(case for case in definitions.CASES if not case.alone),
    *_apart(case for case in [*rows.CASES, *ledgers.CASES] if case.alone),
    *_apart(case for case in definitions.CASES if case.alone),
]


def look(cases: Sequence[Case], verified: Target, target: Target) -> list[str]:
    """Do some damage, verify, and return what is not as stated."""
    prepared = [prepare(case, verified) for case in cases]
    target.do([statement for one in prepared for statement in one.damage])
    return judged(prepared, target.verify())


def test_there_are_more_kinds_of_damage_than_promised_and_each_has_its_own_name() -> None:
    names = [case.name for case in (*CASES, *sources.CASES)]
    assert len(set(names)) == len(names) >= 50


@pytest.mark.parametrize("cases", GROUPS, ids=lambda cases: f"{cases[0].name} and {len(cases) - 1} more")
def test_damage_is_named(cases: Sequence[Case], verified: Target, twin: Twin) -> None:
    wrong = look(cases, verified, twin())
    assert not wrong, "\n".join([*wrong, "The damage:", *(case.name for case in cases)])


@pytest.mark.soak
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_damage_alone_is_named(case: Case, verified: Target, twin: Twin) -> None:
    wrong = look([case], verified, twin())
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("case", sources.CASES, ids=lambda case: case.name)
def test_other_source_or_mapping_never_passes(
    case: Case, verified: Target, twin: Twin, own_files: Path, tmp_path: Path
) -> None:
    prepared, target = prepare(case, verified), twin()
    other = write_dump(tmp_path / "dump" / "other", {"people": database()["people"]})
    if case.dump is not None:
        case.dump(own_files)
    wrong = judged([prepared], target.verify(*(text.format(other=other) for text in case.arguments)))
    assert not wrong, "\n".join(wrong)
