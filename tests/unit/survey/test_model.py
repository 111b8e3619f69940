"""A survey as JSON: what was written is read back the same, and what is none is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bson import ObjectId

from isthmus.errors import ConfigError
from isthmus.survey.model import Survey, read_survey
from tests.unit.survey.surveys import survey_of

USERS = [{"_id": ObjectId(), "email": f"u{n}@example.com", "age": n} for n in range(20)]
POSTS = [{"_id": n, "author": USERS[n % 20]["_id"], "tags": ["a", "b"][: n % 3]} for n in range(50)]


@pytest.fixture
def survey(tmp_path: Path) -> Survey:
    return survey_of(tmp_path, {"users": USERS, "posts": POSTS}, options={"posts": {"capped": True, "size": 4096}})


def test_survey_that_is_written_and_read_says_the_same(survey: Survey) -> None:
    text = json.dumps(survey.as_json())
    again = read_survey(text, file_name="survey.json")
    assert again.as_json() == survey.as_json()
    assert again.advice == survey.advice
    assert again.looked_in == survey.looked_in
    assert [(one.collection, one.path, one.hits) for one in again.references] == [("posts", ("author",), 50)]
    assert again.collections["posts"].info.kind == "capped"
    assert again.collections["posts"].profile == survey.collections["posts"].profile


def test_sets_that_were_looked_in_are_named_with_their_size(survey: Survey) -> None:
    ids = {one.collection: one for one in survey.looked_in if one.path == ("_id",)}
    assert {name: (one.count, one.exact, one.false_positives) for name, one in ids.items()} == {
        "users": (20, True, 0.0),
        "posts": (50, True, 0.0),
    }


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 99}', '{"outcome": "failed", "code": "empty-source"}'])
def test_file_that_is_no_survey_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"x\.json is no survey") as refused:
        read_survey(text, file_name="x.json")
    assert refused.value.code == "not-a-survey"


def test_collection_without_a_data_file_is_unread_and_a_view_is_not(tmp_path: Path) -> None:
    survey = survey_of(
        tmp_path,
        {"users": USERS, "gone": None, "seen": None},
        options={"seen": {"viewOn": "users", "pipeline": []}},
    )
    assert set(survey.left_out) == {"gone", "seen"}
    assert survey.unread == ("gone",)
    assert survey.broken


def test_collections_that_were_not_asked_for_are_named(tmp_path: Path) -> None:
    survey = survey_of(tmp_path, {"users": USERS, "posts": POSTS}, names=["posts"])
    assert (list(survey.collections), survey.not_asked, survey.broken) == (["posts"], ("users",), False)
