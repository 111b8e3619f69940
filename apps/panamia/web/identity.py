"""What a service beside the main one reads of people and their sessions: these columns, and no others.

Its role needs no more than `SELECT` on them. They are the main service's, whose models have them all.
"""

from __future__ import annotations

import sqlalchemy as sa

_INSTANT = sa.DateTime(timezone=True)

USERS = sa.table(
    "users",
    sa.column("id", sa.Text),
    sa.column("screenname", sa.Text),
    sa.column("locked_at", _INSTANT),
)
SESSIONS = sa.table(
    "sessions",
    sa.column("session_token", sa.Text),
    sa.column("user_id", sa.Text),
    sa.column("expires", _INSTANT),
)
