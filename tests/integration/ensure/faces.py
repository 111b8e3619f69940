"""`ensure` through both faces of the driver, called in one way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pymongo import AsyncMongoClient, MongoClient

from isthmus.errors import Problem
from isthmus.polyglot import ensure as library
from isthmus.polyglot.ensure import Belonging, Ensured


@dataclass
class Face:
    """A collection, by way of one face of the driver.

    Attributes:
        url: The server.
        database: The database.
        collection: The collection, for looking at it.
        awaited: Whether calls go through AsyncMongoClient.
    """

    url: str
    database: str
    collection: Any
    awaited: bool

    def ensure(self, belonging: Belonging, reference: Any, **how: Any) -> Ensured[Any]:
        """Call `ensure`."""
        return self._call(library.ensure, library.ensure_async, belonging, reference, **how)

    def make(self, belonging: Belonging, **how: Any) -> list[str]:
        """Call `ensure_indexes`."""
        return self._call(library.ensure_indexes, library.ensure_indexes_async, belonging, **how)

    def check(self, belonging: Belonging) -> tuple[Problem, ...]:
        """Call `check_indexes`."""
        return self._call(library.check_indexes, library.check_indexes_async, belonging)

    def there(self) -> list[dict[str, Any]]:
        """Return the documents, by `_id`."""
        return list(self.collection.find(sort=[("_id", 1)]))

    def _call(
        self, called: Callable[..., Any], awaited: Callable[..., Awaitable[Any]], *given: Any, **named: Any
    ) -> Any:
        if not self.awaited:
            with MongoClient[dict[str, Any]](self.url) as client:
                return called(client[self.database][self.collection.name], *given, **named)

        async def run() -> Any:
            async with AsyncMongoClient[dict[str, Any]](self.url) as client:
                return await awaited(client[self.database][self.collection.name], *given, **named)

        return asyncio.run(run())
