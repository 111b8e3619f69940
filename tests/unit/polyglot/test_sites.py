"""Where references stand: sites of every form of rule, and what is found there in documents of any shape.

Oracle: answers by hand; for values, a walk of the whole document by the test itself. Cannot see: whether a value at a
site is an id of what it leads to.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from bson import Binary, Code, Decimal128, Int64, MaxKey, ObjectId, Regex, Timestamp
from bson.dbref import DBRef

from isthmus.mapping import parse_mapping
from isthmus.mapping.references import Pointer
from isthmus.polyglot.sites import Site, SitePath, found, show_place, show_site, sites

MAPPING = """
isthmus: 1
collections:
  Users: {from: [nextauth_users, users], table: users, fields: {email: {type: text!, unique: true}}}
  posts:
    fields:
      author: {references: Users}
      "reviewed By.user.Id": {path: [reviewed By, user.Id], references: Users, sensitive: true}
      owner: {first_of: [ownerId, meta.owner], references: Users}
      friends: {references: users, type: "uuid[]"}
      lead: {path: leads, element: -1, of: who, references: Users, others: "only the last counts"}
      parent: {references: posts}
      mail: {references: Users.email, type: text}
      about: {route: {Users: about_user, posts: about_post}}
      coAuthors: {type: jsonb, rewrite: {"[].userId": Users, "[].seen[][].by": posts}}
      whole: {type: jsonb, rewrite: {"[]": Users}}
      tags: {junction: posts_users}
      steps:
        child: steps
        fields:
          by: {references: Users}
          notes: {child: notes, fields: {"by": {references: nextauth_users}, marks: {junction: posts_users}}}
      text: text
      old: {drop: "no longer used"}
  drafts:
    from: posts_old
    when: {kind: draft}
    table: drafts
    fields: {author: {references: Users}}
  kept:
    from: posts_old
    table: kept
    fields: {author: {references: posts}}
junctions:
  posts_users: {post_id: posts, user_id: Users}
"""
OID = ObjectId("65f0c1a2b3c4d5e6f7a8b9c0")


def path_of(site: Site) -> str:
    return f"{site.collection}:{site.shown}"


def by_path() -> dict[str, list[Site]]:
    known: dict[str, list[Site]] = {}
    for site in sites(parse_mapping(MAPPING.replace("marks: {junction: posts_users}", "more: text"))):
        known.setdefault(path_of(site), []).append(site)
    return known


def site(path: SitePath) -> Site:
    return Site("c", path, (Pointer("c", "c"),), "rule", "c.x")


def test_every_form_of_reference_is_a_site_and_nothing_else_is() -> None:
    assert {path: [one.targets for one in known] for path, known in by_path().items()} == {
        "posts:author": [("Users",)],
        "posts:reviewed By.user\\.Id": [("Users",)],
        "posts:ownerId": [("Users",)],
        "posts:meta.owner": [("Users",)],
        "posts:friends[]": [("Users",)],
        "posts:leads[-1].who": [("Users",)],
        "posts:parent": [("posts",)],
        "posts:mail": [("Users",)],
        "posts:about": [("Users", "posts")],
        "posts:coAuthors[].userId": [("Users",)],
        "posts:coAuthors[].seen[][].by": [("posts",)],
        "posts:whole[]": [("Users",)],
        "posts:tags[]": [("Users",)],
        "posts:steps[].by": [("Users",)],
        "posts:steps[].notes[].by": [("Users",)],
        "posts_old:author": [("Users",), ("posts",)],
    }


def test_a_site_tells_its_rule_its_column_and_what_it_is_compared_with() -> None:
    known = {path: found[0] for path, found in by_path().items()}
    told = known["posts:coAuthors[].seen[][].by"]
    assert told.rule == "collections.posts.fields.coAuthors.rewrite.[].seen[][].by"
    assert told.column == "posts.co_authors.[].seen.[].[].by"
    assert known["posts:about"].column == "posts.about_user|about_post"
    assert known["posts:steps[].notes[].by"].column == "notes.by"
    assert known["posts:tags[]"].column == "posts_users.user_id"
    assert known["posts:meta.owner"].rule == "collections.posts.fields.ownerId"
    assert known["posts:mail"].by == ("email",)
    assert [known[path].by for path in ("posts:author", "posts:friends[]", "posts:about")] == [None] * 3
    assert [one.hashed_as for one in known["posts:friends[]"].pointers] == ["users"]
    assert [path for path, one in known.items() if one.sensitive] == ["posts:reviewed By.user\\.Id"]


def test_a_collection_that_feeds_several_entries_has_each_site_once() -> None:
    text = """
isthmus: 1
collections:
  Users: {from: [a, b], table: users}
  x: {from: things, table: x, when: {kind: x}, fields: {user: {references: Users}}}
  y: {from: things, table: y, fields: {user: {references: Users}}}
"""
    (one,) = sites(parse_mapping(text))
    assert (one.collection, one.path, one.rule) == ("things", ("user",), "collections.x.fields.user")


@pytest.mark.parametrize(
    ("path", "document", "expected"),
    [
        (("a",), {"a": OID}, [(("a",), OID)]),
        (("a",), {"a": None}, []),
        (("a",), {"b": OID}, []),
        (("a",), {}, []),
        (("a", "b"), {"a": {"b": "x"}}, [(("a", "b"), "x")]),
        (("a", "b"), {"a": "x"}, []),
        (("a", "b"), {"a.b": OID}, []),
        (("a.b",), {"a.b": OID, "a": {"b": 1}}, [(("a.b",), OID)]),
        (("$x", ""), {"$x": {"": OID}}, [(("$x", ""), OID)]),
        (("a", "b"), {"a": [{"b": 1}, {"c": 2}, "x", None, {"b": 3}]}, [(("a", 0, "b"), 1), (("a", 4, "b"), 3)]),
        (("xs", None), {"xs": [OID, None, "x"]}, [(("xs", 0), OID), (("xs", 2), "x")]),
        (("xs", None), {"xs": OID}, [(("xs",), OID)]),
        (("xs", None), {"xs": []}, []),
        (("xs", None), {"xs": [[OID, [OID]], []]}, [(("xs", 0, 0), OID), (("xs", 0, 1, 0), OID)]),
        (("xs", None, "u"), {"xs": [[{"u": 1}], {"u": [2]}]}, [(("xs", 0, 0, "u"), 1), (("xs", 1, "u", 0), 2)]),
        (("xs", None, "u"), {"xs": {"u": 1}}, [(("xs", "u"), 1)]),
        (("xs", None, "u"), {"xs": {"0": {"u": 1}}}, []),
        (("xs", "0"), {"xs": [OID]}, []),
        (("xs", "0"), {"xs": {"0": OID}}, [(("xs", "0"), OID)]),
        (("x", None, None, "b"), {"x": [[{"b": OID}], [{"b": 1}]]}, [(("x", 0, 0, "b"), OID), (("x", 1, 0, "b"), 1)]),
        (("xs", 0), {"xs": [OID, "x"]}, [(("xs", 0), OID)]),
        (("xs", -1, "u"), {"xs": [1, {"u": 2}]}, [(("xs", 1, "u"), 2)]),
        (("xs", 2), {"xs": [1, 2]}, []),
        (("xs", -3), {"xs": [1, 2]}, []),
        (("xs", 0), {"xs": OID}, [(("xs",), OID)]),
        (("xs", 1), {"xs": OID}, []),
        (("xs", 0), {"xs": []}, []),
        ((None,), {"xs": [OID]}, [((), {"xs": [OID]})]),
    ],
)  # fmt: skip
def test_values_are_found_with_their_concrete_path(
    path: SitePath, document: dict[str, Any], expected: list[Any]
) -> None:
    assert list(found(document, site(path))) == expected


@pytest.mark.parametrize(
    "value",
    [
        ObjectId(), "", "65f0c1a2b3c4d5e6f7a8b9c0", 5, Int64(5), 5.0, float("inf"), Decimal128("NaN"), True, False,
        datetime(2020, 1, 1, tzinfo=UTC), Binary(b"\x00" * 16, 4), b"", Regex("a"), Code("x"), Timestamp(1, 2),
        MaxKey(), DBRef("users", OID), {"any": {"thing": [1]}}, {},
    ],
)  # fmt: skip
def test_a_value_of_any_type_is_told_as_it_is(value: object) -> None:
    ((place, there),) = found({"deep": [{"in it": value}]}, site(("deep", None, "in it")))
    assert place == ("deep", 0, "in it")
    assert there is value


def test_what_is_found_stands_where_the_path_leads() -> None:
    document = {"a": [{"b": [{"c": [[1], 2, {"d": 3}]}]}, {"b": {"c": 4}}, [{"b": [{"c": [[]]}]}]]}
    for place, value in found(document, site(("a", None, "b", None, "c", None))):
        there: Any = document
        for step in place:
            there = there[step]
        assert there is value
        assert not isinstance(there, list)


def test_paths_are_shown_as_people_write_them() -> None:
    assert show_site(("a.b", None, "c", None, None, "$d", -1)) == "a\\.b[].c[][].$d[-1]"
    assert show_site((None, "x")) == "[].x"
    assert show_place(("a.b", 3, "c")) == "a\\.b.3.c"


@pytest.mark.parametrize("ids", ["uuid", "cuid2"])
def test_what_is_no_id_is_passed_over_where_others_may_stand(ids: str) -> None:
    text = f"""
isthmus: 1
ids: {ids}
collections:
  users: {{}}
  profiles:
    fields:
      seen: {{type: jsonb, rename: {{"[].by": who}}, rewrite: {{"[].by": {{to: users, others: keep}}, "x": users}}}}
"""
    kept, every = sites(parse_mapping(text))
    assert (kept.shown, kept.column, every.form) == ("seen[].by", "profiles.seen.[].who", None)
    standing = {"uuid": "00000000-0000-4000-8000-0000000000ab", "cuid2": "zzzzzzzzzzzzzzzzzzzzzzzz"}
    nobody = ObjectId(b"u" * 12)
    values: list[object] = [nobody, str(nobody).upper(), *standing.values(), "a@x", "", 7, {"a": 1}, DBRef("users", 1)]
    document = {"seen": [{"by": value} for value in values]}
    assert [value for _, value in found(document, kept)] == [nobody, str(nobody).upper(), standing[ids], values[-1]]
    assert [value for _, value in found({"seen": {"x": "a@x"}}, every)] == ["a@x"]
