"""Hypothesis strategies for BSON values in which the borders come up far more often than chance would bring them."""

from __future__ import annotations

import math
import struct

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.generators import bson_writer as bw
from tests.generators.bson_writer import Value

DOUBLES = [
    *(0.0, -0.0, 1.0, -1.0, 5.0, 0.5, -2.5, 0.1, 1 / 3, 100.0, 12.345, 0.125, 2.675, -0.005),
    *(math.nan, math.inf, -math.inf, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308),
    *(1e15, 999999999999999.9, 1e16, 1e17, 1e21, 1e22, 1e-4, 1e-5, 9.999999e-6, 1e-7, 1e300, 123456789012345680.0),
    *(float(1 << 53), float((1 << 53) + 2), 9.223372036854775e18, 9.223372036854776e18, -9.223372036854776e18),
    *(2147483647.0, 2147483648.0, -2147483648.0, -2147483649.0, 32767.0, 32768.0, -32768.0, 32767.5, 40000.5),
    *(
        16777216.0,
        16777217.0,
        3.4028234663852886e38,
        3.4028235677973366e38,
        3.5e38,
        1.401298464324817e-45,
        7e-46,
        1e-46,
    ),
]
INTEGERS = [
    *(0, 1, -1, 2, 5, 10, 100, 1000, 9999, 10000, 99999, 100000, 99990000),
    *(sign * (1 << bits) + step for bits in (15, 24, 31, 53, 63) for sign in (1, -1) for step in (-1, 0, 1)),
]
DAY = 86_400_000
MILLISECONDS = [
    *(0, 1, -1, 999, 1000, 1500, 500, -500, -1500, DAY, -DAY, DAY - 1, -DAY - 1, 1_614_834_367_089, 1_614_816_000_000),
    *(946_684_800_000, 946_684_799_500, 946_684_800_500, 946_684_799_999),
    *(253_402_300_799_999, 253_402_300_800_000, -62_135_596_800_000, -62_135_596_800_001, -62_167_219_200_000),
    *(-2_440_588 * DAY, -2_440_588 * DAY - 1, 106_762_940 * DAY - 1, 106_762_940 * DAY),
    *(2_145_042_906 * DAY, 2_145_042_906 * DAY - 1, 2_145_042_905 * DAY, (1 << 63) - 1, -(1 << 63)),
]
TEXTS: list[str | bytes] = [
    *(
        "",
        "a",
        "abc",
        "ABC",
        "true",
        "false",
        "5",
        "-5",
        "+7",
        "007",
        "1.5",
        "1e3",
        " 5",
        "5 ",
        "1_000",
        "NaN",
        "Infinity",
    ),
    *("9223372036854775807", "9223372036854775808", "32768", "ACTIVE", "PENDING", "active", "0", "1"),
    *("2021-03-04", "2021-02-29", "2020-02-29", "0001-01-01", "9999-12-31", "2021-3-4"),
    *("2021-03-04T05:06:07.089Z", "2021-03-04T05:06:07Z", "2021-03-04T05:06:07.123456+02:00", "2021-03-04T25:00:00Z"),
    *("2021-03-04T05:06Z", "2021-03-04 05:06:07.1234565-0530", "2021-03-04T05:06:07+02", "2021-03-04T05:06:07"),
    *("1.e5", ".5", "5.", "+1.50", "-0", "1e400", "16777217.5"),
    *("0123456789abcdef01234567", "0123456789ABCDEF01234567", "0123456789abcdef0123456", "0123456789abcdef0123456g"),
    *(
        "01234567-89ab-cdef-0123-456789abcdef",
        "01234567-89AB-CDEF-0123-456789ABCDEF",
        "0123456789abcdef0123456789abcdef",
    ),
    *("é", "e\u0301", "😀", "a\u2028b", "'\"\\", "\t\n\r\x01\x7f", "\ufeff", "\U0010ffff", "ab\0cd", "\0"),
    *(
        b"\xff",
        b"a\xc3",
        b"\xed\xa0\x80",
        b"\xed\xa0\xbd\xed\xb8\x80",
        b"\xc0\x80",
        b"\xf4\x90\x80\x80",
        b"ok\xe2\x82ok\0",
    ),
    "x" * 41,
    "é" * 40,
]
DECIMALS = [
    *(
        (sign, coefficient, exponent)
        for sign in (0, 1)
        for coefficient, exponent in [(0, 0), (0, -3), (0, 6111), (5, 0)]
    ),
    *((0, 50, -1), (0, 150, -2), (1, 25, -1), (0, 1, 3), (0, 1000, 0), (0, 1, -6176), (1, 1, -6176), (0, 10**33, 6111)),
    *((0, 10**34 - 1, 0), (0, 10**34 - 1, -34), (0, 10**34 - 1, 6111), (1, 10**34 - 1, -6176), (0, 1, 40), (0, 5, -1)),
    *((0, (1 << 63) - 1, 0), (0, 1 << 63, 0), (1, 1 << 63, 0), (1, (1 << 63) + 1, 0), (0, 32767, 0), (0, 327670, -1)),
    *(
        (0, 1235, -3),
        (0, 1225, -3),
        (1, 1235, -3),
        (0, 99999999995, -3),
        (0, 9999999999, -2),
        (0, 1, 8),
        (0, 10000, -4),
    ),
    *((0, 12345, 5), (0, 123456789, -5), (0, 1, 400), (0, 1, -400), (0, 33554433, 0), (0, 16777217, 0), (0, 1, -7)),
]
DECIMAL_BITS = [
    0x1F << 122,  # NaN
    (0x1F << 122) | (1 << 127) | 7,  # negative NaN with a payload
    0x3F << 121,  # signalling NaN
    0x1E << 122,  # Infinity
    (0x1E << 122) | (1 << 127),
    (3 << 125) | 12345,  # long form: always beyond 34 digits, hence zero
    (3 << 125) | (6176 << 111) | ((1 << 111) - 1),
    (6176 << 113) | 10**34,  # one more than the largest coefficient: zero
    (6176 << 113) | ((1 << 113) - 1),
]
SUBTYPES = [0, 0, 0, 1, 2, 3, 4, 4, 4, 5, 6, 7, 8, 9, 0x80, 0xFF]
KEYS: list[str | bytes] = [
    *(
        "a",
        "b",
        "c",
        "x",
        "sub",
        "o",
        "user",
        "flag",
        "userId",
        "items",
        "",
        ".",
        "$",
        "$x",
        "a.b",
        "$oid",
        "$date",
        "$ref",
        "ключ",
        "with space",
        "_id",
    ),
    *('quote"', "back\\slash", "\x01", "0", "1", "é"),
    b"\xff",
    b"k\xc3",
]


def object_ids() -> SearchStrategy[Value]:
    few = [bytes(12), b"\xff" * 12, bytes.fromhex("0123456789abcdef01234567"), *(bytes([n]) * 12 for n in range(1, 6))]
    return st.one_of(st.sampled_from(few), st.binary(min_size=12, max_size=12)).map(bw.object_id)


def doubles() -> SearchStrategy[Value]:
    bits = st.integers(0, (1 << 64) - 1).map(bw.double_bits)
    halves = st.integers(-10_000, 10_000).map(lambda n: bw.double(n / 8))
    singles = st.floats(width=32).map(lambda x: bw.double(struct.unpack("<f", struct.pack("<f", x))[0]))
    cents = st.integers(-(10**12), 10**12).map(lambda n: bw.double(n / 100))
    return st.one_of(st.sampled_from(DOUBLES).map(bw.double), st.floats().map(bw.double), bits, halves, singles, cents)


def int32s() -> SearchStrategy[Value]:
    edges = [number for number in INTEGERS if -(1 << 31) <= number < 1 << 31]
    return st.one_of(st.sampled_from(edges), st.integers(-(1 << 31), (1 << 31) - 1)).map(bw.int32)


def int64s() -> SearchStrategy[Value]:
    edges = [number for number in INTEGERS if -(1 << 63) <= number < 1 << 63]
    return st.one_of(st.sampled_from(edges), st.integers(-(1 << 63), (1 << 63) - 1)).map(bw.int64)


def decimals() -> SearchStrategy[Value]:
    parts = st.tuples(st.integers(0, 1), st.integers(0, 10**34 - 1), st.integers(-6176, 6111))
    small = st.tuples(st.integers(0, 1), st.integers(0, 10**9), st.integers(-12, 6))
    finite = st.one_of(st.sampled_from(DECIMALS), small, parts).map(lambda part: bw.decimal128(*part))
    odd = st.one_of(st.sampled_from(DECIMAL_BITS), st.integers(0, (1 << 128) - 1)).map(bw.decimal128_bits)
    return st.one_of(finite, finite, odd)


def texts() -> SearchStrategy[str | bytes]:
    free = st.text(max_size=12)
    return st.one_of(st.sampled_from(TEXTS), free, free, st.binary(max_size=6))


def keys() -> SearchStrategy[str | bytes]:
    return st.one_of(st.sampled_from(KEYS), st.text(max_size=5).map(lambda key: key.replace("\0", "")))


def datetimes() -> SearchStrategy[Value]:
    days = st.integers(-1_000_000, 3_000_000).map(lambda day: day * DAY)
    near = st.integers(-62_135_596_800_000, 253_402_300_799_999)
    whole = st.integers(-(1 << 63), (1 << 63) - 1)
    return st.one_of(st.sampled_from(MILLISECONDS), days, near, whole).map(bw.datetime_ms)


def binaries() -> SearchStrategy[Value]:
    payload = st.one_of(st.binary(min_size=16, max_size=16), st.binary(max_size=20))
    return st.tuples(st.sampled_from(SUBTYPES), payload).map(lambda parts: bw.binary(*parts))


def small_uint() -> SearchStrategy[int]:
    return st.one_of(st.sampled_from([0, 1, (1 << 31) - 1, 1 << 31, (1 << 32) - 1]), st.integers(0, (1 << 32) - 1))


def cstrings() -> SearchStrategy[str | bytes]:
    return texts().map(lambda text: text.replace(b"\0", b"") if isinstance(text, bytes) else text.replace("\0", ""))


def scalars() -> SearchStrategy[Value]:
    """Every type but document and array; deprecated ones too."""
    return st.one_of(
        doubles(),
        texts().map(bw.string),
        int32s(),
        int64s(),
        decimals(),
        datetimes(),
        object_ids(),
        binaries(),
        st.booleans().map(lambda flag: bw.boolean(true=flag)),
        st.just(bw.null()),
        rare(),
    )


def rare() -> SearchStrategy[Value]:
    oid = st.binary(min_size=12, max_size=12)
    scope = st.lists(st.tuples(keys(), int32s()), max_size=2).map(bw.document)
    return st.one_of(
        st.just(bw.undefined()),
        st.just(bw.min_key()),
        st.just(bw.max_key()),
        st.tuples(cstrings(), st.sampled_from(["", "i", "imsx"])).map(lambda parts: bw.regex(*parts)),
        st.tuples(texts(), oid).map(lambda parts: bw.db_pointer(*parts)),
        texts().map(bw.code),
        texts().map(bw.symbol),
        st.tuples(texts(), scope).map(lambda parts: bw.code_with_scope(*parts)),
        st.tuples(small_uint(), small_uint()).map(lambda parts: bw.timestamp(*parts)),
    )


def documents(children: SearchStrategy[Value], max_size: int = 4) -> SearchStrategy[Value]:
    """Documents with hostile and duplicate keys."""
    return st.lists(st.tuples(keys(), children), max_size=max_size).map(bw.document)


def arrays(children: SearchStrategy[Value], max_size: int = 4) -> SearchStrategy[Value]:
    """Arrays, now and then with keys that lie."""
    honest = st.lists(children, max_size=max_size).map(bw.array)
    lying = st.lists(children, min_size=1, max_size=3).map(lambda items: bw.array(items, ["7"] * len(items)))
    return st.one_of(honest, honest, honest, lying)


def anything() -> SearchStrategy[Value]:
    """Any value, a few levels deep."""
    return st.recursive(scalars(), lambda inner: st.one_of(documents(inner), arrays(inner)), max_leaves=6)


def nested(levels: int, innermost: Value) -> Value:
    """A value inside that many documents and arrays, alternating."""
    value = innermost
    for level in range(levels):
        value = bw.array([value]) if level % 2 else bw.document([("d", value)])
    return value
