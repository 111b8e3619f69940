"""Addresses of profiles in the directory, made from names. Pure."""

from __future__ import annotations

from collections.abc import Collection
from itertools import count

import sqlalchemy as sa

from .. import slugs
from .screennames import RESERVED

LONGEST = 80
_LONGEST_NUMBERED = 90


def slug_of(name: str) -> str:
    """Return the address that a name asks for. None is a name that is kept back: it would pass for the site's own."""
    return slugs.slug_of(name, longest=LONGEST, otherwise="pana", reserved=RESERVED - {"pana"})


def first_free(slug: str, taken: Collection[str]) -> str:
    """Return a slug, or where that is taken the same with the first number from 2 on that is not."""
    if slug not in taken:
        return slug
    close = (slugs.numbered(slug, number, longest=_LONGEST_NUMBERED) for number in count(2))
    return next(one for one in close if one not in taken)


def is_close(
    column: sa.SQLColumnExpression[str] | sa.SQLColumnExpression[str | None], slug: str
) -> sa.ColumnElement[bool]:
    """Return whether a column holds a slug, or the same with a number behind a dash."""
    return sa.and_(
        sa.or_(column == slug, column.startswith(f"{slug}-", autoescape=True)),
        sa.func.substr(column, len(slug) + 1).regexp_match("^(-[0-9]+)?$"),
    )
