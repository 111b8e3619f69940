"""The switch: in which database the documents of a collection live, asked at each request, and moved by an operator.

    switch = Switch(engine.begin, {"profiles": Homes(mongodb=MongoStore(database["profiles"]),
                                                     postgres=lambda connection: JsonbStore(connection, "profiles"))})

    async with switch.reading("profiles") as store:            # also while it is frozen
        found = await store.get(profile_id)
    async with switch.writing("profiles", wait_seconds=5) as store:
        await store.update(profile_id, set={"bio": "likes tea"})

A write is done when its block was left without an error. `switch-frozen` (nothing was written, try again later) is an
answer 503 to whoever asked. In a transaction of the application's own, `writing(…, connection=session)` holds the
collection until that ends; `hold(session, "profiles")` does so for writes that go another way, such as the outbox.

`isthmus switch run` moves a collection. docs/explanation/switching-over.md says why nothing is lost.
"""

from __future__ import annotations

from isthmus.polyglot.switch.guard import Home, Homes, Standing, Switch, hold, look

__all__ = ["Home", "Homes", "Standing", "Switch", "hold", "look"]
