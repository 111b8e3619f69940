"""The mapping as documents of a target were carried by it: with what its identities came to there."""

from __future__ import annotations

from typing import Any

import psycopg

from isthmus.mapping import Mapping
from isthmus.mapping.things import with_things
from isthmus.state.identities import load_things


def as_carried(connection: psycopg.Connection[Any], mapping: Mapping) -> Mapping:
    """Return a mapping with the live maps of its identities; itself where it has none, or knows them already."""
    if not mapping.identities or mapping.things is not None:
        return mapping
    things = load_things(connection, mapping)
    return mapping if things is None else with_things(mapping, things)
