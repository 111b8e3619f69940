"""A database that is gone: said only where the server's list of all databases lacks it.

Oracle: what the test made on the server. Cannot see: the rights of a real server's users; a refusal is planted.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from isthmus.errors import SourceError
from isthmus.sources import open_source
from isthmus.sources.gone import GoneSource, open_or_gone
from isthmus.sources.protocol import Source
from tests.fix_mongo import WireServer, database_url


def _shows_nothing() -> Source:
    """What the server gives a user without rights: no collection of a database that is there."""
    raise SourceError("no database shop", code="unknown-database", context={"database": "shop"})


def test_gone_is_only_what_the_list_of_all_databases_lacks(own_mongo: WireServer) -> None:
    def asked(name: str, opened: Callable[[], Source] | None = None) -> Source:
        address = database_url(own_mongo.url, name)
        return open_or_gone(opened or partial(open_source, address), address)

    def refused(name: str, opened: Callable[[], Source] | None = None) -> str:
        with pytest.raises(SourceError) as fault:
            asked(name, opened)
        assert (fault.value.code, fault.value.exit_code) == ("gone-not-known", 3)
        assert "show dbs" in (fault.value.hint or "")
        return str(fault.value)

    with own_mongo.client() as client:
        client["shop"]["things"].insert_one({"a": 1})
    gone = asked("shep")
    assert isinstance(gone, GoneSource)
    assert (gone.database, gone.host, gone.collections()) == ("shep", f"127.0.0.1:{own_mongo.port}", [])
    assert gone.host in gone.name
    there = asked("shop")
    assert not isinstance(there, GoneSource)
    there.close()
    said = refused("shop", _shows_nothing)
    assert f"127.0.0.1:{own_mongo.port}" in said
    assert "but has it" in said
    with own_mongo.failing(["listDatabases"], times=9, errorCode=13):
        assert "cannot have it list all databases" in refused("shep")


def test_what_is_no_running_server_is_never_asked() -> None:
    def dump() -> Source:
        raise SourceError("The dump has no database shop.", code="unknown-database")

    with pytest.raises(SourceError) as fault:
        open_or_gone(dump, "a folder")
    assert fault.value.code == "unknown-database"
