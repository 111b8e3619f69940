"""Models that were drawn by lot, before and after: what is proposed leads from any to any, and back."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy import MetaData
from sqlalchemy.dialects import postgresql as pg

from isthmus.govern.scratch import Scratch
from tests.integration.govern.model_cases import Make
from tests.integration.govern.model_trials import tried

TYPES: list[tuple[Callable[[MetaData], object], object]] = [
    # a type, and a default for it
    (lambda _: sa.Text(), "it's %s :x"),
    (lambda _: sa.String(20), "y"),
    (lambda _: sa.Integer(), "1"),
    (lambda _: sa.BigInteger(), "2"),
    (lambda _: sa.Numeric(10, 2), "1.5"),
    (lambda _: sa.Boolean(), "true"),
    (lambda _: pg.JSONB(), None),
    (lambda _: sa.Uuid(), sa.text("gen_random_uuid()")),
    (lambda _: sa.DateTime(timezone=True), sa.func.now()),
    (lambda _: pg.ARRAY(sa.Text), None),
    (lambda meta: pg.ENUM("a", "b", name="E 1", metadata=meta), "a"),
    (lambda meta: pg.ENUM("a", "b", "c", name="e2", metadata=meta), "c"),
]
TABLES, COLUMNS = ["a", 'B "x"', "select", "d"], ["c1", 'C "2"', "order", "c4", "c%s:x"]


def drawn(seed: int) -> Make:
    """Return what makes up to four tables in two schemas."""

    def make(meta: MetaData) -> None:
        lot = random.Random(seed)
        made: list[sa.Table] = []
        for name in lot.sample(TABLES, lot.randint(1, 4)):
            identity = [sa.Identity()] if lot.random() < 0.3 else []
            items: list[sa.schema.SchemaItem] = [sa.Column("id", sa.Integer, *identity, primary_key=True)]
            for column in lot.sample(COLUMNS, lot.randint(0, 5)):
                items += _column(lot, meta, name, column)
            if made and lot.random() < 0.6:
                action = lot.choice([None, "CASCADE"])
                other = lot.choice(made).c.id
                items += [sa.Column("ref", sa.Integer)]
                items += [sa.ForeignKeyConstraint(["ref"], [other], name=f"f_{name}", ondelete=action)]
            comment = "T" if lot.random() < 0.2 else None
            made.append(sa.Table(name, meta, *items, schema=lot.choice([None, "S 2"]), comment=comment))

    return make


def _column(lot: random.Random, meta: MetaData, table: str, column: str) -> list[sa.schema.SchemaItem]:
    kind, default = lot.choice(TYPES)
    whole: sa.Column[object] = sa.Column(
        column,
        kind(meta),  # pyright: ignore[reportArgumentType]
        nullable=lot.random() < 0.6,
        server_default=default if lot.random() < 0.5 else None,  # pyright: ignore[reportArgumentType]
        comment="hi %s '" if lot.random() < 0.2 else None,
    )
    found: list[sa.schema.SchemaItem] = [whole]
    draw = lot.random()
    if draw < 0.15:
        found.append(sa.UniqueConstraint(column, name=f"u_{table}_{column}"))
    elif draw < 0.3:
        found.append(sa.Index(f"i_{table}_{column}", column, unique=draw < 0.2))
    elif draw < 0.4:
        found.append(sa.CheckConstraint(sa.column(column).isnot(None), name=f"k_{table}_{column}"))
    return found


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=pytest.mark.soak) if seed not in {8, 33} else seed for seed in range(120)]
)
def test_any_models_lead_to_any_others(seed: int, postgres: str) -> None:
    lot = random.Random(seed)
    scratch = Scratch(postgres, own=False, version=180000)
    found = tried(scratch, drawn(2 * seed), drawn(2 * seed + 1), ask=lambda _: lot.random() < 0.5)
    by_hand = [one for one in found.proposal.left if "do not become" in one]
    assert found.proposal.left == by_hand
    if by_hand:
        return
    assert found.rest == []
    assert found.opinion == []
    for part in found.proposal.parts:
        words = ("the rows of", "the values of", "lose on the way", "was NOT NULL")
        assert all(any(word in reason for word in words) for reason in part.reasons) or part.reversible == "No"
        assert part.reversible != "No" or part.words == "enum_values"
