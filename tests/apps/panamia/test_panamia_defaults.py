"""Pana MIA: what a default filled stands against nobody's word.

Oracle: SQL of the test's own, over documents read from the dump.
"""

from __future__ import annotations

from pathlib import Path

import bson
import psycopg

from tests.apps.panamia.conftest import Moved
from tests.apps.panamia.dump import Made

FILLED = {"created_at": "createdAt", "updated_at": "updatedAt", "role": "role", "account_type": "accountType"}


def test_what_a_sign_in_does_not_say_is_no_conflict(moved_from_dump: Moved) -> None:
    signs_in = Made(Path(moved_from_dump.source)).documents["nextauth_users"]
    with psycopg.connect(moved_from_dump.database) as connection:
        conflicts = connection.execute(
            "SELECT differing, document FROM isthmus.conflict WHERE action = 'merged'"
        ).fetchall()
        joined = connection.execute(
            "SELECT count(*) FROM isthmus.id_map WHERE origin = 'merged' AND collection = 'nextauth_users'"
        ).fetchone()
    for differing, document in conflicts:
        said = bson.decode(document)
        said.update(said.get("status") or {})
        for column in differing.keys() & FILLED.keys():
            assert FILLED[column] in said, (column, said["_id"])
    silent = [one for one in signs_in if "createdAt" not in one]
    assert joined is not None
    assert joined[0] > 50
    assert len(silent) > 50
    assert sum("created_at" in differing for differing, _ in conflicts) < 10, "it was listed of about everybody"
