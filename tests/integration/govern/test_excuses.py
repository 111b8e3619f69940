"""One migration is excused from one rule by name and with a reason: no other migration, and no other rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.errors import ConfigError
from tests.fix_git import Git
from tests.integration.govern.repositories import FIRST, SECOND, SQL, checked, prisma, refused

TWO = SECOND.split("/")[-2]
ON_BRANCH = {"base": "main"}


@pytest.fixture
def git(tmp_path: Path) -> Git:
    made = prisma(tmp_path)
    made("checkout", "-q", "-b", "feature")
    return made


def excuse(git: Git, what: str) -> None:
    """Excuse it in the settings, which have one schema and nothing behind it."""
    text = (git.folder / "isthmus.toml").read_text()
    git.add("isthmus.toml", f'{text}off = {{"{what}" = "no database took it"}}\n')


@pytest.mark.parametrize("how", ["edited", "deleted"])
def test_a_merged_one_that_no_database_takes_is_corrected_where_it_is_excused(how: str, git: Git) -> None:
    if how == "edited":
        git.add(SECOND, SQL + "SELECT 1;\n")
    else:
        git("rm", "-q", SECOND)
    assert ("migration-unchanged", SECOND) in refused(checked(git, **ON_BRANCH))
    excuse(git, f"migration-unchanged/{TWO}")
    found = checked(git, **ON_BRANCH)
    assert refused(found) == []
    assert list(found.off.values()) == [{f"migration-unchanged/{TWO}": "no database took it"}]
    git.commit()
    assert refused(checked(git, **ON_BRANCH)) == []


def test_others_and_other_rules_are_not_excused_with_it(git: Git) -> None:
    excuse(git, f"migration-unchanged/{TWO}")
    git.add(FIRST, SQL + "SELECT 1;\n")
    git.add(SECOND, "SELECT 1;\n")
    found = refused(checked(git, **ON_BRANCH))
    assert ("migration-unchanged", FIRST) in found
    assert ("header-fields", SECOND) in found
    assert ("migration-unchanged", SECOND) not in found


def test_an_excuse_that_nothing_needs_any_more_is_told(git: Git) -> None:
    excuse(git, f"migration-unchanged/{TWO}")
    git.add("isthmus.toml", 'base = "main"\n' + (git.folder / "isthmus.toml").read_text())
    (note,) = [one for one in checked(git).notes if "excuse" in one]
    assert note.startswith(f"Nothing needs the excuse migration-unchanged/{TWO}")
    git.add(SECOND, SQL + "SELECT 1;\n")
    assert [one for one in checked(git).notes if "excuse" in one] == []


@pytest.mark.parametrize("what", ["migration-unchanged/typo", "no-such-rule/0001_a", "dangerous-ddl/nothing"])
def test_an_excuse_from_nothing_is_refused(what: str, git: Git) -> None:
    excuse(git, what)
    with pytest.raises(ConfigError) as caught:
        checked(git)
    assert caught.value.code == "unknown-rule"
