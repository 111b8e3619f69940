"""An application's database with an outbox, a MongoDB database that it is applied to, and relays between the two."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from isthmus.connect.mongo import open_server
from isthmus.polyglot.outbox import Intent, enqueue
from isthmus.polyglot.outbox.apply import Applier
from isthmus.polyglot.outbox.backoff import Patience
from isthmus.polyglot.outbox.intent import MARK
from isthmus.polyglot.outbox.relay import Done, Relay, Settings
from isthmus.polyglot.outbox.status import Status, read_status
from tests.chaos.sessions import Copy

QUICK = Patience(attempts=2, first_seconds=0.05)
"""Two refusals park an event, so that a test need not wait."""
PEOPLE = "pe'ople.ü \"x"
"""A collection with a hostile name."""


class Relays(Copy):
    """`isthmus outbox run` as processes of their own, which may be killed at a named instant."""

    def command(self, *options: str) -> list[str]:
        """Return the arguments of `isthmus`."""
        return ["outbox", "run", "--source", str(self.options[0]), "--target", self.target, *options]


@dataclass
class World:
    """The databases.

    Attributes:
        conninfo: The application's database.
        url: The MongoDB database.
        documents: The same, as a driver has it.
    """

    conninfo: str
    url: str
    documents: Any

    def enqueue(self, *intents: Intent) -> list[int]:
        """Enqueue in a transaction of its own."""
        with psycopg.connect(self.conninfo) as connection:
            return enqueue(connection, *intents)

    def do(self, statement: str, *given: object) -> list[tuple[Any, ...]]:
        """Execute a statement in the application's database."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), given)
            return cursor.fetchall() if cursor.description is not None else []

    def drain(self, *, conninfo: str | None = None, patience: Patience = QUICK, **settings: Any) -> Done:
        """Run a relay until nothing is left that it can do."""
        with self.relay(conninfo=conninfo, patience=patience, drain=True, **settings) as relay:
            return relay.run()

    @contextmanager
    def relay(
        self, *, conninfo: str | None = None, stop: threading.Event | None = None, **settings: Any
    ) -> Iterator[Relay]:
        """Return a relay that was not started."""
        address = conninfo or self.conninfo
        direct = self.conninfo if conninfo is None else None
        with closing(open_server(self.url)) as server:
            applier = Applier(server, self.documents.name, write_seconds=3.0)
            yield Relay(address, direct, applier, Settings(**settings), stop or threading.Event())

    @contextmanager
    def relaying(self, **settings: Any) -> Iterator[Relay]:
        """Run a relay in a thread for as long as the block lasts."""
        stop = threading.Event()
        with self.relay(stop=stop, **settings) as relay:
            thread = threading.Thread(target=relay.run)
            thread.start()
            try:
                yield relay
            finally:
                stop.set()
                thread.join(30)
                assert not thread.is_alive()

    def relays(self, folder: Path) -> Relays:
        """Return relays as processes."""
        nothing = Path()
        return Relays(nothing, nothing, self.conninfo, nothing, folder, plan={}, options=(self.url,))

    def status(self) -> Status:
        """Return how the outbox stands."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            return read_status(connection)

    def open_events(self) -> list[int]:
        """Return the numbers of the events that are not applied."""
        return [row[0] for row in self.do("SELECT id FROM isthmus.outbox WHERE applied_at IS NULL ORDER BY id")]

    def there(self, collection: str = PEOPLE) -> dict[Any, dict[str, Any]]:
        """Return the documents of a collection by `_id`, without `_id` and mark."""
        found = {one["_id"]: one for one in self.documents[collection].find()}
        return {name: {key: one[key] for key in one if key not in {"_id", MARK}} for name, one in found.items()}
