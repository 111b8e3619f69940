"""Bytes as text: UTF-8, or where they are none. Pure."""

from __future__ import annotations


def text_of(raw: bytes | None) -> str | None:
    """Return what bytes say; None where there are none, or they are no UTF-8."""
    try:
        return None if raw is None else raw.decode()
    except UnicodeDecodeError:
        return None


def broken_line(raw: bytes) -> int:
    """Return the line, from 1, in which bytes are no UTF-8; 0 where they are."""
    try:
        raw.decode()
    except UnicodeDecodeError as fault:
        return raw.count(b"\n", 0, fault.start) + 1
    return 0
