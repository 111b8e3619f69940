"""Every border value of every BSON type, as a plain list: what the grid of values by column types is made of."""

from __future__ import annotations

from tests.generators import bson_writer as bw
from tests.generators import values
from tests.generators.bson_writer import Value

OBJECT_ID = bytes.fromhex("0123456789abcdef01234567")


def border_values() -> list[Value]:
    """All of them, scalars first."""
    texts = [bw.string(text) for text in values.TEXTS]
    numbers = [
        *(bw.double(number) for number in values.DOUBLES),
        bw.double_bits(0x7FF0_0000_0000_0001),
        bw.double_bits(0xFFF8_0000_0000_1234),
        *(bw.int32(number) for number in values.INTEGERS if -(1 << 31) <= number < 1 << 31),
        *(bw.int64(number) for number in values.INTEGERS if -(1 << 63) <= number < 1 << 63),
        *(bw.decimal128(*parts) for parts in values.DECIMALS),
        *(bw.decimal128_bits(bits) for bits in values.DECIMAL_BITS),
    ]
    moments = [
        *(bw.datetime_ms(number) for number in values.MILLISECONDS),
        *(
            bw.timestamp(seconds, ordinal)
            for seconds in (0, 1, (1 << 31), (1 << 32) - 1)
            for ordinal in (0, 1, (1 << 32) - 1)
        ),
    ]
    binaries = [
        bw.binary(subtype, payload)
        for subtype in sorted(set(values.SUBTYPES))
        for payload in (b"", bytes(16), b"\xff" * 16, b"abc", b"\0" * 17)
    ]
    others = [
        bw.object_id(bytes(12)),
        bw.object_id(OBJECT_ID),
        bw.boolean(true=True),
        bw.boolean(true=False),
        bw.null(),
        bw.undefined(),
        bw.min_key(),
        bw.max_key(),
        *(bw.symbol(text) for text in ("", "abc", "ACTIVE", b"\xff", "a\0b", "5", "2021-03-04", OBJECT_ID.hex())),
        *(bw.code(text) for text in ("", "f()", b"\xff", "a\0b")),
        *(
            bw.regex(pattern, options)
            for pattern, options in (("", ""), ("^a.*", "imsx"), (b"\xff", "i"), ("a", b"\xff"))
        ),
        *(bw.db_pointer(name, OBJECT_ID) for name in ("db.Users", "", b"\xff", "a\0b")),
        bw.code_with_scope("f()", bw.document([("x", bw.int32(1))])),
        bw.code_with_scope(b"\xff", bw.document([])),
        bw.code_with_scope("f", bw.document([("x", bw.double(float("nan"))), ("x", bw.string("a\0b"))])),
    ]
    scalars = [*texts, *numbers, *moments, *binaries, *others]
    oid = bw.object_id(OBJECT_ID)
    documents = [
        bw.document([]),
        bw.document([("a", bw.int32(1)), ("a", bw.int32(2)), ("b", bw.null())]),
        bw.document([(b"\xff", bw.int32(1))]),
        bw.document([(b"\xff", bw.int32(1)), (b"\xfe", bw.int32(2))]),
        bw.document([(b"\xff", bw.int32(1)), ("\ufffd", bw.int32(2))]),
        bw.document([("", bw.int32(1)), ("$x", bw.int32(2)), ("a.b", bw.int32(3)), ('"\\\x01', bw.int32(4))]),
        bw.document([("$oid", bw.string("0" * 24))]),
        bw.document([("$numberDouble", bw.string("1e5"))]),
        bw.dbref("Users", oid),
        bw.dbref("Users", oid, "db"),
        bw.dbref("Users", bw.int32(5)),
        bw.dbref("Users", bw.null()),
        bw.dbref("Users", bw.array([])),
        bw.dbref("Users", bw.dbref("Users", oid)),
        bw.dbref("Other", oid),
        bw.document([("$id", oid), ("$ref", bw.string("Users"))]),
        bw.document([("$ref", bw.string("Users"))]),
        bw.document([("$ref", bw.int32(1)), ("$id", oid)]),
        bw.document([("$ref", bw.string("Users")), ("$id", oid), ("more", bw.int32(1))]),
        bw.document([("$ref", bw.string("Users")), ("$id", oid), ("$db", bw.int32(1))]),
        bw.document([("userId", oid), ("items", bw.array([bw.document([("userId", bw.int32(5))])]))]),
        values.nested(20, bw.int32(1)),
    ]
    arrays = [
        bw.array([]),
        bw.array([bw.null()]),
        bw.array([bw.null(), bw.undefined(), bw.int32(1)]),
        bw.array([bw.array([])]),
        bw.array([bw.int32(1), bw.string("a"), oid]),
        bw.array([oid, oid, bw.string(OBJECT_ID.hex().upper())], ["5", "5", ""]),
        bw.array([bw.document([]), bw.document([("userId", oid), ("userId", bw.null())])]),
        bw.array([bw.document([("userId", bw.array([oid]))])]),
        bw.array([bw.dbref("Users", oid), bw.dbref("Other", oid)]),
        bw.array([bw.int32(number) for number in range(300)]),
    ]
    singles = [bw.array([value]) for value in scalars[::3]]
    return [*scalars, *documents, *arrays, *singles]


def document(value: Value, key: str = "v") -> bytes:
    """A document with this one field."""
    return bw.document([("_id", bw.object_id(OBJECT_ID)), (key, value)]).raw


def id_document(value: Value) -> bytes:
    """A document with this `_id` and nothing else."""
    return bw.document([("_id", value)]).raw
