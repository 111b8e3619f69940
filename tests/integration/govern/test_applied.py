"""What a database has, as it was applied, against what git holds."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.fix_git import Git
from tests.integration.govern.repositories import FIRST, SECOND, SQL, THIRD, checked, place, prisma

ONE, TWO, THREE = (path.split("/")[-2] for path in (FIRST, SECOND, THIRD))
SUM = hashlib.sha256(SQL.encode()).hexdigest()


@pytest.fixture
def git(tmp_path: Path) -> Git:
    return prisma(tmp_path)


def found(git: Git, applied: dict[str, str], **how: object) -> list[tuple[str, str]]:
    done = checked(git, applied={"prisma/migrations": applied}, **how)
    return [(one.file, one.message) for one in done.findings if one.rule == "migration-applied"]


def test_what_was_applied_as_it_is_passes(git: Git) -> None:
    assert found(git, {}) == []
    assert found(git, {ONE: SUM}) == []
    git.add(THIRD, SQL)
    assert found(git, {ONE: SUM, TWO: SUM}) == []
    assert found(git, {ONE: SUM, TWO: SUM, THREE: SUM}, staged=True) == []


def test_ends_of_lines_are_no_other_text(git: Git) -> None:
    windows = hashlib.sha256(SQL.replace("\n", "\r\n").encode()).hexdigest()
    assert windows != SUM
    assert found(git, {ONE: windows, TWO: SUM}) == []


def test_another_text_is_found_even_if_it_is_committed(git: Git) -> None:
    for how in ({}, {"staged": True}, {"base": "HEAD"}):
        assert found(git, {ONE: SUM, TWO: "0" * 64}, **how) == [
            (SECOND, "It was applied to the target with another text.")
        ]


def test_what_was_applied_and_is_gone_is_found_unless_the_base_has_it(git: Git) -> None:
    gone = [(THIRD, "It was applied to the target, and is gone.")]
    assert found(git, {ONE: SUM, TWO: SUM, THREE: SUM}) == gone
    git("checkout", "-q", "-b", "other")
    git("checkout", "-q", "main")
    git.add(THIRD, SQL)
    git.commit()
    git("checkout", "-q", "other")
    assert found(git, {ONE: SUM, TWO: SUM, THREE: SUM}) == gone
    assert found(git, {ONE: SUM, TWO: SUM, THREE: SUM}, base="main") == []


def test_what_is_older_than_an_applied_one_is_found(git: Git) -> None:
    git.add(place("20260101120000_late"), SQL)
    told = found(git, {ONE: SUM, TWO: SUM})
    assert [file for file, _ in told] == [place("20260101120000_late")]
    assert f"comes before {TWO}, which was applied" in told[0][1]
