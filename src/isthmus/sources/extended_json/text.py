"""Find the documents in a JSON file: one after the other, on a line each or on many, or as the elements of one array.

Decides where a document begins and ends, and what a break in the text is called. What stands between the braces is
left to `values`, which also says where a document ends; the text in hand is never the whole file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NoReturn

from isthmus.sources.extended_json.inflated import JsonBytes
from isthmus.sources.extended_json.values import Decoder, Unfit
from isthmus.sources.files import in_bytes
from isthmus.sources.limits import MAX_DOCUMENT_BYTES

Code = Literal["broken-json", "truncated", "gzip-broken", "changed-under-us"]

_CHUNK_BYTES = 1 << 18
_SMALL_CHUNK_BYTES = 1 << 12
_STEP_BYTES = 1 << 22

_MAX_DENSE_BYTES = 4 * MAX_DOCUMENT_BYTES
"""Longest text of one document without its white space. Canonical JSON of one of 16 MiB, which is mostly long lists or
long texts, has 1.0 to 3.5 times as many bytes: dates and doubles in lists 2.6, numbers under short keys 3.5, markup
whose brackets mongoexport writes as escapes 2.9."""

_MAX_TEXT_BYTES = 8 * MAX_DOCUMENT_BYTES
"""The same with it: what is written out over many lines, deep inside, is half white space."""

_NEAR = 16
"""An error this near to the end of the text in hand may come from the cut; no word or escape of JSON is longer."""

_SPACE = re.compile(r"[ \t\r\n]*")
_WORD_BEGUN = re.compile(r"-?(I(n(f(i(n(it?)?)?)?)?)?)?|Na?|t(ru?)?|f(a(ls?)?)?|n(ul?)?|-?[0-9]*\.?|-?[0-9.]*[eE][+-]?")
_ESCAPE_BEGUN = re.compile(r"u?[0-9a-fA-F]{0,4}(\\(u[0-9a-fA-F]{0,4})?)?")
_SHELL = re.compile(r"(new )?(ObjectId|ISODate|Date|NumberLong|NumberInt|NumberDecimal|BinData|UUID|Timestamp)\(")
_BOM = "\ufeff"


class BreakError(Exception):
    """The text cannot be read on.

    Attributes:
        code: Code of the error to make of it.
        offset: Byte in the decompressed file.
        reason: What is wrong there, a sentence with the file as its subject (`holds …`).
    """

    def __init__(self, code: Code, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.code: Code = code
        self.offset = offset
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Document:
    """One document.

    Attributes:
        start: Byte where it begins.
        lines: Line feeds between where reading began and there.
        data: It as BSON.
    """

    start: int
    lines: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Large:
    """Said before more text is held than a block may be large.

    Attributes:
        start: Byte where the document begins that makes it necessary.
        size: Bytes that will be held.
    """

    start: int
    size: int


def holds_array(data: JsonBytes) -> bool:
    """Tell from the beginning of a file whether its documents are the elements of an array.

    Args:
        data: At the beginning of the file; moved on.
    """
    first = True
    while piece := data.read(_SMALL_CHUNK_BYTES):
        piece = (piece.removeprefix(b"\xef\xbb\xbf") if first else piece).lstrip(b" \t\r\n")
        first = False
        if piece:
            return piece.startswith(b"[")
    return False


class Documents:
    """The documents of a file from a place on; gone through once.

    Args:
        data: The file, at `start`.
        stop: Byte behind the last document; None reads to the end of the file.
        before: The byte in front of `start` where the documents are elements of an array and reading goes on in it;
            None at the beginning of a file and where they are not.
        max_bytes: Text above which `Large` is said.

    Attributes:
        behind: Byte behind the last document that was given; where reading began before there was one.
    """

    def __init__(self, data: JsonBytes, *, stop: int | None, before: bytes | None, max_bytes: int) -> None:
        self.behind = data.offset
        self._data = data
        self._stop = stop
        self._max_bytes = max_bytes
        self._chunk_bytes = max(_SMALL_CHUNK_BYTES, min(_CHUNK_BYTES, max_bytes // 4))
        self._text = ""
        self._at = 0
        self._offset = data.offset  # byte of the character at `_at`
        self._lines = 0
        self._tail = b""  # the beginning of a character
        self._foreign: BreakError | None = None  # why the text ends before the bytes do
        self._ended = False
        self._state = _state(data.offset, before)

    def __iter__(self) -> Iterator[Document | Large]:
        """Yield every document in order.

        Raises:
            BreakError: after every whole document before the break.
            SourceError: `unreadable`.
        """
        decoder = Decoder()
        while self._seek():
            start, lines = self._offset, self._lines
            while True:
                try:
                    data, end = decoder.decode(self._text, self._at)
                    break
                except Unfit as error:
                    raise BreakError("broken-json", start, f"holds a document {error}") from error
                except json.JSONDecodeError as error:
                    if not self._is_cut(error):
                        self._invalid(error.msg, error.pos)
                    # The error holds the text, which could not grow in place behind it.
                    message, behind = error.msg, error.pos - self._at
                self._check_length(start)
                if self._held() + self._wanted() > self._max_bytes:
                    yield Large(start, self._held() + self._wanted())
                if not self._fill():
                    self._end_inside(message, self._at + behind)
            if len(data) > MAX_DOCUMENT_BYTES:
                what = f"holds a document of {len(data):,} bytes as BSON, more than the 16 MiB MongoDB allows"
                raise BreakError("broken-json", start, what)
            self._advance(end)
            self.behind = self._offset
            yield Document(start, lines, data)

    def _seek(self) -> bool:
        """Go to the brace that begins the next document; False when there is none."""
        while self._skip_space():
            character = self._text[self._at]
            if self._state == "unknown":
                self._state = "first" if character == "[" else "documents"
                if character == "[":
                    self._advance(self._at + 1)
                    continue
            if character == "{" and self._state in {"documents", "first", "element"}:
                self._state = "documents" if self._state == "documents" else "behind"
                return True
            if character == "," and self._state == "behind":
                self._advance(self._at + 1)
                self._state = "element"
            elif character == "]" and self._state in {"first", "behind"}:
                self._advance(self._at + 1)
                self._state = "closed"
            else:
                raise BreakError("broken-json", self._offset, self._unexpected())
        self._end_between()
        if self._stop is None and self._state in {"first", "element", "behind"}:
            raise BreakError("truncated", self._offset, "ends in the middle of its array")
        return False

    def _skip_space(self) -> bool:
        """Go on to the next character that is no space; False at the end of the text."""
        while True:
            found = _SPACE.match(self._text, self._at)
            if found is not None:
                self._advance(found.end())
            if self._at < len(self._text):
                return True
            if not self._fill():
                return False

    def _advance(self, to: int) -> None:
        text, at = self._text, self._at
        self._lines += text.count("\n", at, to)
        self._offset += to - at if text.isascii() else len(text[at:to].encode())
        self._at = to

    def _held(self) -> int:
        """Return how many bytes of text are in hand and not used up."""
        return self._data.offset - self._offset

    def _wanted(self) -> int:
        held = self._held()
        if held < _MAX_DENSE_BYTES:
            wanted = min(held, _MAX_DENSE_BYTES - held)
        else:
            wanted = min(MAX_DOCUMENT_BYTES, _MAX_TEXT_BYTES - held)
        wanted = max(self._chunk_bytes, wanted)
        return wanted if self._stop is None else min(wanted, self._stop - self._data.offset)

    def _check_length(self, start: int) -> None:
        """Raise for text in hand that is too long to be the beginning of one document.

        Raises:
            BreakError: `broken-json`.
        """
        held = self._held()
        if held < _MAX_DENSE_BYTES:
            return
        dense = held - sum(self._text.count(space, self._at) for space in " \t\r\n")
        if dense < _MAX_DENSE_BYTES and held < _MAX_TEXT_BYTES:
            return
        what = f"holds a document whose end is not there after {held >> 20:,} MiB of text, too long for MongoDB"
        raise BreakError("broken-json", start, what)

    def _fill(self) -> bool:
        """Take more text in hand; False when there is none."""
        wanted, before = self._wanted(), self._data.offset
        text = self._text[self._at :]
        self._text, self._at = "", 0  # nothing else holds the text now: Python lets it grow where it is
        while wanted > 0 and not self._ended:
            step = min(wanted, _STEP_BYTES)
            text += self._taken(step)
            wanted -= step
        self._text = text
        return self._data.offset > before

    def _taken(self, wanted: int) -> str:
        """Return the next `wanted` bytes as text, but for half a character at their end."""
        place = self._data.offset - len(self._tail)
        read = self._data.read(wanted)
        self._ended = len(read) < wanted or self._data.offset == self._stop
        raw, self._tail = self._tail + read, b""
        if place == 0 and (raw.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in raw[:4]):
            raise BreakError("broken-json", 0, "is in UTF-16 or UTF-32, not in UTF-8 as JSON has to be")
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            text = raw[: error.start].decode()
            if error.end == len(raw) and error.reason == "unexpected end of data":
                self._tail = raw[error.start :]
            else:
                what = f"holds the byte 0x{raw[error.start]:02x}, which is not UTF-8 (perhaps Latin-1 or Windows-1252)"
                self._foreign = BreakError("broken-json", place + error.start, what)
                self._ended = True
        if place == 0 and text.startswith(_BOM):
            self._offset = 3
            return text[1:]
        return text

    def _is_cut(self, error: json.JSONDecodeError) -> bool:
        """Whether an error may be there only because the text in hand ends."""
        rest = len(self._text) - error.pos
        return rest <= _NEAR or error.msg.startswith("Unterminated string") or not self._text[error.pos + 1 :].strip()

    def _end_inside(self, message: str, pos: int) -> None:
        """Raise for a text that ends before a document does; what JSON says of it, and where in the text in hand."""
        if not self._is_truncated(message, pos):
            self._invalid(message, pos)
        self._end_between()
        if self._stop is not None:
            what = f"no longer has the start of a document at byte {self._stop:,}"
            raise BreakError("changed-under-us", self._offset, what)
        raise BreakError("truncated", self._offset, "ends in the middle of a document")

    def _end_between(self) -> None:
        """Raise when the text ends where the file should not."""
        if self._foreign is not None:
            raise self._foreign
        if self._data.broken is not None:
            raise BreakError("gzip-broken", self.behind, self._data.broken)
        if self._stop is not None and self._data.offset < self._stop:
            what = f"has only {in_bytes(self._data.offset)} where {self._stop:,} were"
            raise BreakError("changed-under-us", self._data.offset, what)
        if self._tail:
            raise BreakError("truncated", self._offset, "ends in the middle of a character")

    def _is_truncated(self, message: str, pos: int) -> bool:
        """Whether the text is sound as far as it goes."""
        if message.startswith("Unterminated string"):
            return True
        rest = self._text[pos:]
        if "escape" in message:
            return _ESCAPE_BEGUN.fullmatch(rest.lstrip("\\")) is not None
        return not rest.strip() or _WORD_BEGUN.fullmatch(rest) is not None

    def _invalid(self, message: str, pos: int) -> NoReturn:
        """Raise for text that is no JSON; `pos` is an index into the text in hand."""
        self._advance(pos)
        what = _recognised(self._text, self._at) or f"is not JSON there: {message.partition(':')[0]}"
        raise BreakError("broken-json", self._offset, what)

    def _unexpected(self) -> str:
        """Say what is wrong with a character between two documents."""
        character = self._text[self._at]
        if self._state == "closed":
            return f"goes on behind the end of its array, with {_quoted(character)}"
        if self._state == "behind":
            return f"has {_quoted(character)} where a comma or the end of its array should be"
        known = _recognised(self._text, self._at)
        if known is not None:
            return known
        if self._state == "element" and character == "]":
            return "has a comma with nothing behind it at the end of its array"
        if self._state == "documents" and character == ",":
            return "has a comma between two documents, which only an array has"
        return f"has {_quoted(character)} where a document should begin"


def _state(start: int, before: bytes | None) -> str:
    """Return what may come next: in an array, what follows a document or a document itself."""
    if before is None:
        return "unknown" if start == 0 else "documents"
    return "behind" if before == b"}" else "element"


def _recognised(text: str, at: int) -> str | None:
    """Say what stands in a text where JSON should, for what people often write there."""
    if text.startswith(("//", "/*", "#"), at):
        return "holds a comment, which JSON does not have"
    if text[at : at + 1] in {"}", "]", ","} and text[:at].rstrip().endswith(","):
        return "has a comma with nothing behind it"
    if _SHELL.match(text, at):
        return "holds a value as the mongo shell writes it, which is no JSON; export it with mongoexport"
    if text.startswith("'", at):
        return "has a single quote where JSON has double ones"
    return None


def _quoted(character: str) -> str:
    return f"`{character}`" if character.isprintable() else f"U+{ord(character):04X}"
