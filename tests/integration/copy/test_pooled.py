"""A target behind a connection pooler: refused where sessions change between transactions, else worked with.

Oracle: a pooler of the test's own, which lends real sessions of the server. COPY goes through neither kind here.
"""

from __future__ import annotations

import psycopg
import pytest

from isthmus.errors import TargetError
from isthmus.state.lease import Lease
from tests.integration.copy.carrying import World, oid
from tests.integration.copy.pooler import pooling


def test_pooler_in_transaction_mode_is_refused_before_anything_is_written(world: World) -> None:
    world.write({"A": [{"_id": oid(1)}]})
    with pooling(world.conninfo, per_transaction=True) as conninfo:
        pooled = World(conninfo, world.folder)
        with pytest.raises(TargetError) as caught:
            pooled.copy("isthmus: 1\ncollections: {A: {fields: {}}}\n", retry_seconds=0)
    assert (caught.value.code, caught.value.exit_code) == ("pooled-connection", 4)
    assert "direct" in str(caught.value.hint)
    assert not world.has_state()


def test_pooler_in_session_mode_holds_the_lease(world: World) -> None:
    with pooling(world.conninfo, per_transaction=False) as conninfo:
        lease = Lease(conninfo)
        lease.acquire()
        with psycopg.connect(world.conninfo) as connection:
            (held,) = connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchall()
        assert held == (1,)
        lease.release()
