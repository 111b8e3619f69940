"""A survey is held against the source that is named beside it; where the data cannot tell, nothing is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from isthmus.sources.protocol import CollectionInfo
from isthmus.survey.model import Survey
from isthmus.survey.same_source import differences
from tests.unit.survey.surveys import survey_of

USERS = [{"_id": n, "age": n} for n in range(20)]


@pytest.fixture
def survey(tmp_path: Path) -> Survey:
    return survey_of(tmp_path, {"users": USERS, "posts": USERS, "seen": None}, options={"seen": {"viewOn": "users"}})


def listing(
    survey: Survey, *, more_bytes: int = 0, exact: bool = True, documents: int | None = None
) -> list[CollectionInfo]:
    """Return what a source lists that holds what was surveyed, or a little more in each collection."""
    return [
        replace(one.info, bytes_total=one.profile.bytes + more_bytes, bytes_exact=exact, documents=documents)
        for one in survey.collections.values()
    ]


def told(
    survey: Survey, collections: list[CollectionInfo], database: str | None = "shop", *, moves: bool = False
) -> int:
    return len(differences(survey, database=database, moves=moves, collections=collections))


def test_same_source_is_the_same_wherever_it_lies_and_whatever_is_unknown(survey: Survey) -> None:
    assert survey.database == "shop"
    assert told(survey, listing(survey)) == 0
    assert told(survey, listing(survey, documents=20)) == 0
    assert told(survey, listing(survey, more_bytes=1, exact=False), None) == 0
    assert told(replace(survey, database=None), listing(survey), "crm") == 0
    assert told(survey, [], moves=True) == 0


def test_other_databases_collections_and_amounts_are_told(survey: Survey) -> None:
    assert told(survey, listing(survey), "crm", moves=True) == 1
    assert told(survey, listing(survey, more_bytes=1)) == 2
    assert told(survey, listing(survey, documents=21)) == 2
    users = [info for info in listing(survey) if info.name == "users"]
    assert differences(survey, database="shop", moves=False, collections=users) == ["posts is in the survey only."]
    others = [*listing(survey), replace(users[0], name="orders"), replace(users[0], name="views", rule="A view.")]
    assert differences(survey, database="shop", moves=False, collections=others) == ["orders is in the source only."]


def test_amounts_of_a_sample_or_a_part_tell_nothing(survey: Survey, tmp_path: Path) -> None:
    cut = {name: replace(one, sampled=True) for name, one in survey.collections.items()}
    broken = {name: replace(one, broken=("it ends.",)) for name, one in survey.collections.items()}
    for collections in (cut, broken):
        assert told(replace(survey, collections=collections), listing(survey, more_bytes=1)) == 0
    asked = survey_of(tmp_path / "asked", {"users": USERS, "posts": USERS}, names=["users"])
    assert told(asked, listing(survey)) == 0
