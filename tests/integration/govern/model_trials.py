"""What is proposed for a change of models, tried on a server as a test needs it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import psycopg
from sqlalchemy import MetaData

from isthmus.govern.catalog.compare import differences
from isthmus.govern.catalog.read import read_catalog
from isthmus.govern.models.alembic_opinion import second_opinion
from isthmus.govern.models.from_models import drafts_of
from isthmus.govern.models.making import models_database
from isthmus.govern.models.proposing import Proposal, propose
from isthmus.govern.models.renames import Ask, read_answers
from isthmus.govern.models.scope import schemas_in, sides
from isthmus.govern.scratch import Scratch
from isthmus.govern.writing.draft import Draft
from isthmus.govern.writing.new import Place
from tests.integration.govern.model_cases import Make

PLACE = Place((), "flat", "change", "N/A", datetime(2026, 1, 1))  # noqa: DTZ001  as names are


def metadata(make: Make) -> MetaData:
    meta = MetaData()
    make(meta)
    return meta


class Tried:
    """What was proposed for a change of models, and what was left when it was done."""

    def __init__(
        self,
        scratch: Scratch,
        before: Make,
        after: Make,
        said: tuple[list[str], list[str]],
        ask: Ask | None,
        by_hand: Sequence[str],
    ) -> None:
        old, new = metadata(before), metadata(after)
        here = Path("/nowhere")
        with (
            models_database(scratch, old, here, extensions=[], helpers=[]) as migrated,
            models_database(scratch, new, here, extensions=[], helpers=[]) as models,
            psycopg.connect(migrated, autocommit=True) as connection,
        ):
            with psycopg.connect(models, autocommit=True) as other:
                said_there = read_catalog(other)
            there = read_catalog(connection)
            schemas = schemas_in(said_there) | schemas_in(there)
            wanted = sides(there, said_there, schemas).models
            for one in by_hand:
                connection.execute(one.encode())
            self.proposal: Proposal = propose(connection, wanted, schemas, read_answers(*said), ask)
            self.opinion: list[str] = second_opinion(migrated, new, schemas, models=models)
            self.rest = differences(sides(read_catalog(connection), wanted, schemas).migrated, wanted)

    @property
    def drafts(self) -> list[Draft]:
        return drafts_of(PLACE, self.proposal, "a test")

    @property
    def statements(self) -> list[str]:
        return [one.sql for part in self.proposal.parts for one in part.steps]


def tried(
    scratch: Scratch,
    before: Make,
    after: Make,
    *,
    rename: Sequence[str] = (),
    no_rename: Sequence[str] = (),
    ask: Ask | None = None,
    by_hand: Sequence[str] = (),
) -> Tried:
    """Try a change of models; `by_hand` is what migrations did besides what the models before say."""
    return Tried(scratch, before, after, (list(rename), list(no_rename)), ask, by_hand)
