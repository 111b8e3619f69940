"""Pana MIA at full size: 200,000 people moved phase by phase from a dump, and what became of them.

The questions of the small one, asked of the big one. Oracle: the generator's truth, and SQL of these tests' own.
Cannot see: what `test_panamia_moved` and `test_panamia_planted` cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from apps.panamia.moving.phases import PHASES
from tests.apps.panamia.conftest import Moved, move_dump
from tests.apps.panamia.test_panamia_moved import (  # noqa: F401  asked of the fixture below
    test_each_person_is_one_user_with_all_that_belongs_to_him,
    test_each_phase_is_verified_with_every_document,
    test_every_dead_letter_was_planted_and_says_why,
    test_follows_and_lists_lose_nobody,
    test_the_books_of_every_collection_are_those_of_the_truth,
    test_the_planted_truth_reconciles_to_zero,
    test_two_people_are_never_one_user_and_one_person_is_never_two,
    test_who_takes_another_s_screen_name_is_not_taken_for_him,
)
from tests.apps.panamia.test_panamia_planted import (  # noqa: F401  asked of the fixture below too
    planted,
    test_everything_planted_became_what_the_truth_says,
)
from tests.fix_postgres import create_database, drop_database

pytestmark = pytest.mark.soak
PEOPLE = 200_000
SECONDS = 4 * 3_600.0


@pytest.fixture(scope="module")
def moved(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moved]:
    """All phases, each verified with every document."""
    made = move_dump(tmp_path_factory.mktemp("scale"), create_database(postgres), PEOPLE, SECONDS)
    yield made
    drop_database(postgres, made.database)


def test_every_phase_run_again_changes_nothing(
    moved: Moved, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    record_property("seconds", {number: ran.result["seconds"] for number, ran in moved.copies.items()})
    record_property("documents", sum(one["documents"] for one in moved.truth["collections"].values()))
    before = digests(moved.database)
    record_property("rows", sum(rows for rows, _ in before.values()))
    for phase in PHASES:
        if phase.kind == "copy":
            again = moved.run(phase.number, tmp_path)
            assert again.result["outcome"] == "complete", again.said
            assert digests(moved.database) == before, phase.name


def digests(database: str) -> dict[str, tuple[int, str]]:
    """How many rows each table of the application has, and a sum over what stands in them."""
    with psycopg.connect(database) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        query = sql.SQL("SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)::text FROM {} t")
        found = {name: connection.execute(query.format(sql.Identifier("public", name))).fetchone() for (name,) in names}
    return {name: (int(one[0]), str(one[1])) for name, one in found.items() if one is not None}
