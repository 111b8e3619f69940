"""Derived ids: the keyed permutation of ObjectIds, the keyed hash of every other `_id`, and both printed forms.

Written from the published description of Speck (Beaulieu et al., "The SIMON and SPECK Families of Lightweight Block
Ciphers", 2013; Speck96/144: 48-bit words, 29 rounds, rotations 8 and 3), RFC 9562 (UUIDv8) and the BLAKE3 paper
(derive_key and keyed_hash modes, from the `blake3` package).

Blind spot: the names of the derived keys, the layout of the 122 bits and the canonical form of a value are conventions;
a misreading of them shared with the core would not show here. The cipher itself is pinned by the paper's test vector.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from blake3 import blake3

from isthmus.verify.reference import bson
from isthmus.verify.reference.bson import Value

ROUNDS = 29
WORD = (1 << 48) - 1
BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
HEX = "0123456789abcdefABCDEF"
_KNOWN_IDS = 65_536


def _rotate_right(word: int, by: int) -> int:
    return ((word >> by) | (word << (48 - by))) & WORD


def _rotate_left(word: int, by: int) -> int:
    return ((word << by) | (word >> (48 - by))) & WORD


@lru_cache(maxsize=16)
def speck_round_keys(key: bytes) -> tuple[int, ...]:
    """29 round keys from 18 key bytes, read as the big-endian words l1, l0, k0."""
    lower = [int.from_bytes(key[6:12], "big"), int.from_bytes(key[0:6], "big")]
    keys = [int.from_bytes(key[12:18], "big")]
    for index in range(ROUNDS - 1):
        lower.append(((keys[index] + _rotate_right(lower[index], 8)) & WORD) ^ index)
        keys.append(_rotate_left(keys[index], 3) ^ lower[index + 2])
    return tuple(keys)


def speck_encrypt(key: bytes, block: bytes) -> bytes:
    """12 bytes to 12 bytes under 18 key bytes."""
    x, y = int.from_bytes(block[:6], "big"), int.from_bytes(block[6:], "big")
    for round_key in speck_round_keys(key):
        x = ((_rotate_right(x, 8) + y) & WORD) ^ round_key
        y = _rotate_left(y, 3) ^ x
    return x.to_bytes(6, "big") + y.to_bytes(6, "big")


def speck_decrypt(key: bytes, block: bytes) -> bytes:
    """Inverse of `speck_encrypt`."""
    x, y = int.from_bytes(block[:6], "big"), int.from_bytes(block[6:], "big")
    for round_key in reversed(speck_round_keys(key)):
        y = _rotate_right(x ^ y, 3)
        x = _rotate_left(((x ^ round_key) - y) & WORD, 8)
    return x.to_bytes(6, "big") + y.to_bytes(6, "big")


def is_hex_id(text: bytes) -> bool:
    """Whether text is exactly 24 hexadecimal digits, any case."""
    return len(text) == 24 and all(byte in b"0123456789abcdefABCDEF" for byte in text)


def standing_id(value: Value, scheme: str) -> str | None:
    """The id that a text is already, in the form of a scheme's ids; None for 24 hex digits and every other value."""
    if value.type not in (bson.STRING, bson.SYMBOL) or is_hex_id(value.data):
        return None
    try:
        text = value.data.decode("ascii")
    except UnicodeDecodeError:
        return None
    if scheme == "uuid":
        is_one = len(text) == 36 and all(
            char == "-" if at in (8, 13, 18, 23) else char in HEX for at, char in enumerate(text)
        )
        return text.lower() if is_one else None
    is_one = len(text) == 24 and text[0] in BASE36[10:] and all(char in BASE36 for char in text)
    return text if is_one else None


def object_id_of(value: Value) -> bytes | None:
    """The 12 bytes of an ObjectId, or of a text (a symbol is one too) of 24 hex digits; None for every other value."""
    if value.type == bson.OBJECT_ID:
        return value.data
    if value.type in (bson.STRING, bson.SYMBOL) and is_hex_id(value.data):
        return bytes.fromhex(value.data.decode("ascii"))
    return None


class Ids:
    """Ids under one key.

    Args:
        key: 32 bytes, one per target.
    """

    def __init__(self, key: bytes) -> None:
        self.permutation_key = blake3(key, derive_key_context="isthmus 2026-11 id permutation v1").digest(18)
        self.tag_key = blake3(key, derive_key_context="isthmus 2026-11 id tag v1").digest(18)
        self.hash_key = blake3(key, derive_key_context="isthmus 2026-11 id hash v1").digest(32)
        self.of_object_id = lru_cache(_KNOWN_IDS)(self._of_object_id)  # a document is met as itself and in references

    def derive(self, collection: str, value: Value, scheme: str) -> str:
        """The id of a document of `collection` whose `_id` is `value`, as text; scheme is `uuid` or `cuid2`."""
        object_id = object_id_of(value)
        number = self.of_object_id(object_id) if object_id is not None else self.of_other(collection, value)
        return uuid_text(number) if scheme == "uuid" else cuid2_text(number)

    def _of_object_id(self, object_id: bytes) -> int:
        """122 bits: a zero, 25 bits of tag, 96 bits of ciphertext."""
        cipher = speck_encrypt(self.permutation_key, object_id)
        return (self._tag(object_id) << 96) | int.from_bytes(cipher, "big")

    def _tag(self, object_id: bytes) -> int:
        return int.from_bytes(speck_encrypt(self.tag_key, object_id), "big") >> (96 - 25)

    def of_other(self, collection: str, value: Value) -> int:
        """122 bits: a one, the low 121 bits of the first 16 bytes of a keyed hash."""
        hashed = blake3(collection.encode("utf-8") + b"\0" + canonical(value), key=self.hash_key).digest(16)
        return (1 << 121) | (int.from_bytes(hashed, "big") & ((1 << 121) - 1))

    def reverse(self, text: str) -> bytes | None:
        """The ObjectId behind an id, or None when it is a hashed one or was not made under this key."""
        number = number_of_uuid(text) if len(text) == 36 else number_of_cuid2(text)
        if number is None or number >> 121:
            return None
        cipher = (number & ((1 << 96) - 1)).to_bytes(12, "big")
        object_id = speck_decrypt(self.permutation_key, cipher)
        return object_id if self._tag(object_id) == number >> 96 else None


def uuid_text(number: int) -> str:
    """122 bits as a UUIDv8: 48 bits, version 8, 12 bits, variant 10, 62 bits."""
    whole = (number >> 74) << 80 | 8 << 76 | ((number >> 62) & 0xFFF) << 64 | 0b10 << 62 | (number & ((1 << 62) - 1))
    digits = f"{whole:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def number_of_uuid(text: str) -> int | None:
    """Inverse of `uuid_text`; None for another version or variant."""
    whole = int(text.replace("-", ""), 16)
    if (whole >> 76) & 0xF != 8 or (whole >> 62) & 0b11 != 0b10:
        return None
    return (whole >> 80) << 74 | ((whole >> 64) & 0xFFF) << 62 | (whole & ((1 << 62) - 1))


def cuid2_text(number: int) -> str:
    """122 bits as a letter and 23 base-36 digits."""
    rest, letter = divmod(number, 26)
    digits = ""
    for _ in range(23):
        rest, digit = divmod(rest, 36)
        digits = BASE36[digit] + digits
    return chr(ord("a") + letter) + digits


def number_of_cuid2(text: str) -> int | None:
    """Inverse of `cuid2_text`; None for a text that cannot be one."""
    if len(text) != 24 or any(character not in BASE36 for character in text) or not text[0].isalpha():
        return None
    number = 0
    for character in text[1:]:
        number = number * 36 + BASE36.index(character)
    number = number * 26 + ord(text[0]) - ord("a")
    return number if number < 1 << 122 else None


def canonical_number(value: Value) -> str:
    """One text for every way to store one number: `nan`, `inf`, `-inf` or the exact decimal `[-]digits e exponent`."""
    if value.type == bson.DECIMAL128:
        stored: bson.Decimal128 = value.data
        if stored.kind == "nan":
            return "nan"
        if stored.kind == "infinity":
            return "-inf" if stored.sign else "inf"
        sign, coefficient, exponent = stored.sign, stored.coefficient, stored.exponent
    else:
        exact = Decimal(value.data)  # int and float both convert without rounding
        if exact.is_nan():
            return "nan"
        if exact.is_infinite():
            return "-inf" if exact.is_signed() else "inf"
        sign, digits_of, exponent = exact.as_tuple()
        exponent = int(exponent)
        coefficient = int("".join(map(str, digits_of)))
    if coefficient == 0:
        return "0e0"
    digits = str(coefficient)
    stripped = digits.rstrip("0")
    return f"{'-' if sign else ''}{stripped}e{exponent + len(digits) - len(stripped)}"


def canonical(value: Value) -> bytes:
    """Bytes that are equal exactly when MongoDB would call two `_id` values equal; the first byte is the class."""
    if value.type in bson.NUMBERS:
        return b"n" + canonical_number(value).encode("ascii")
    if value.type in (bson.STRING, bson.SYMBOL):
        return b"s" + value.data
    if value.type == bson.OBJECT_ID:
        return b"o" + value.data
    if value.type == bson.BOOL:
        return b"b" + (b"\1" if value.data else b"\0")
    if value.type == bson.DATETIME:
        return b"d" + value.data.to_bytes(8, "big", signed=True)
    if value.type == bson.TIMESTAMP:
        return b"t" + value.raw
    if value.type == bson.BINARY:
        subtype, payload = value.data
        return b"x" + bytes([subtype]) + payload
    if value.type == bson.NULL:
        return b"z"
    if value.type == bson.MIN_KEY:
        return b"<"
    if value.type == bson.MAX_KEY:
        return b">"
    if value.type == bson.DOCUMENT:
        return b"{" + b"".join(_sized(key) + _sized(canonical(child)) for key, child in value.data)
    if value.type == bson.ARRAY:
        return b"[" + b"".join(_sized(canonical(child)) for child in value.data)
    if value.type == bson.REGEX:
        pattern, options = value.data
        return b"r" + pattern + b"\0" + options
    if value.type == bson.CODE:
        return b"c" + value.data
    if value.type == bson.UNDEFINED:
        return b"u"
    if value.type == bson.DB_POINTER:
        return b"p" + value.raw
    return b"w" + value.raw


def _sized(part: bytes) -> bytes:
    return len(part).to_bytes(4, "big") + part
