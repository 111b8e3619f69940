"""Which migration a short name means. Oracle: pairs written by hand."""

from __future__ import annotations

import pytest

from isthmus.errors import ConfigError
from isthmus.govern.migrations.meant import meant

NAMES = ["0001_users", "0002_posts", "0003_users_by_name", "0012_posts_2"]


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("0001_users", "0001_users"),
        ("3", "0003_users_by_name"),
        ("0002", "0002_posts"),
        ("2", "0002_posts"),  # a number, though it is a part of others
        ("users", "0001_users"),  # all its words, though they begin another
        ("by_name", "0003_users_by_name"),
        ("12_p", "0012_posts_2"),
    ],
)
def test_a_name_a_number_or_a_part_means_one(wanted: str, name: str) -> None:
    assert meant(NAMES, wanted) == name


@pytest.mark.parametrize("wanted", ["", "4", "comments", "²", "٢"])
def test_what_none_has_is_refused_with_all_there_are(wanted: str) -> None:
    with pytest.raises(ConfigError) as caught:
        meant(NAMES, wanted)
    assert (caught.value.code, caught.value.exit_code) == ("unknown-migration", 2)
    assert all(name in str(caught.value.hint) for name in NAMES)


def test_what_several_have_is_refused_with_these() -> None:
    with pytest.raises(ConfigError, match="in the names of 2 migrations") as caught:
        meant(NAMES, "post")
    assert caught.value.hint == "Name one of 0002_posts, 0012_posts_2."
    with pytest.raises(ConfigError) as caught:
        meant([], "1")
    assert caught.value.hint == "The folder has none."
