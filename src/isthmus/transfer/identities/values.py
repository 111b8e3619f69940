"""What a document is recognised by: its keys as digests, what its links may mean, and both for people. Pure.

Texts are compared as the core normalises them, all other values as the core compares `_id`s: 5 and 5.0 are one number.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import bson
from bson import CodecOptions, DatetimeConversion, ObjectId
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument

from isthmus._rust import IdCodec
from isthmus.errors import ConversionError
from isthmus.mapping.identities import Identity, IdentityKey, IdentitySource
from isthmus.mapping.model import Ids
from isthmus.mapping.reading.choosing import normalised
from isthmus.mapping.rules import FieldPath
from isthmus.state.rewrites import Replaced
from isthmus.state.source_ids import show, value_of
from isthmus.work.hidden import HIDDEN

ANY_THING = -1
"""The part of what a link may mean: the id of a thing, whatever documents it has."""
UNREADABLE = (BSONError, ConversionError, UnicodeError)
"""What a document that cannot be read raises."""

_SHOWN_CHARACTERS = 120
_NOTHING = object()
# What is no UTF-8 stays what it is; nested documents stay raw until they are looked into.
CODEC = CodecOptions[RawBSONDocument](
    document_class=RawBSONDocument,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
    unicode_decode_error_handler="surrogateescape",
)


@dataclass(frozen=True)
class Meaning:
    """What a link may mean: the document of a part with an own id, or the thing with an id (`ANY_THING`)."""

    link: int
    part: int
    id: str


@dataclass(frozen=True)
class Recognised:
    """What one document is recognised by.

    Attributes:
        own_id: The id that is derived from it alone.
        keys: Digest of each key of the identity, in their order; None where it has none.
        meanings: Of its links; one that can mean nothing has a single meaning that nothing has.
        shown: JSON: [[field, value], …] of keys and links, with sensitive values hidden.
    """

    own_id: str
    keys: tuple[bytes | None, ...]
    meanings: tuple[Meaning, ...]
    shown: str


class Recogniser:
    """Looks at the documents of one collection.

    Args:
        identity: Whose keys they are.
        part: Place of the collection in it.
        codec: Derives ids with the target's key.
        secret: The target's key, without which digests of keys are no digests of e-mails.
        schemes: Of each part: how ids of its entry are made.
        hidden: Paths of its sensitive fields.
    """

    def __init__(
        self,
        identity: Identity,
        part: int,
        codec: IdCodec,
        secret: bytes,
        schemes: Sequence[Ids],
        hidden: Sequence[FieldPath],
    ) -> None:
        self._identity = identity
        self._source: IdentitySource = identity.sources[part]
        self._scheme: Ids = schemes[part]
        self._codec = codec
        self._secret = hashlib.sha256(b"isthmus identity keys\0" + secret).digest()
        ways: dict[str, tuple[int, str, Ids]] = {
            member.collection: (number, member.collection, schemes[number])
            for number, member in enumerate(identity.members)
        }
        self._to = [[ways[name] for name in link.to] for link in self._source.links]
        self._hidden = [tuple(path) for path in hidden]

    @property
    def has_links(self) -> bool:
        """Whether its documents link to members."""
        return bool(self._source.links)

    def recognise(self, source_id: bytes, document: RawBSONDocument, written: Sequence[Replaced] = ()) -> Recognised:
        """Look at a document. A link that a rewrite put there still means what stood there before.

        Args:
            source_id: `{"_id": value}` as BSON.
            document: The document, decoded with `CODEC`.
            written: What rewrites put into it, the newest first.

        Raises:
            BSONError, ConversionError: It cannot be read.
        """
        shown: list[tuple[str, str]] = []
        keys: list[bytes | None] = []
        for key in self._identity.keys:
            path = self._source.keys.get(key.name)
            value = _NOTHING if path is None else value_at(document, path)
            keys.append(self._key_digest(key, value))
            if path is not None and keys[-1] is not None:
                shown.append((".".join(path), self._shown(path, value)))
        meanings: list[Meaning] = []
        for number, link in enumerate(self._source.links):
            value = value_at(document, link.path)
            found = self._meanings(number, _before(value, link.path, written))
            meanings += found
            if found:
                shown.append((".".join(link.path), self._shown(link.path, value)))
        own_id = derive_own(self._codec, self._source.collection, source_id, self._scheme)
        return Recognised(own_id, tuple(keys), tuple(meanings), json.dumps(shown) if shown else "[]")

    def _key_digest(self, key: IdentityKey, value: object) -> bytes | None:
        """Return the digest of a key's value; None for what recognises nobody: null, and what is empty."""
        if value is None or value is _NOTHING:
            return None
        if type(value) is str:
            text = normalised(value, key.normalise)
            stated = b"t" + text.encode("utf-8", "surrogateescape") if text else b""
        elif isinstance(value, list | Mapping) and not value:
            return None
        else:
            stated = b"v" + self._codec.derive("", _encoded(value), "uuid").encode()
        if not stated:
            return None
        steps = f"{key.name}\0{','.join(key.normalise)}\0".encode()
        return hashlib.blake2b(steps + stated, digest_size=16, key=self._secret).digest()

    def _meanings(self, number: int, value: object) -> list[Meaning]:
        """Return what a link's value may mean; nothing for null, and for what is empty."""
        if value is None or value is _NOTHING or (type(value) is str and not value.strip()):
            return []
        only, value = _pointed(value)
        nothing = [Meaning(number, ANY_THING - 1, "")]
        try:
            source_id = _encoded(value)
        except (BSONError, UnicodeError):
            return nothing
        found: list[Meaning] = []
        for part, collection, scheme in self._to[number]:
            if only in {None, collection}:
                found.append(Meaning(number, part, derive_own(self._codec, collection, source_id, scheme)))
                if type(value) is str:
                    found.append(Meaning(number, part, storable(value)))
        if type(value) is str:
            found.append(Meaning(number, ANY_THING, storable(value)))
        return list(dict.fromkeys(found)) or nothing

    def _shown(self, path: FieldPath, value: object) -> str:
        if any(path[: len(hidden)] == hidden or hidden[: len(path)] == path for hidden in self._hidden):
            return HIDDEN
        if type(value) is str or isinstance(value, ObjectId):
            text = str(value).encode("utf-8", "replace").decode()
        else:
            try:
                text = show(_encoded(value))
            except (BSONError, UnicodeError):
                text = "(unreadable)"
        return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"


def _before(value: object, path: FieldPath, written: Sequence[Replaced]) -> object:
    """Return what stood at a path before a rewrite put this value there; the value itself where none did."""
    for one in written:
        if one.path == tuple(path) and one.new_text == value:
            return bson.decode(one.old_value, CODEC)[""]  # pyright: ignore[reportUnknownMemberType]
    return value


def _pointed(value: object) -> tuple[str | None, object]:
    """Return the collection that a DBRef names and the `_id` in it; of other values None and the value itself."""
    if not isinstance(value, Mapping):
        return None, value
    pointer = cast("Mapping[str, object]", value)
    if "$id" not in pointer:
        return None, pointer
    named = pointer.get("$ref")
    return named if isinstance(named, str) else None, pointer["$id"]


def _encoded(value: Any) -> bytes:
    """Return `{"_id": value}` as BSON."""
    return bson.encode({"_id": value})


def value_at(document: Mapping[str, Any], path: FieldPath) -> Any:
    """Return the value at a path, which leads through documents only; `_NOTHING` where there is none."""
    value: object = document
    for key in path:
        if not isinstance(value, Mapping):
            return _NOTHING
        inner = cast("Mapping[str, object]", value)
        if key not in inner:
            return _NOTHING
        value = inner[key]
    return value


def derive_own(codec: IdCodec, collection: str, source_id: bytes, scheme: Ids) -> str:
    """Return the id, as text, that follows from an `_id` alone.

    Raises:
        ConversionError: It is none.
    """
    if scheme != "keep":
        return codec.derive(collection, source_id, scheme)
    value = value_of(source_id)
    text = value if type(value) is str else str(value) if isinstance(value, int | ObjectId) else show(source_id)
    return storable(text)


def storable(text: str) -> str:
    """Return a text as PostgreSQL can hold it."""
    return text.replace("\0", "�").encode("utf-8", "replace").decode()
