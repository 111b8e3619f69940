"""Dry-run and live maps on a real server: what is one thing, what stays, what is refused.

Oracle: by hand, and the pure decision over all documents at once. Cannot see: what a copy does with a map
(`copy/test_identities*`).
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import bson
import psycopg
import pytest
from bson import DBRef, Decimal128, Int64

from isthmus._rust import IdCodec
from isthmus.errors import ConfigError, SourceError
from isthmus.mapping import parse_mapping
from isthmus.state.identities import load_things, read_conflicts, read_maps
from isthmus.transfer.identities import finding
from isthmus.transfer.identities import found as found_module
from isthmus.transfer.identities.deciding import decide
from isthmus.transfer.identities.documents import Document
from tests.fix_mongo import MongoDatabase
from tests.integration.identities.conftest import AUTH, KEY, PROFILES, USERS, People, auth, oid, profile, user

MEMBERS = "SELECT collection, source_id, canonical_id, place, why FROM isthmus.identity_member WHERE mode = "


def own(number: int) -> str:
    return IdCodec(KEY).derive("", bson.encode({"_id": oid(number)}), "cuid2")


def members(people: People, mode: str) -> set[tuple[str, int, str | None, str]]:
    """Return collection, number, thing and why of every document of a map."""
    found = people.rows(f"{MEMBERS} '{mode}'")
    return {(str(c), int(str(bson.decode(bytes(s))["_id"]), 16), t, str(w)) for c, s, t, _, w in found}  # type: ignore[arg-type,misc]


def test_a_plan_joins_by_key_and_link_and_leaves_the_others_alone(people: People) -> None:
    source = people.dump(
        {
            USERS: [user(1, " Anna@X.org\u2003"), user(2, []), user(3), user(4, ""), user(5, {})],
            AUTH: [
                auth(11, "anna@x.org"),
                auth(12, "carl@x.org"),
                auth(13),
                auth(14, "  "),
                auth(15, []),
                auth(16, {}),
            ],
            PROFILES: [
                profile(21, "ANNA@x.org", str(oid(11))),
                profile(22, "carl@x.org"),
                profile(23, None, oid(13)),
                profile(24, "nobody@x.org"),
                profile(25, None, str(oid(99))),
            ],
        }
    )
    found = people.plan(source)
    assert not found.conflicts
    assert found.things == 10
    assert members(people, "dry-run") == {
        (USERS, 1, own(1), "key"),
        (AUTH, 11, own(1), "link"),
        (PROFILES, 21, own(1), "link"),
        (AUTH, 12, own(12), "key"),
        (PROFILES, 22, own(12), "key"),
        (AUTH, 13, own(13), "link"),
        (PROFILES, 23, own(13), "link"),
        (PROFILES, 24, None, "alone"),
        (PROFILES, 25, None, "alone"),
        *((USERS, number, own(number), "alone") for number in (2, 3, 4, 5)),
        *((AUTH, number, own(number), "alone") for number in (14, 15, 16)),
    }
    assert found.collections[AUTH]["joined"] == 1
    assert found.collections[PROFILES] == {
        **dict.fromkeys(("joined", "apart", "dropped", "open"), 0),
        "documents": 5,
        "linked": 3,
        "alone": 2,
    }


def test_planning_twice_gives_the_same_map_and_the_same_conflicts(people: People) -> None:
    source = people.dump(
        {USERS: [user(1, "a"), user(2, "A"), user(3, "b")], AUTH: [auth(11, "b")], PROFILES: [profile(21, "a")]}
    )
    first = people.plan(source)
    rows, kept = members(people, "dry-run"), people.rows("SELECT id, message FROM isthmus.identity_conflict")
    second = people.plan(source)
    assert members(people, "dry-run") == rows
    assert people.rows("SELECT id, message FROM isthmus.identity_conflict") == kept
    assert [one.id for one in second.conflicts] == [one.id for one in first.conflicts]
    assert len(kept) == 1


def test_a_dry_run_map_is_never_used_live(people: People) -> None:
    source = people.dump({USERS: [user(1, "a")], AUTH: [auth(11, "a")], PROFILES: [profile(21, "a")]})
    people.plan(source)
    mapping = parse_mapping(people.mapping_text)
    with psycopg.connect(people.target, autocommit=True) as connection:
        assert load_things(connection, mapping) is None
        # whatever stands in it
        connection.execute("UPDATE isthmus.identity_member SET canonical_id = 'no-such-thing'")
    things = people.go_live(source)
    assert {thing for of in things.of.values() for thing in of.values()} == {own(1)}
    with psycopg.connect(people.target, autocommit=True) as connection:
        people.plan(people.dump({USERS: [user(1, "a"), user(3, "c")], AUTH: [auth(11, "a")], PROFILES: []}))
        again = load_things(connection, mapping)
        assert again == things
        assert {one.mode for one in read_maps(connection)} == {"live", "dry-run"}


def test_a_copy_is_refused_with_every_open_conflict_and_makes_no_live_map(people: People) -> None:
    source = people.dump(
        {
            USERS: [user(1, "a"), user(2, "A"), user(3, "old"), user(4, "p")],
            AUTH: [auth(11, "new")],
            PROFILES: [profile(21, "new", oid(3)), profile(22, "p", oid(99))],
        }
    )
    with pytest.raises(ConfigError) as refused:
        people.go_live(source)
    assert refused.value.code == "identity-conflicts"
    told = {one.code: one.message for one in refused.value.problems}
    assert told.keys() == {"several", "differing", "dangling"}
    assert "have the same E-Mail ü but for case or blanks" in told["several"]
    with psycopg.connect(people.target, autocommit=True) as connection:
        assert read_maps(connection) == []
        assert {one.kind for one in read_conflicts(connection)} == {"several", "differing", "dangling"}
    assert people.rows("SELECT count(*) FROM isthmus.identity_member") == [(0,)]


def test_answers_settle_each_conflict_and_the_offers_are_answers(people: People) -> None:
    """Every first offer of every conflict, pasted, leaves nothing open; so does every second one."""
    source = people.dump(
        {
            USERS: [user(1, "a"), user(2, "A"), user(3, "old"), user(4, "p"), user(5, "old2")],
            AUTH: [auth(11, "new"), auth(12, "lone")],
            PROFILES: [
                profile(21, "new", oid(3)),
                profile(22, "p", oid(99)),
                profile(23, "other", oid(5)),
                profile(24, "z"),
                profile(25, "Z"),
            ],
        }
    )
    conflicts = people.plan(source).conflicts
    assert sorted(one.kind for one in conflicts) == ["dangling", "differing", "differing", "several", "several"]
    for number in (0, 1):
        lines = [line.removeprefix("- ") for one in conflicts for line in one.offers[number].lines]
        assert not people.plan(source, *lines).conflicts
    dropping = [line.removeprefix("- ") for one in conflicts for line in one.offers[2].lines]
    dropped = people.plan(source, *dropping)
    assert not dropped.conflicts
    assert sum(one["dropped"] for one in dropped.collections.values()) == len(dropping)


def test_what_is_dropped_belongs_to_nothing_and_carries_its_reason(people: People) -> None:
    source = people.dump({USERS: [user(1, "a"), user(2, "A")], AUTH: [], PROFILES: [profile(21, "a", oid(2))]})
    users = '"' + USERS.replace('"', '\\"') + '"'
    things = people.go_live(source, f"drop: {{{users}: {oid(1)}}}")
    assert things.dropped == {USERS: {bson.encode({"_id": oid(1)}): "asked"}}
    assert things.of[PROFILES] == {bson.encode({"_id": oid(21)}): own(2)}


def test_answers_about_documents_that_are_nowhere_are_refused_by_their_line(people: People) -> None:
    source = people.dump({USERS: [user(1, "a")], AUTH: [auth(11, "a")], PROFILES: []})
    found = people.plan(source, f"same: [{{profiles: {oid(77)}}}, {{'{AUTH}': {oid(11)}}}]")
    assert [(one.kind, one.where.line) for one in found.conflicts] == [("no-such-document", 4)]
    assert str(oid(77)) in found.conflicts[0].message


def test_an_answer_that_says_nothing_any_more_is_a_note_and_no_refusal(people: People) -> None:
    users = '"' + USERS.replace('"', '\\"') + '"'
    answer = f"same: [{{{users}: {oid(1)}}}, {{'{AUTH}': {oid(11)}}}]"
    source = people.dump({USERS: [user(1, "a")], AUTH: [auth(11, "a")], PROFILES: []})
    found = people.plan(source, answer)
    assert not found.conflicts
    assert any("says nothing any more" in note and "line 4" in note for note in found.notes)
    # an answered document that is gone from the source is no typing error
    people.go_live(source, answer)
    later = people.dump({USERS: [user(1, "a")], AUTH: [auth(12, "b")], PROFILES: []})
    assert not people.plan(later, answer).conflicts


def test_documents_that_the_mapping_skips_or_nobody_can_read_are_part_of_nothing(people: People) -> None:
    broken = bson.encode({"_id": oid(3), "contact": {"email": "a"}})
    broken = broken[:-6] + b"\xff\xff\xff\xff" + broken[-2:]
    no_id = bson.encode({'e-mail "ü"': "a"})
    source = people.dump(
        {
            USERS: [user(1, "a", kind="robot"), user(2, "a"), no_id],
            AUTH: [],
            PROFILES: [broken, profile(21, "a")],
        }
    )
    found = people.plan(source)
    assert not found.conflicts
    assert {one[:2] for one in members(people, "dry-run")} == {(USERS, 2), (PROFILES, 21)}
    assert len(found.notes) == 2


HOSTILE = [
    "tab\tnew\nline\\x\"'%s,{}",
    "\\N",
    "nul\0inside",
    "İstanbul@ẞ.org",
    "a" * 200_000,
    "\N{MATHEMATICAL FRAKTUR CAPITAL U}\N{GREEK CAPITAL LETTER SIGMA}",
    5,
    Int64(2**60),
    Decimal128("1E+3"),
    oid(7),
    ["a", "b"],
    {"a": 1},
    True,
]


def test_keys_of_any_type_are_compared_as_they_are(people: People) -> None:
    """Each value stands in one document of two collections, numbers in another type there: as many things as values."""
    other = {5: 5.0, Int64(2**60): float(2**60)}
    users = [user(number, value) for number, value in enumerate(HOSTILE, start=1)]
    auths = [
        auth(100 + number, other.get(value, value) if isinstance(value, int) else value)
        for number, value in enumerate(HOSTILE, start=1)
    ]
    lookalikes = ["5", "True", str(oid(7)), "['a', 'b']"]
    users += [user(200 + number, value) for number, value in enumerate(lookalikes)]
    things = people.go_live(people.dump({USERS: users, AUTH: auths, PROFILES: []}))
    assert set(things.of[AUTH].values()) == {own(number) for number in range(1, len(HOSTILE) + 1)}
    assert len(set(things.of[USERS].values())) == len(users)


def test_bytes_that_are_no_text_are_keys_as_they_are(people: People) -> None:
    def bad(number: int, byte: bytes) -> bytes:
        return bson.encode(user(number, "x?")).replace(b"x?", b"x" + byte)

    things = people.go_live(
        people.dump({USERS: [bad(1, b"\xff"), bad(2, b"\xfe")], AUTH: [], PROFILES: [profile(21, None, "x\0y")]})
    )
    assert set(things.of[USERS].values()) == {own(1), own(2)}


def test_links_may_be_objectids_hex_texts_dbrefs_or_ids_of_rows(people: People) -> None:
    links = [oid(11), str(oid(11)).upper(), DBRef(AUTH, oid(11)), own(11)]
    for number, link in enumerate(links):
        source = people.dump({USERS: [], AUTH: [auth(11, "a")], PROFILES: [profile(30 + number, None, link)]})
        assert people.plan(source).collections[PROFILES]["linked"] == 1, link
    for link in (DBRef(USERS, oid(11)), own(12), [oid(11)], "", None, 5):
        source = people.dump({USERS: [], AUTH: [auth(11, "a")], PROFILES: [profile(40, None, link)]})
        assert people.plan(source).collections[PROFILES]["linked"] == 0, link


def test_ids_of_other_types_are_found_by_links_and_answers(people: People) -> None:
    ids: list[object] = [5, "text \"ü'", "650e12345678901234567890x", {"a": 1}, b"\x00\x01", 2.5]
    users = [{"_id": one, 'e-mail "ü"': "a"} for one in ids]
    profiles = [profile(20 + number, None, one) for number, one in enumerate(ids)]
    source = people.dump({USERS: users, AUTH: [], PROFILES: profiles})
    found = people.plan(source)
    (several,) = [one for one in found.conflicts if one.kind == "several" and one.documents[0]["collection"] == USERS]
    apart = [line.removeprefix("- ") for line in several.offers[1].lines if "different" in line]
    assert len(apart) == 6  # of each two of the first four
    kinds = {one.kind for one in people.plan(source, *apart).conflicts}
    assert "no-such-document" not in kinds


@pytest.mark.parametrize(("ids", "thing"), [("uuid", None), ("keep", str(oid(1)))])
def test_things_have_ids_as_the_table_has_them(ids: str, thing: str | None, people: People) -> None:
    people.mapping_text = people.mapping_text.replace("ids: cuid2", f"ids: {ids}")
    if ids == "keep":  # nothing can be linked to such things
        linked = re.compile(r"    linked:.*?(?=^collections)|, identity: .*?(?=\})", re.DOTALL | re.MULTILINE)
        people.mapping_text = linked.sub("", people.mapping_text)
    expected = thing or IdCodec(KEY).derive("", bson.encode({"_id": oid(1)}), "uuid")
    documents = {USERS: [user(1, "a")], AUTH: [auth(11, "a")], PROFILES: [profile(21, None, expected)]}
    things = people.go_live(people.dump(documents))
    assert {one for of in things.of.values() for one in of.values()} == {expected}


def test_documents_of_two_collections_with_one_id_are_asked_about(people: People) -> None:
    source = people.dump({USERS: [user(1, "a"), user(2, "b")], AUTH: [auth(1, "c"), auth(2, "b")], PROFILES: []})
    (conflict,) = people.plan(source).conflicts
    assert conflict.kind == "same-id"
    assert not people.plan(source, conflict.offers[0].lines[0].removeprefix("- ")).conflicts


def test_members_may_be_one_by_links_alone(people: People) -> None:
    people.mapping_text = """
isthmus: 1
identities:
  'peo"ple ü':
    members:
      users: {links: {auth.id: auth}}
      auth: {links: {user: [users]}}
collections:
  users: {table: people, fields: {name: text}}
  auth: {table: people, fields: {name: text}}
"""
    documents = {
        "users": [{"_id": oid(1), "auth": {"id": str(oid(11))}}, {"_id": oid(2)}, {"_id": oid(3)}],
        "auth": [{"_id": oid(11), "user": oid(1)}, {"_id": oid(12), "user": str(oid(2))}, {"_id": oid(13)}],
    }
    things = people.go_live(people.dump(documents))
    assert len(set(things.of["users"].values()) | set(things.of["auth"].values())) == 4
    crossed = {**documents, "auth": [{"_id": oid(11), "user": oid(2)}]}
    found = people.plan(people.dump(crossed))
    assert found.kinds == {"two-canonical": 1}
    answer = f"same: [{{users: {oid(1)}}}, {{users: {oid(2)}}}]"
    assert not people.plan(people.dump(crossed), answer).conflicts


def test_sensitive_values_stand_nowhere(people: People) -> None:
    people.mapping_text = people.mapping_text.replace(
        "column: email, type: text", "column: email, type: text, sensitive: true"
    )
    source = people.dump(
        {
            USERS: [user(1, "Hush@x"), user(2, "hush@x")],
            AUTH: [auth(11, "Hush@x")],
            PROFILES: [profile(21, "hush@x", oid(9))],
        }
    )
    found = people.plan(source)
    assert len(found.conflicts) == 2
    text = repr([one.as_row() for one in found.conflicts]) + repr(
        people.rows("SELECT * FROM isthmus.identity_conflict")
    )
    assert "hush" not in text.lower()
    assert "(hidden)" in text
    assert b"hush" not in repr(people.rows("SELECT * FROM isthmus.identity_member")).lower().encode()


def test_a_thing_keeps_its_id_whatever_comes_and_goes(people: People) -> None:
    first = people.dump({USERS: [], AUTH: [auth(11, "a")], PROFILES: [profile(21, "a")]})
    people.go_live(first)
    # a document of an earlier collection comes
    people.go_live(people.dump({USERS: [user(1, "a")], AUTH: [auth(11, "a")], PROFILES: [profile(21, "a")]}))
    assert {one[2] for one in members(people, "live")} == {own(11)}
    # the one that gave it its id goes; others do not inherit by chance
    gone = people.dump({USERS: [user(1, "a"), user(2, "b")], AUTH: [auth(12, "c")], PROFILES: []})
    people.go_live(gone)
    assert members(people, "live") == {
        (USERS, 1, own(11), "known"),
        (USERS, 2, own(2), "alone"),
        (AUTH, 11, own(11), "gone"),
        (AUTH, 12, own(12), "alone"),
        (PROFILES, 21, own(11), "gone"),
    }
    # it comes back, with another key: what was one stays one
    people.go_live(people.dump({USERS: [user(1, "a")], AUTH: [auth(11, "new")], PROFILES: [profile(21, "new")]}))
    assert {one[2] for one in members(people, "live") if one[3] != "gone"} == {own(11)}


def test_a_live_map_of_the_same_documents_does_not_change(people: People) -> None:
    source = people.dump({USERS: [user(1, "a")], AUTH: [auth(11, "a")], PROFILES: [profile(21, "a")]})
    first = people.go_live(source)
    rows = people.rows("SELECT *, xmin::text FROM isthmus.identity_member ORDER BY collection, key_digest")
    assert people.go_live(source) == first
    assert people.rows("SELECT *, xmin::text FROM isthmus.identity_member ORDER BY collection, key_digest") == rows


def test_two_things_of_an_earlier_map_are_not_joined_without_an_answer(people: People) -> None:
    people.go_live(people.dump({USERS: [user(1, "a")], AUTH: [auth(11, "b")], PROFILES: []}))
    merged = people.dump({USERS: [user(1, "a")], AUTH: [auth(11, "A")], PROFILES: []})
    (conflict,) = people.plan(merged).conflicts
    assert conflict.kind == "two-canonical"
    assert own(1) in conflict.message
    assert own(11) in conflict.message
    one, other = (offer.lines[0].removeprefix("- ") for offer in conflict.offers[:2])
    assert set(people.go_live(merged, one).of[AUTH].values()) == {own(1)}
    assert not people.plan(merged, other).conflicts


def test_members_whose_collection_was_retired_recognise_what_is_linked_later(people: People) -> None:
    """Their keys are kept as digests; what was deleted before that recognises nobody."""
    people.go_live(
        people.dump({USERS: [user(1, "a")], AUTH: [auth(11, "b"), auth(12, "c"), auth(13, "A")], PROFILES: []})
    )
    people.go_live(people.dump({USERS: [user(1, "a")], AUTH: [auth(11, "b"), auth(13, "A")], PROFILES: []}))
    retired = people.dump(
        {
            USERS: [user(1, "a")],
            PROFILES: [profile(21, "B"), profile(22, "c"), profile(23, None, str(oid(13))), profile(24, "z", oid(12))],
        }
    )
    things = people.go_live(retired, only=(PROFILES,))
    assert {bson.decode(one)["_id"]: thing for one, thing in things.of[PROFILES].items()} == {
        oid(21): own(11),
        oid(23): own(1),
        oid(24): own(12),
    }
    assert (AUTH, 11, own(11), "alone") in members(people, "live")


def test_a_copy_of_other_collections_does_not_touch_the_map(people: People) -> None:
    source = people.dump({USERS: [user(1, "a")], AUTH: [auth(11, "a")], PROFILES: []})
    before = people.go_live(source)
    made = people.rows("SELECT made_at FROM isthmus.identity")
    other = people.dump({USERS: [user(1, "b"), user(2, "B")], AUTH: [], PROFILES: []})
    assert people.go_live(other, only=("something else",)) == before
    assert people.rows("SELECT made_at FROM isthmus.identity") == made


def test_the_maps_of_several_identities_go_live_together_or_not_at_all(people: People) -> None:
    people.mapping_text = """
isthmus: 1
identities:
  people: {keys: [email], members: {users: {keys: {email: email}}, auth: {keys: {email: email}}}}
  shops: {keys: {name: lower}, members: {shops: {keys: {name: name}}, stores: {keys: {name: title}}}}
collections:
  users: {table: people, fields: {email: text}}
  auth: {table: people, fields: {email: text}}
  shops: {table: places, fields: {name: text}}
  stores: {table: places, fields: {title: text}}
"""
    documents: dict[str, list[dict[str, object]]] = {
        "users": [{"_id": oid(1), "email": "a"}],
        "auth": [{"_id": oid(11), "email": "a"}],
        "shops": [{"_id": oid(21), "name": "S"}, {"_id": oid(22), "name": "s"}],
        "stores": [{"_id": oid(31), "title": "s"}],
    }
    with pytest.raises(ConfigError, match="1 conflict must"):
        people.go_live(people.dump(documents))
    assert people.rows("SELECT count(*) FROM isthmus.identity_member") == [(0,)]
    del documents["shops"][1]
    things = people.go_live(people.dump(documents))
    assert {name: len(of) for name, of in things.of.items()} == {"users": 1, "auth": 1, "shops": 1, "stores": 1}
    assert len({thing for of in things.of.values() for thing in of.values()}) == 2
    assert people.rows("SELECT name, mode FROM isthmus.identity ORDER BY 1") == [("people", "live"), ("shops", "live")]
    # a copy of one of them leaves the other one's map alone
    del documents["stores"]
    documents["auth"].append({"_id": oid(12), "email": "b"})
    made = people.rows("SELECT made_at FROM isthmus.identity WHERE name = 'shops'")
    people.go_live(people.dump({**documents, "stores": []}), only=("auth",))
    assert people.rows("SELECT made_at FROM isthmus.identity WHERE name = 'shops'") == made


def test_a_source_that_breaks_off_decides_nothing(people: People) -> None:
    whole = b"".join(bson.encode(user(number, f"e{number}")) for number in range(1, 40))
    source = people.dump({USERS: whole[:-20], AUTH: [], PROFILES: []})
    with pytest.raises(SourceError) as refused:
        people.plan(source)
    assert refused.value.code == "identity-unread"
    with psycopg.connect(people.target, autocommit=True) as connection:
        assert read_maps(connection) == []


def test_too_many_documents_with_one_key_are_one_question(people: People) -> None:
    most = finding.MOST_TOGETHER
    source = people.dump(
        {USERS: [user(number, "none@none") for number in range(1, most + 2)], AUTH: [auth(5_000, "x")], PROFILES: []}
    )
    found = people.plan(source)
    (huge,) = found.conflicts
    assert (huge.kind, huge.more) == ("huge", most + 1 - 20)
    assert f"{most + 1:,} documents" in huge.message
    assert found.collections[USERS]["open"] == most + 1


def test_of_many_conflicts_all_are_counted_and_the_first_are_asked(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(found_module, "MOST_IN_WORDS", 3)
    pairs = [user(number, f"p{number // 2}") for number in range(2, 22)]
    found = people.plan(people.dump({USERS: pairs, AUTH: [], PROFILES: []}))
    assert (found.open, found.kinds, len(found.conflicts)) == (10, {"several": 10}, 3)
    again = people.plan(people.dump({USERS: pairs[::-1], AUTH: [], PROFILES: []}))
    assert [one.id for one in again.conflicts] == [one.id for one in found.conflicts]
    assert people.rows("SELECT count(*) FROM isthmus.identity_conflict") == [(3,)]
    with pytest.raises(ConfigError, match="10 conflicts must be answered"):
        people.go_live(people.dump({USERS: pairs, AUTH: [], PROFILES: []}))


def test_two_answers_about_the_same_are_one_question(people: People) -> None:
    source = people.dump({USERS: [user(1, "a"), user(2, "a")], AUTH: [auth(11, "a")], PROFILES: []})
    users = '"' + USERS.replace('"', '\\"') + '"'
    answer = f"different: [{{{users}: {oid(1)}}}, {{{users}: {oid(2)}}}]"
    found = people.plan(source, answer, answer)
    assert found.kinds == {"still-connected": 1}


def test_a_running_server_gives_the_same_map_as_its_dump(
    people: People, make_database: Callable[[], str], mongo: MongoDatabase, tmp_path: Path
) -> None:
    documents = {
        USERS: [user(number, f"p{number}@x.org ") for number in range(1, 40)],
        AUTH: [auth(100 + number, f"P{number}@x.org") for number in range(1, 40, 2)],
        PROFILES: [profile(200 + number, None, str(oid(number))) for number in range(1, 40, 3)],
    }
    mongo.write(documents)
    other = People(make_database(), tmp_path / "other")
    assert people.go_live(mongo.url) == other.go_live(other.dump(documents))


@pytest.mark.parametrize("seed", range(25))
def test_random_databases_come_to_what_the_pure_decision_says_of_all_documents_at_once(
    seed: int, people: People
) -> None:
    chance = random.Random(seed)
    emails = [None, "", "a", "A ", "b", "c", "d", "e", "f", "g"]
    users = [user(number, chance.choice(emails)) for number in range(1, chance.randint(1, 7))]
    auths = [auth(number, chance.choice(emails)) for number in range(11, 11 + chance.randint(0, 6))]
    ids = [one["_id"] for one in (*users, *auths)]
    profiles = [
        profile(number, chance.choice(emails), chance.choice([None, None, oid(99), *map(str, ids)]))
        for number in range(21, 21 + chance.randint(0, 6))
    ]
    found = people.plan(people.dump({USERS: users, AUTH: auths, PROFILES: profiles}))
    documents: list[Document] = []
    for part, group in enumerate((users, auths, profiles)):
        for one in group:
            number = int(str(one["_id"]), 16)
            email = one.get('e-mail "ü"', one.get("email", one.get("contact", {}).get("email")))  # type: ignore[attr-defined]
            email = str(email or "").strip().lower()
            link = str(one.get("owner", {}).get("userId", ""))  # type: ignore[attr-defined]
            hits = (int(link, 16),) if link in {str(one) for one in ids} else ()
            encoded = bson.encode({"_id": one["_id"]})
            keys = {0: email.encode()} if email else {}
            documents.append(Document(number, part, encoded, own(number), None, True, keys, hits, bool(link)))
    expected = decide(documents, (), 2)
    asked = sorted(one.kind for one in expected.findings)
    assert sorted(one.kind for one in found.conflicts) == asked
    if not asked:
        placed = {number: one.canonical for number, one in expected.placed.items()}
        assert {number: thing for _, number, thing, _ in members(people, "dry-run")} == placed
