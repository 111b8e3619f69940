"""Cut SQL into statements as PostgreSQL's lexer would: quotes, dollar quotes, comments, parentheses, function bodies.

Sources: PostgreSQL documentation, section 4.1 (Lexical Structure); for bodies in the SQL standard's form (`BEGIN
ATOMIC`) and parentheses the behaviour of psql, which sends nothing before they are closed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

# What a name may hold is said by what of ASCII it may not: sets of all other characters take long to compile.
_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<line>--[^\n]*)
  | (?P<block>/\*)
  | (?P<escaped>[eE]'(?:[^'\\]|\\.|'')*(?P<escaped_end>')?)
  | (?P<text>(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*(?P<text_end>')?)
  | (?P<name>(?:[uU]&)?"(?:[^"]|"")*(?P<name_end>")?)
  | (?P<dollar>\$(?:[^\x00-@\[-^`{-\x7f][^\x00-/:-@\[-^`{-\x7f]*)?\$)
  | (?P<word>[^\x00-@\[-^`{-\x7f][^\x00-\x23%-/:-@\[-^`{-\x7f]*)
  | (?P<number>[0-9][0-9A-Za-z_.]*|\$[0-9]+)
  | (?P<end>;)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_MOST_WORDS = 8


class SqlFault(ValueError):  # noqa: N818  it becomes a finding or an error
    """SQL that does not end as it begins.

    Attributes:
        line: Where what is not closed begins, from 1.
    """

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Statement:
    """One statement.

    Attributes:
        text: Its text, without what stands before its first word and without the semicolon.
        line: Where its first word stands, from 1.
        words: Its first words and signs, words in upper case: `CREATE`, `UNIQUE`, `INDEX`, `CONCURRENTLY`.
        start: Where its first word stands in the text, in characters, a byte order mark not counted.
    """

    text: str
    line: int
    words: tuple[str, ...]
    start: int = 0

    def begins(self, *words: str) -> bool:
        """Tell whether it begins with these words."""
        return self.words[: len(words)] == words

    @cached_property
    def tokens(self) -> list[Token]:
        """All its tokens, kept as long as it is: many times its text.

        Raises:
            SqlFault: A quote or a comment is not closed, which no statement has that `split` gave.
        """
        return tokens(self.text)


Kind = Literal["word", "name", "text", "number", "sign"]


@dataclass(frozen=True, slots=True)
class Token:
    """A word, name, text, number or sign.

    Attributes:
        kind: `word`, `name` (in double quotes), `text` (any form of quote), `number` or `sign`.
        text: As it is written.
    """

    kind: Kind
    text: str

    @property
    def word(self) -> str:
        """A word in upper case, or a sign; empty for anything in quotes."""
        return self.text.upper() if self.kind in {"word", "sign"} else ""


def tokens(sql: str) -> list[Token]:
    """Cut SQL into its tokens, white space and comments left out.

    Raises:
        SqlFault: A quote or a comment is not closed.
    """
    return list(_tokens(sql))


def _tokens(sql: str) -> Iterator[Token]:
    kinds: dict[str, Kind] = {
        "word": "word",
        "name": "name",
        "escaped": "text",
        "text": "text",
        "dollar": "text",
        "number": "number",
    }
    at = 0
    while at < len(sql):
        found = _TOKEN.match(sql, at)
        assert found is not None  # noqa: S101  its last alternative takes any character
        end = _end(sql, found)
        if found["space"] is None and found["line"] is None and found["block"] is None:
            kind: Kind = "sign"
            for group, one in kinds.items():
                if found[group] is not None:
                    kind = one
            yield Token(kind, sql[at:end])
        at = end


def split(sql: str) -> list[Statement]:
    """Cut SQL into its statements; comments alone are none.

    Raises:
        SqlFault: A quote, a comment or a body is not closed.
    """
    return list(_statements(sql.removeprefix("\ufeff")))


def _statements(sql: str) -> Iterator[Statement]:
    start: int | None = None
    words: list[str] = []
    depth = bodies = 0
    line, counted = 1, 0  # the line in which a statement begins, and up to where lines are counted
    at = 0
    while at < len(sql):
        found = _TOKEN.match(sql, at)
        assert found is not None  # noqa: S101  its last alternative takes any character
        kind = found.lastgroup if found.lastgroup not in {"escaped_end", "text_end", "name_end"} else "quoted"
        end = _end(sql, found)
        if found["space"] is None and found["line"] is None and found["block"] is None:
            if found["end"] is not None and depth == 0 and bodies == 0:
                if start is not None:
                    yield Statement(sql[start:at].rstrip(), line, tuple(words), start)
                start, words = None, []
            else:
                if start is None:
                    line, counted, start = line + sql.count("\n", counted, at), at, at
                if kind in {"word", "other"} and len(words) < _MOST_WORDS:
                    words.append(found[0].upper())
                depth = max(0, depth + {"(": 1, ")": -1}.get(found[0], 0))
                if found["word"] is not None:
                    bodies = _bodies(bodies, found[0].upper(), words)
        at = end
    if start is not None:
        if bodies:
            raise SqlFault("a body that begins with BEGIN ATOMIC is not ended", line)
        yield Statement(sql[start:].rstrip(), line, tuple(words), start)


def _end(sql: str, found: re.Match[str]) -> int:
    """Return where a token ends.

    Raises:
        SqlFault: It is not closed.
    """
    if found["block"] is not None:
        depth, at = 1, found.end()
        while depth:
            edge = _COMMENT_EDGE.search(sql, at)
            if edge is None:
                raise SqlFault("a comment is not closed", _line(sql, found.start()))
            depth += 1 if edge[0] == "/*" else -1
            at = edge.end()
        return at
    if found["dollar"] is not None:
        closing = sql.find(found["dollar"], found.end())
        if closing < 0:
            raise SqlFault(f"a text that begins with {found['dollar']} is not closed", _line(sql, found.start()))
        return closing + len(found["dollar"])
    for quoted in ("escaped", "text", "name"):
        if found[quoted] is not None and found[f"{quoted}_end"] is None:
            raise SqlFault("a quote is not closed", _line(sql, found.start()))
    return found.end()


def _bodies(open_: int, word: str, words: list[str]) -> int:
    """Return how many bodies are open behind a word: of functions written as `BEGIN ATOMIC … END`."""
    if words[:1] != ["CREATE"] or not {"FUNCTION", "PROCEDURE"} & set(words[:4]):
        return 0
    if word == "BEGIN" or (open_ and word == "CASE"):
        return open_ + 1
    return open_ - 1 if open_ and word == "END" else open_


def _line(sql: str, at: int) -> int:
    return sql.count("\n", 0, at) + 1
