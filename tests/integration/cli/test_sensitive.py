"""A value of a sensitive field leaves through no command unless it is asked for, wherever it stands in a document.

Oracle: a word planted in sensitive fields of every kind and in nothing else, searched in everything commands print and
write. Blind spot: a value that leaves in another form, such as a digest, its length or a part of it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bson
import psycopg
import pytest
from bson import DBRef
from bson.code import Code

from isthmus.state.runs import id_key
from tests.fix_dumps import write_collection
from tests.fix_postgres import create_database, drop_database
from tests.integration.cli.conftest import RunCommand, run_command

STEM = "zqvogel"

MAPPING = """\
isthmus: 1
enums: {level: [low, high]}
collections:
  People:
    fields:
      name: text!
      note: text
      secret: {type: text, sensitive: true}
      mended: {type: text, sensitive: true, policies: {nul: remove}}
      contact.ssn: {type: text, sensitive: true}
      contact.city: text
      cards:
        child: cards
        fields:
          label: text
          number: {type: "varchar(4)", sensitive: true}
          grants: {child: grants, fields: {code: {type: text, sensitive: true}, day: text}}
      codes: {type: "text[]", sensitive: true}
      profile: {type: jsonb, sensitive: true, rewrite: {friend: People}}
      level: {type: level, sensitive: true}
      odd\\.key: {type: jsonb, column: odd, sensitive: true}
      token: {type: text, sensitive: true, unique: true}
      boss: {references: People, sensitive: true, on_orphan: dead_letter}
      mate: {references: People, sensitive: true, on_orphan: "null"}
      likes: {junction: likes}
      follows: {junction: follows}
  Posts: {fields: {title: text}}
junctions:
  likes: {columns: {person_id: People, post_id: Posts}, on_orphan: dead_letter}
  follows: {columns: {person_id: People, post_id: Posts}, on_orphan: drop}
"""

# Posts are carried without words; the trigger is planted by whoever owns the server, before anything is copied.
TRIGGER = """
CREATE SCHEMA planted;
CREATE FUNCTION planted.refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN IF NEW.note = 'refuse me' THEN RAISE EXCEPTION 'not %', NEW.secret; END IF; RETURN NEW; END $$;
CREATE FUNCTION planted.guard() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
  IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_identity = 'public.people') THEN
    CREATE TRIGGER refuse BEFORE INSERT ON public.people FOR EACH ROW EXECUTE FUNCTION planted.refuse();
  END IF; END $$;
CREATE EVENT TRIGGER guard ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION planted.guard();
"""


def word(kind: str) -> str:
    return f"{STEM}-{kind}-q"


def long_word(kind: str) -> str:
    """Return a word that no index entry holds, also compressed."""
    chosen = random.Random(kind)
    return word(kind) + "".join(chosen.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=6_000))


def documents() -> dict[str, dict[str, Any]]:
    """Return documents that become dead letters, by what is special about them; each holds its own word."""
    nameless: dict[str, dict[str, Any]] = {
        "column": {"secret": word("column")},
        "column-of-another-type": {"secret": {"a": [word("column-of-another-type")]}},
        "flattened": {"contact": {"ssn": word("flattened"), "city": "Bonn"}},
        "flattened-scalar": {"contact": word("flattened-scalar")},
        "flattened-code": {"contact": Code(word("flattened-code"), {"ssn": 1})},
        "flattened-scalars": {"contact": [word("flattened-scalars")]},
        "flattened-list": {"contact": [{"ssn": word("flattened-list")}, [{"ssn": word("flattened-list")}]]},
        "flattened-numbered": {"contact": {"0": {"ssn": word("flattened-numbered")}, "1": word("flattened-numbered")}},
        "flattened-dotted": {"contact.ssn": word("flattened-dotted"), "contact": {"ssn.x": word("flattened-dotted")}},
        "child": {"cards": [{"number": word("child")}]},
        "child-scalar": {"cards": word("child-scalar")},
        "child-scalars": {"cards": [word("child-scalars"), {"number": 1}]},
        "child-document": {"cards": {"number": word("child-document")}},
        "child-map": {"cards": {word("child-map"): {"number": word("child-map")}}},
        "child-lists": {"cards": [[{"number": word("child-lists")}]]},
        "child-dotted": {"cards.number": word("child-dotted"), "cards.0.number": word("child-dotted")},
        "grandchild": {"cards": [{"label": "l", "grants": [{"code": word("grandchild"), "day": "d"}]}]},
        "grandchild-scalar": {"cards": [{"label": "l", "grants": word("grandchild-scalar")}]},
        "grandchild-document": {"cards": [{"grants": {"code": word("grandchild-document")}}]},
        "array": {"codes": [word("array")]},
        "jsonb": {"profile": {"deep": [{word("jsonb"): word("jsonb")}]}},
        "reference": {"boss": word("reference"), "mate": {"of": word("reference")}},
    }
    refused: dict[str, dict[str, Any]] = {
        "array-of-another-type": {"codes": [word("array-of-another-type"), 5]},
        "array-scalar": {"codes": word("array-scalar")},
        "jsonb-value": {"profile": {"a": word("jsonb-value"), "b": {"c": float("nan")}}},
        "jsonb-key": {"profile": {word("jsonb-key"): float("nan")}},
        "jsonb-under-dotted-key": {"odd.key": {word("jsonb-under-dotted-key"): {"": float("inf")}}},
        "jsonb-text": {"profile": [word("jsonb-text") + "\0"]},
        "enum": {"level": word("enum")},
        "nul": {"secret": word("nul") + "\0"},
        "nul-beside": {"contact": word("nul-beside") + "\0"},
        "nul-in-list-beside": {"contact": [{"ssn": word("nul-in-list-beside") + "\0"}]},
        "duplicate": {"token": "shared" + word("duplicate-first")},
        "long-key": {"token": long_word("long-key")},
        "refused-by-the-target": {"note": "refuse me", "secret": word("refused-by-the-target")},
        "orphan": {"boss": word("orphan")},
        "orphan-dbref": {"boss": DBRef("People", word("orphan-dbref"))},
        "reference-elsewhere": {"boss": DBRef(word("reference-elsewhere"), 1)},
        "reference-inside-elsewhere": {"profile": {"friend": DBRef(word("reference-inside-elsewhere"), 1)}},
        "reference-list": {"boss": [word("reference-list")]},
        "junction": {"likes": [4711], "secret": word("junction")},
        "junction-scalar": {"likes": {"a": 1}, "secret": word("junction-scalar")},
    }
    found = {kind: {"_id": kind, **parts} for kind, parts in nameless.items()}
    return found | {kind: {"_id": kind, "name": "n", **parts} for kind, parts in refused.items()}


def carried() -> list[dict[str, Any]]:
    """Return documents that arrive, with words in their rows, in the ledgers and in the id map."""
    return [
        {"_id": "a first", "name": "n", "token": "shared" + word("duplicate-first")},
        {"_id": "kept", "name": "n", "secret": word("kept"), "mended": word("mended") + "\0", "follows": [4712]},
        {"_id": "nulled", "name": "n", "mate": word("nulled"), "contact": {"city": "Bonn", "more": {"ssn": "x"}}},
        {"_id": "left", "name": "n", "profile": {"friend": word("left")}},
        {"_id": "extras", "name": "n", "contact": word("extras")},
    ]


def broken() -> dict[str, bytes]:
    """Return documents whose bytes are no BSON: the word in a sound field, and where a key should be."""
    unsound = bson.encode({"_id": "broken", "name": "n", "secret": word("broken")})
    value = b"\x02name\0\x02\0\0\0n\0"
    assert value in unsound
    hush = bson.encode({"_id": "misread", "name": "n", "secret": f"ab\0?{word('misread')}"})
    length = len(f"ab\0?{word('misread')}") + 1
    at = hush.index(b"\x02secret\0") + len(b"\x02secret\0")
    assert hush[at : at + 4] == length.to_bytes(4, "little")
    return {
        "broken": unsound.replace(value, b"\x63name\0\x02\0\0\0n\0"),
        "misread": hush[:at] + (3).to_bytes(4, "little") + hush[at + 4 :],
    }


@dataclass
class Planted:
    """A target after a copy of everything above, and what that copy and a check before it showed."""

    conninfo: str
    folder: Path
    shown: dict[str, str] = field(default_factory=dict[str, str])


@pytest.fixture(scope="module")
def planted(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    folder = tmp_path_factory.mktemp("planted")
    conninfo = create_database(postgres)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(TRIGGER.encode())
    mapping, dump = folder / "mapping.yaml", folder / "dump" / "secrets"
    mapping.write_text(MAPPING)
    write_collection(dump, "People", [*carried(), *documents().values(), *broken().values()])
    write_collection(dump, "Posts", [{"_id": 1, "title": "t"}])
    found = Planted(conninfo, folder)
    debug = {"ISTHMUS_DEBUG": "1"}
    checked = run_command(folder, "check", mapping, "--source", dump, "--target", conninfo, env=debug)
    assert checked.code == 0, checked.all
    files = ("--json", "copy.json", "--log", "copy.log")
    copied = run_command(folder, "copy", mapping, "-s", dump, "-t", conninfo, *files, env=debug)
    assert copied.code == 1, copied.all
    again = run_command(folder, "copy", mapping, "-s", dump, "-t", conninfo, "--json", "-", env=debug)
    assert again.code == 0, again.all
    found.shown |= {"check": checked.all, "copy": copied.all, "copied again": again.all}
    found.shown["copy --json"] = (folder / "copy.json").read_text()
    found.shown["copy --log"] = (folder / "copy.log").read_text(encoding="utf-8")
    yield found
    drop_database(postgres, conninfo)


def query(planted: Planted, text: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(planted.conninfo) as connection:
        return connection.execute(text.encode()).fetchall()


def test_every_planted_document_became_the_letter_or_the_row_it_was_meant_to_be(planted: Planted) -> None:
    letters = dict(query(planted, "SELECT source_id_text, code FROM isthmus.dead_letter"))
    assert set(letters) == {*documents(), *broken()}
    expected = {
        **dict.fromkeys(("column", "flattened-dotted", "reference"), "required"),
        "enum": "enum",
        "nul": "nul",
        "duplicate": "duplicate-key",
        "long-key": "key-too-long",
        "refused-by-the-target": "target-refused",
        "orphan": "orphan",
        "junction": "orphan",
        "reference-elsewhere": "wrong-collection",
        "jsonb-key": "nan",
        "nul-beside": "nul",
    }
    assert {kind: letters[kind] for kind in expected} == expected
    actions = query(planted, "SELECT DISTINCT action FROM isthmus.orphan")
    assert {action for (action,) in actions} == {"null", "dead_letter", "drop", "kept"}
    assert len(query(planted, "SELECT FROM public.people")) == len(carried())


def test_the_log_has_every_letter_with_the_causes_that_may_be_shown(planted: Planted) -> None:
    lines = [json.loads(line) for line in planted.shown["copy --log"].splitlines()]
    told = {line["source_id"]: line["code"] for line in lines if line.get("event") == "dead-letter"}
    assert told == dict(query(planted, "SELECT source_id_text, code FROM isthmus.dead_letter"))


def test_check_copy_and_status_show_no_sensitive_value(isthmus: RunCommand, planted: Planted) -> None:
    shown = dict(planted.shown)
    shown["status"] = isthmus("status", "-t", planted.conninfo).all
    shown["status --json"] = isthmus("status", "-t", planted.conninfo, "--json", "-").all
    for command, text in shown.items():
        assert text.strip(), command
        assert STEM not in text, (command, text)


def test_letters_show_no_sensitive_value_unless_asked_for(
    isthmus: RunCommand, planted: Planted, tmp_path: Path
) -> None:
    target = ("-t", planted.conninfo)
    listed = json.loads(isthmus("letters", "list", *target, "--json", "-").out)["letters"]
    by_code = {letter["code"]: letter["id"] for letter in listed}
    odd = ("misread", "jsonb-key", "nul-beside", "reference-elsewhere", "child-map", "refused-by-the-target")
    numbers = sorted({*by_code.values()} | {letter["id"] for letter in listed if letter["source_id"] in odd})
    exported, shown = tmp_path / "letters.jsonl", tmp_path / "shown.json"
    commands: list[tuple[object, ...]] = [
        ("letters", "list", "--limit", 1000),
        ("letters", "list", "--json", "-"),
        ("letters", "export"),
        ("letters", "export", "--output", exported),
        *(("letters", "show", number, "--json", shown) for number in numbers),
    ]
    for command in commands:
        ran = isthmus(*command, *target)
        assert ran.code == 0, ran.all
        text = ran.all + "".join(path.read_text() for path in (exported, shown) if path.exists())
        assert STEM not in text, (command, text[max(text.find(STEM) - 300, 0) :][:400])
    asked = isthmus("letters", "export", *target, "--show-sensitive").out
    lines = {letter["source_id"]: json.dumps(letter) for letter in map(json.loads, asked.splitlines())}
    for kind in documents():
        sought = word("duplicate-first") if kind == "duplicate" else word(kind)
        assert sought in lines[kind], kind
    assert word("broken").encode().hex() in lines["broken"]
    number = next(letter["id"] for letter in listed if letter["source_id"] == "refused-by-the-target")
    for command in (("show", number), ("list", "--limit", 1000), ("list", "--json", "-")):
        ran = isthmus("letters", *command, *target, "--show-sensitive")
        assert f"not {word('refused-by-the-target')}" in ran.out, command


def test_letters_still_tell_what_is_wrong_where_and_what_is_not_sensitive(
    isthmus: RunCommand, planted: Planted
) -> None:
    exported = isthmus("letters", "export", "-t", planted.conninfo).out
    letters = {letter["source_id"]: letter for letter in map(json.loads, exported.splitlines())}

    def document(kind: str) -> Any:
        shown = letters[kind]["document"]
        return {key: value for key, value in shown.items() if key not in {"_id", "name"}}

    hidden = "(hidden)"
    assert document("flattened") == {"contact": {"ssn": hidden, "city": "Bonn"}}
    assert document("flattened-scalar") == {"contact": hidden}
    assert document("flattened-list") == {"contact": [{"ssn": hidden}, [{"ssn": hidden}]]}
    assert document("flattened-numbered") == {"contact": {"0": {"ssn": hidden}, "1": hidden}}
    assert document("child-document") == {"cards": hidden}
    assert document("child-scalars")["cards"] == [hidden, {"number": hidden}]
    assert document("grandchild") == {"cards": [{"label": "l", "grants": [{"code": hidden, "day": "d"}]}]}
    assert document("array") == {"codes": hidden}
    assert document("refused-by-the-target")["note"] == "refuse me"

    def told(kind: str) -> tuple[str, str]:
        return letters[kind]["path"], letters[kind]["message"]

    assert told("jsonb-key") == (
        "profile.(hidden)",
        "Column people.profile cannot take (hidden) from profile.(hidden): JSON has no number for NaN and infinities.",
    )
    assert told("jsonb-under-dotted-key")[0] == "odd\\.key.(hidden)"
    assert told("reference-elsewhere") == (
        "boss",
        "Column people.boss cannot take (hidden) from boss: it refers to another collection than the mapping says.",
    )
    assert told("nul-beside")[0] == "contact"
    assert told("nul-beside")[1].startswith("Column people.extras cannot take (hidden) from contact: ")
    assert told("misread")[0] == "(hidden)"
    assert told("broken")[0] == "name"
    assert "(hidden)" in told("refused-by-the-target")[1]
    assert told("enum") == (
        "level",
        "Column people.level cannot take (hidden) from level: it is none of the 2 values of the enum.",
    )
    for letter in letters.values():
        assert letter["causes"][0]["message"] == letter["message"]
        values = {cause["value"] for cause in letter["causes"]}
        assert values <= {"", hidden, '{"a":{"$numberInt":"1"}}', '{"$numberInt":"4711"}'}, letter


def test_orphans_show_no_sensitive_id_unless_asked_for(isthmus: RunCommand, planted: Planted) -> None:
    command = ("orphans", "list", "-t", planted.conninfo)
    for ran in (isthmus(*command), isthmus(*command, "--json", "-")):
        assert ran.code == 0, ran.all
        assert STEM not in ran.all, ran.all
        assert "4712" in ran.all, "an id of a junction is not sensitive"
    for ran in (isthmus(*command, "--show-sensitive"), isthmus(*command, "--show-sensitive", "--json", "-")):
        for kind in ("nulled", "left", "orphan", "orphan-dbref"):
            assert word(kind) in ran.all, kind


def test_ids_show_no_sensitive_id_unless_asked_for(isthmus: RunCommand, planted: Planted) -> None:
    target = ("-t", planted.conninfo)
    exported = isthmus("ids", "export", *target)
    assert exported.code == 0
    assert STEM not in exported.all
    ids = query(planted, "SELECT old_id_text, target_id FROM isthmus.orphan WHERE target_collection = 'People'")
    known = {str(old): str(new) for old, new in ids}
    for kind in ("nulled", "left"):
        for more in ((), ("--json", "-")):
            ran = isthmus("ids", "lookup", known[word(kind)], *target, *more)
            assert (ran.code, STEM in ran.all, "(hidden)" in ran.all) == (0, False, True), ran.all
        asked = isthmus("ids", "lookup", known[word(kind)], *target, "--show-sensitive", "--json", "-")
        assert json.loads(asked.out)[0]["source_id"] == word(kind)
        assert (
            json.loads(isthmus("ids", "lookup", word(kind), *target, "--json", "-").out)[0]["id"] == known[word(kind)]
        )
    with psycopg.connect(planted.conninfo) as connection:
        assert id_key(connection, create=False).hex() not in exported.all


def test_reports_of_a_collection_without_sensitive_fields_stay_as_they_are(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], database: str, tmp_path: Path
) -> None:
    dump = tmp_path / "dump" / "open"
    write_collection(dump, "Open", [{"_id": 1, "n": "word", "contact": "text"}, {"_id": 2, "x": "text\0"}])
    mapping = write_mapping("isthmus: 1\ncollections: {Open: {fields: {n: integer, contact.ssn: text}}}\n")
    assert isthmus("copy", mapping, "-s", dump, "-t", database).code == 1
    exported = isthmus("letters", "export", "-t", database).out
    letters = [json.loads(line) for line in exported.splitlines()]
    assert "(hidden)" not in exported
    assert [letter["causes"][0]["value"] for letter in letters] == ["word", "text\\u0000"]
    assert letters[0]["document"]["contact"] == "text"
