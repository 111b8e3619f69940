"""References to rows of PostgreSQL in the types of documents: `Annotated[str, PgRef["users.id"]]`."""

from __future__ import annotations

from isthmus.polyglot.references.reference import JSON_SCHEMA_KEY, PgRef, Reference, References

__all__ = ["JSON_SCHEMA_KEY", "PgRef", "Reference", "References"]
