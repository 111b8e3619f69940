"""Any target, any source, any policy, several copies with changes on both sides between them: the rules' plain model.

Oracle: `tests.oracle.existing_rows`. Its blind spots are the hand-written cases of `test_existing_rows.py`.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.integration.copy.carrying import World, balanced, oid
from tests.oracle.effort import SEED
from tests.oracle.existing_rows import Document, Id, Model, Outcome, Policy, Row

MAPPING = """
isthmus: 1
target: {{tables: existing, on_conflict: {policy}{rerun}}}
extras: dead_letter
collections:
  people:
    match: [[email], [name]]
    fields: {{email: text, name: text, boss: {{references: people, on_orphan: "null"}}}}
"""
TABLE = """
CREATE TABLE people (id uuid PRIMARY KEY, email text UNIQUE, name text, boss uuid REFERENCES people ON DELETE SET NULL,
  note text);
"""
EMAILS = [None, "a@x", "b@x", "c@x", "d@x"]
NAMES = [None, "Ann", "Bob", "Cid"]
POLICIES: list[Policy] = ["keep_target", "overwrite", "dead_letter"]


class Story:
    """One target, one source, and their model, through several copies."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)
        self.model = Model(self.random.choice(POLICIES), tracked=self.random.random() < 0.6)
        self.documents: dict[int, Document] = {}
        self.ids: dict[Id, str] = {}
        rerun = ", rerun: tracked" if self.model.tracked else ""
        self.mapping = MAPPING.format(policy=self.model.policy, rerun=rerun)
        world.rows("DROP SCHEMA IF EXISTS isthmus, isthmus_stage CASCADE; DROP TABLE IF EXISTS people CASCADE;" + TABLE)

    def change_source(self) -> None:
        for _ in range(self.random.randint(0, 4)):
            number = self.random.randint(1, 6)
            if number in self.documents and self.random.random() < 0.25:
                del self.documents[number]
            else:
                boss = self.random.choice([None, None, *range(1, 8)])
                self.documents[number] = Document(self.random.choice(EMAILS), self.random.choice(NAMES), boss)

    def change_target(self) -> None:
        for _ in range(self.random.randint(0, 3)):
            email, name = self.random.choice(EMAILS), self.random.choice(NAMES)
            if email is not None and any(row.email == email for row in self.model.rows.values()):
                email = None
            chance = self.random.random()
            known = sorted(self.model.rows)
            if known and chance < 0.2:
                self._delete(self.random.choice(known))
            elif known and chance < 0.6:
                row_id = self.random.choice(known)
                self._write(row_id, Row(email, name, self.model.rows[row_id].boss, f"note {self.random.random()}"))
            else:
                number = len(self.ids) + 1
                self.ids["row", number] = f"00000000-0000-4000-8000-{number:012d}"
                self._write(("row", number), Row(email, name, None, "theirs"))

    def _write(self, row_id: Id, row: Row) -> None:
        self.model.rows[row_id] = row
        boss = None if row.boss is None else self.ids[row.boss]
        self.world.rows(
            "INSERT INTO people (id, email, name, boss, note) VALUES (%s, %s, %s, %s, %s) ON CONFLICT (id) DO UPDATE"
            " SET email = EXCLUDED.email, name = EXCLUDED.name, note = EXCLUDED.note",
            self.ids[row_id],
            row.email,
            row.name,
            boss,
            row.note,
        )

    def _delete(self, row_id: Id) -> None:
        del self.model.rows[row_id]
        self.world.rows("DELETE FROM people WHERE id = %s", self.ids[row_id])
        for other, row in list(self.model.rows.items()):
            if row.boss == row_id:
                self.model.rows[other] = Row(row.email, row.name, None, row.note)

    def copy(self) -> None:
        documents = [
            {"_id": oid(number), **{k: v for k, v in self._fields(document).items() if v is not None}}
            for number, document in sorted(self.documents.items())
        ]
        # a source without a document is refused; this one is nobody's business
        self.world.write({"people": [*documents, {"_id": oid(99), "email": "z@x", "name": "Zoe"}]})
        asked = {**self.documents, 99: Document("z@x", "Zoe", None)}
        fresh = not self.model.tracked
        if fresh:
            self.model.forget_runs()
        expected = self.model.copy(asked)
        result = self.world.copy(self.mapping, fresh=fresh)
        balanced(result)
        self._learn_ids()
        assert result.balance is not None
        books = result.balance.collections["people"]
        assert (books.copied, books.kept) == (expected.copied, expected.kept)
        assert result.balance.met_rows.get("people", {}) == expected.verdicts, (
            f"documents {asked}; rows before are those of the model with {expected}; state {self.model.known};"
            f" row_state {self.world.rows('SELECT id, source_id FROM isthmus.row_state')} ids {self.ids}"
            f" {self.world.rows('SELECT * FROM isthmus.conflict')}"
        )
        self._compare(expected)

    def _fields(self, document: Document) -> dict[str, Any]:
        boss = None if document.boss is None else oid(document.boss)
        return {"email": document.email, "name": document.name, "boss": boss}

    def _learn_ids(self) -> None:
        from isthmus._rust import IdCodec

        codec = IdCodec(bytes(self.world.one("SELECT key FROM isthmus.id_key")))
        for (row_id,) in self.world.rows("SELECT id::text FROM people"):
            object_id = codec.reverse(row_id)
            if row_id not in self.ids.values() and object_id is not None:
                self.ids["doc", int.from_bytes(object_id, "big")] = row_id
        for number in [*range(1, 8), 99]:
            if ("doc", number) not in self.ids:
                import bson

                self.ids["doc", number] = codec.derive("people", bson.encode({"_id": oid(number)}), "uuid")

    def _compare(self, expected: Outcome) -> None:
        run = self.world.one("SELECT max(id) FROM isthmus.run")
        letters = self.world.rows("SELECT source_id_text, code FROM isthmus.dead_letter WHERE run_id = %s", run)
        assert dict(letters) == {str(oid(number)): code for number, code in expected.letters.items()}
        by_text = {text: row_id for row_id, text in self.ids.items()}
        actual = {
            by_text[str(row_id)]: Row(email, name, None if boss is None else by_text[str(boss)], note)
            for row_id, email, name, boss, note in self.world.rows("SELECT id, email, name, boss, note FROM people")
        }
        assert actual == self.model.rows
        for row_id, row in expected.protected.items():
            assert actual[row_id] == row, "a row that the policy keeps was changed"
        ledger = self.world.rows("SELECT row_id, action FROM isthmus.conflict WHERE run_id = %s", run)
        assert {(by_text[row_id], action) for row_id, action in ledger} == expected.conflicts
        assert len(ledger) == len(expected.conflicts)

    def converges(self) -> None:
        """Copy again and again with nothing changed: soon a copy writes nothing, and none does after it.

        Not at once: a value that a row gives up in one copy is free for another document in the next.
        """
        query = "SELECT p::text, xmin::text FROM people p ORDER BY 1"
        before = None
        for _ in range(6):
            self.copy()
            after = self.world.rows(query)
            if after == before:
                break
            before = after
        else:
            raise AssertionError("six copies of the same did not come to an end")
        self.copy()
        assert self.world.rows(query) == before


def tell(world: World, seed: int) -> None:
    story = Story(world, seed)
    for _ in range(2):
        story.change_target()
        story.change_source()
        story.copy()
    story.change_target()
    story.change_source()
    story.converges()


FIRST = int(SEED or 0) * 1000


@pytest.mark.parametrize("seed", range(FIRST, FIRST + 4))
def test_copies_into_a_table_with_rows_follow_the_rules(world: World, seed: int) -> None:
    tell(world, seed)


@pytest.mark.soak
@pytest.mark.parametrize("block", range(20))
def test_many_copies_into_a_table_with_rows_follow_the_rules(world: World, block: int) -> None:
    for seed in range(10_000 + block * 20, 10_000 + block * 20 + 20):
        tell(world, seed)
