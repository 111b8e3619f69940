"""The target as Python source: typed SQLAlchemy 2 models, for applications and for schema tools."""

from isthmus.mapping.alchemy.source import render_sqlalchemy

__all__ = ["render_sqlalchemy"]
