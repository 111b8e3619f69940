"""Damage to one value: in every type of column the smallest change there is."""

from __future__ import annotations

from tests.damage.case import Case, Names, both, counted
from tests.damage.source import THINGS

TABLE = '"every ""thing"" %s"'
TEXT = 'te "xt" %s'


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def thing(label: str) -> str:
    """Return the question for the id of a thing."""
    return f"SELECT id::text FROM {TABLE} WHERE label = '{label}'"


def _change(name: str, column: str, value: str, *more: str, label: str = "second", also: Names = ()) -> Case:
    """Set a column of one thing to the value of an expression in which `v` is what it holds."""
    new = value.replace("<v>", _quoted(column))
    return Case(
        f"{column}: {name}",
        (*both(THINGS, thing(label), column), *also),
        (f"UPDATE {TABLE} SET {_quoted(column)} = {new} WHERE label = '{label}'", *more),
        alone=False,
    )


def _filled(column: str, value: str) -> Case:
    """Put a value where there was none."""
    return _change("value for NULL", column, value, label="null", also=counted(THINGS, column))


def _emptied(column: str) -> Case:
    """Take a value away."""
    return _change("NULL for a value", column, "NULL", label="third", also=counted(THINGS, column))


_ULP_4 = "2.2500002::real"
_ULP_8 = "2.1000000000000005::float8"

CHANGED = [
    _change("trailing space", TEXT, "<v> || ' '"),
    _change("case of one letter", TEXT, "lower(<v>)", label="first"),
    _change("Unicode normal form", TEXT, "normalize(<v>, NFD)", label="third", also=counted(THINGS, TEXT)),
    _change("character that nobody sees", TEXT, "<v> || chr(8203)", label="high", also=counted(THINGS, TEXT)),
    _change("NULL for the empty text", TEXT, "NULL", label="empty", also=counted(THINGS, TEXT)),
    _change("trailing space", "vc", "<v> || ' '"),
    _change("look-alike letter", "vc", "overlay(<v> placing U&'\\03BD' from 1)", label="first"),
    _change("one more", "si", "<v> + 1"),
    _change("one less", "i", "<v> - 1"),
    _change("one more, where doubles have gaps", "bi", "<v> + 1"),
    _change("one unit in the last place", "re", _ULP_4),
    _change("one unit in the last place", "do", _ULP_8),
    _change("infinity for NaN", "do", "'Infinity'", label="special"),
    _change("trailing zero gone", "nu", "2.123"),
    _change("trailing zero more", "nu", "1.12300", label="first"),
    _change("last digit", "nu", "3.1231", label="third"),
    _change("infinity for NaN", "nu", "'Infinity'", label="special"),
    _change("last digit", "n2", "<v> + 0.01"),
    _change("other truth", "bo", "NOT <v>"),
    _change("next day", "da", "<v> + 1"),
    _change("1 µs later", "ts", "<v> + interval '1 microsecond'"),
    _change("1 µs earlier", "tz", "<v> - interval '1 microsecond'"),
    _change("infinity", "tz", "'infinity'", label="special", also=counted(THINGS, "tz")),
    _change("1 ms later", "tz3", "<v> + interval '1 millisecond'"),
    _change("last bit", "u", "overlay(<v>::text placing '2' from 36)::uuid"),
    _change("one bit", "by", "set_bit(<v>, 9, 1)"),
    _change("zero byte at the end", "by", "<v> || '\\x00'", label="first"),
    _change("NULL for no bytes", "by", "NULL", label="empty", also=counted(THINGS, "by")),
    _change("key added", "j", """<v> || '{"new": null}'"""),
    _change("key removed", "j", "<v> - 'ü %s'", label="first"),
    _change("value changed", "j", """jsonb_set(<v>, '{b,3,c}', '"X"')""", label="third"),
    _change("number 1.0 for 1.00", "j", """jsonb_set(<v>, '{n}', '1.0')""", label="low"),
    _change("array in it reordered", "j", """jsonb_set(<v>, '{b}', '[2.5, 1, null, {"c": "x"}]')""", label="high"),
    _change("number as text", "j", """'["1.5", 0]'""", label="special"),
    _change("empty array for an empty document", "j", "'[]'", label="empty"),
    _change("JSON's null for NULL", "j", "'null'", label="null", also=counted(THINGS, "j")),
    _change("false for missing", "j", "'false'", label="missing", also=counted(THINGS, "j")),
    _change("reordered", "ta", """ARRAY['ÿ y', 'x', 't2', 'x']"""),
    _change("element NULL", "ta", "ARRAY['x', NULL, 't1', 'x']", label="first"),
    _change("element twice is there once", "ta", "ARRAY['x', 'ÿ y', 't3']", label="third"),
    _change("word NULL for NULL", "ta", "ARRAY['NULL']", label="special", also=counted(THINGS, "ta")),
    _change("NULL for an empty array", "ta", "NULL", label="empty", also=counted(THINGS, "ta")),
    _change("empty array for NULL", "ta", "'{}'", label="null", also=counted(THINGS, "ta")),
    _change("array of one array", "ta", "ARRAY[['x', 'ÿ y', 't4', 'x']]", label="high"),
    _change("one bit of an element", "ua", "ARRAY[<v>[1], overlay(<v>[2]::text placing '3' from 36)::uuid]"),
    _change("reordered", "ia", "ARRAY[3, 2, 1, 2]"),
    _change("trailing zero of an element", "na", "ARRAY[1.00, 2.00]"),
    _change("unit in the last place of an element", "das", "ARRAY[0.1, 0.2, 2.3000000000000003]"),
    _change("other label", "en", "'OK'"),
    _change("reordered", "ea", "ARRAY['OK', 'OK', 'ÜBEL']::mood[]"),
    _change("last digit of a sensitive text", "pin", "'pin-4799'"),
    _change("sensitive JSON", "secret", """jsonb_set(<v>, '{code}', '"code-0816"')"""),
    _change("key removed", "extras", "<v> #- '{unnamed %,deep}'"),
    _change("kind of a number", "extras", """replace(<v>::text, '$numberLong', '$numberInt')::jsonb""", label="first"),
    _change("NULL for extras", "extras", "NULL", label="third"),
    _change("extras for NULL", "extras", """'{}'""", label="null"),
]
EMPTIED = [
    *map(_emptied, ["vc", "si", "i", "bi", "re", "do", "n2", "bo", "da", "ts", "tz", "tz3", "u", "by", "ua", "ia"]),
    *map(_emptied, ["na", "das", "en", "ea", "pin", "secret"]),
]
FILLED = [
    _filled(TEXT, "''"),
    _filled("vc", "''"),
    *(_filled(column, "0") for column in ["si", "i", "bi", "re", "do", "nu", "n2"]),
    _filled("bo", "false"),
    _filled("da", "'2021-02-01'"),
    _filled("ts", "'2020-01-01 00:00:00.123'"),
    _filled("tz", "'2020-01-01 00:00:00.456+00'"),
    _filled("u", "'00000000-0000-0000-0000-000000000000'"),
    _filled("by", "''"),
    _filled("en", "'OK'"),
    _filled("ea", "'{}'"),
    _filled("ua", "'{}'"),
    _filled("pin", "''"),
]

CASES = [*CHANGED, *EMPTIED, *FILLED]
