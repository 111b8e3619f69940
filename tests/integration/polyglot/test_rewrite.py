"""References in documents of a running server become ids of rows: what is changed, what is not, and why.

Oracle: what the tests planted, and the target's rows by name. The MongoDB server is the judge of what an update does.
Cannot see: a real replica set, but by URL; sharded collections, whose catalog is only imitated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bson import Binary, ObjectId
from bson.dbref import DBRef

from isthmus.errors import TargetError
from isthmus.state.lease import Lease
from tests.fix_mongo import MongoDatabase
from tests.integration.copy.carrying import oid
from tests.integration.polyglot.rewriting import POSTS, REFS, USERS, Rewriting, people, posts, totals


@pytest.fixture
def own_world(mongo: MongoDatabase, database: str) -> Rewriting:
    """Return the same, with a target of its own whose rows and tables may be changed."""
    made = Rewriting(mongo, database)
    made.plant({USERS: people(), POSTS: posts()})
    made.copy()
    return made


@pytest.fixture
def make_world(make_mongo: Callable[[], MongoDatabase], make_database: Callable[[], str]) -> Callable[..., Rewriting]:
    """Return a function that plants documents of other collections and copies them."""

    def make(mapping: str, **documents: list[dict[str, Any]]) -> Rewriting:
        made = Rewriting(make_mongo(), make_database(), mapping)
        made.plant(documents)
        made.copy()
        return made

    return make


def test_every_reference_becomes_the_id_of_its_row_and_nothing_else_changes(world: Rewriting) -> None:
    assert world.there() == world.planted()
    result = world.rewrite()
    assert world.there() == world.expected()
    assert totals(result) == {"changed": REFS}
    assert (result.outcome, result.exit_code, result.resumed) == ("complete", 0, False)
    assert result.documents == {USERS: 12, POSTS: 5}
    assert {line[6] for line in world.log()} == {"done"}
    assert len(world.log()) == REFS


def test_a_second_run_changes_nothing(world: Rewriting) -> None:
    world.rewrite()
    before, log = world.there(), world.log()
    result = world.rewrite()
    assert world.there() == before
    assert world.log() == log
    assert totals(result) == {"canonical": REFS}
    assert (result.exit_code, result.resumed) == (0, False)


def test_a_dry_run_counts_and_lists_the_same_and_writes_nothing(own_world: Rewriting) -> None:
    state = own_world.do("SELECT version FROM isthmus.migration")
    own_world.do("DROP TABLE isthmus.rewrite_log, isthmus.rewrite_part, isthmus.rewrite")  # a state of an older version
    result = own_world.rewrite(live=False)
    assert totals(result) == {"would_change": REFS}
    assert (result.outcome, result.exit_code, result.rewrite) == ("complete", 0, None)
    assert own_world.there() == own_world.planted()
    assert own_world.do("SELECT to_regclass('isthmus.rewrite_log')::text") == [(None,)]
    assert own_world.do("SELECT version FROM isthmus.migration") == state
    (one,) = [one for one in result.listed if one.path == "leads.1.who"]
    assert (one.collection, one.becomes, one.outcome) == (POSTS, own_world.id_of("u6"), "would_change")


def test_books_tell_each_path_with_what_it_leads_to(world: Rewriting) -> None:
    result = world.rewrite(live=False)
    books = {path: (one.leads_to, one.values) for (_, path), one in result.places.items()}
    users = ('the üs"ers',)
    assert books == {
        "follows[]": (users, 3),
        "the author": (users, 2),
        "ownerId": (users, 1),
        "me%ta.öwner": (users, 1),
        "friends[]": (users, 4),
        "leads[-1].who": (users, 1),
        "parent": (("posts",), 2),
        "about": ((*users, "posts"), 2),
        "coAuthors[].userId": (users, 2),
        "coAuthors[].seen[][].by": (("posts",), 2),
        "steps[].by": (users, 2),
    }


def test_what_no_row_is_known_for_stays_and_is_listed(world: Rewriting) -> None:
    nobody = ObjectId()
    world.set(POSTS, oid(105), set={"the author": nobody, "friends": [nobody, str(nobody), 99, True, {"x": 1}, oid(1)]})
    for _ in range(2):
        result = world.rewrite()
        assert result.exit_code == 1
        assert totals(result)["unmapped"] == 6
        assert [one.path for one in result.listed if one.outcome == "unmapped"] == [
            *(f"friends.{n}" for n in range(5)),
            "the author",
        ]
        assert sum(line[6] == "refused" for line in world.log()) == 6
        world.rewrite(to=["posts"])  # looks at other places of the same documents
        assert sum(line[6] == "refused" for line in world.log()) == 6
    assert world.one(POSTS, oid(105))["friends"] == [nobody, str(nobody), 99, True, {"x": 1}, world.id_of("u1")]


def test_lists_are_cut_and_counts_are_not(world: Rewriting) -> None:
    for limit in (0, 2):
        result = world.rewrite(live=False, limit=limit)
        assert totals(result) == {"would_change": REFS}
        assert sum(one.path.startswith("friends") for one in result.listed) == limit


def test_a_deleted_row_takes_no_references(own_world: Rewriting) -> None:
    own_world.do("DELETE FROM steps; DELETE FROM follows")
    own_world.do("""UPDATE posts SET the_author = NULL, owner = NULL, about_user = NULL, lead = NULL""")
    own_world.do("""DELETE FROM "the üs""ers" WHERE name = 'u1'""")
    result = own_world.rewrite()
    assert totals(result) == {"changed": REFS - 3, "unmapped": 3}
    assert own_world.one(POSTS, oid(103))["the author"] == oid(1)


def test_a_text_that_is_an_id_and_an_old_id_of_another_row_is_ambiguous(own_world: Rewriting) -> None:
    hexadecimal = str(oid(1))
    own_world.do("""INSERT INTO "the üs""ers" (id, name) VALUES (%s, 'strange')""", hexadecimal)
    own_world.do("""INSERT INTO "the üs""ers" (id, name) VALUES (%s, 'no ObjectId of ours')""", "f" * 24)
    own_world.set(POSTS, oid(105), set={"the author": hexadecimal, "ownerId": "f" * 24})
    result = own_world.rewrite()
    assert totals(result) == {"changed": REFS - 1, "ambiguous": 2, "canonical": 1}  # steps[2].by is that text, too
    assert own_world.one(POSTS, oid(105))["the author"] == hexadecimal
    assert own_world.one(POSTS, oid(103))["the author"] == own_world.id_of("u1")


MERGED = """
isthmus: 1
ids: uuid
collections:
  people:
    from: [auth users, users]
    table: users
    on_duplicate: merge
    fields: {email: {type: text!, unique: true, normalise: [trim, lower]}, name: text}
  profiles: {fields: {userId: {references: people}}}
"""


def test_joined_documents_lead_to_the_row_that_they_are(make_world: Callable[..., Rewriting]) -> None:
    one, two, other = oid(1), oid(2), oid(3)
    world = make_world(
        MERGED,
        **{
            "auth users": [{"_id": one, "email": "Ann@example.org"}],
            "users": [
                {"_id": two, "email": " ann@EXAMPLE.org", "name": "Ann"},
                {"_id": other, "email": "b@example.org"},
            ],
            "profiles": [{"_id": n, "userId": old} for n, old in enumerate([one, two, str(two), other, None], 1)],
        },
    )
    assert totals(world.rewrite()) == {"changed": 4}
    ann, ben = (str(row[0]) for row in world.do("SELECT id FROM users ORDER BY email"))
    assert [world.one("profiles", n)["userId"] for n in range(1, 6)] == [ann, ann, ann, ben, None]
    assert totals(world.rewrite()) == {"canonical": 4}


IDENTITIES = """
isthmus: 1
ids: cuid2
identities:
  people:
    keys: {email: [trim, lower]}
    members: {users: {keys: {email: email}}, auth: {keys: {email: email}}}
    linked: {profiles: {keys: {email: email}, links: {userId: [auth, users]}}}
collections:
  users: {table: users, fields: {email: text!, name: text}}
  auth: {table: users, fields: {email: text!}}
  profiles: {fields: {userId: {column: user_id, references: users, identity: people}, email: text!}}
  articles: {fields: {by: {references: users, on_orphan: "null"}, co: {type: jsonb, rewrite: {"[].u": users}}}}
"""


def test_each_document_that_is_one_person_leads_to_that_person(make_world: Callable[..., Rewriting]) -> None:
    """A reference that names `users` may hold the id of an `auth` document: both became rows of one table."""
    ann, ann_too, ben = oid(1), oid(2), oid(3)
    world = make_world(
        IDENTITIES,
        users=[{"_id": ann, "email": "Ann@example.org", "name": "Ann"}],
        auth=[{"_id": ann_too, "email": "ann@example.org"}, {"_id": ben, "email": "ben@example.org"}],
        profiles=[{"_id": 1, "email": "ann@example.org", "userId": str(ann_too)}, {"_id": 2, "email": "x@example.org"}],
        articles=[{"_id": 1, "by": ann, "co": [{"u": ann_too}, {"u": str(ben)}]}, {"_id": 2, "by": ann_too}],
    )
    assert totals(world.rewrite()) == {"changed": 5}
    one, two = (str(row[0]) for row in world.do("SELECT id FROM users ORDER BY lower(email)"))
    assert world.one("profiles", 1)["userId"] == one
    assert world.one("articles", 1) == {"_id": 1, "by": one, "co": [{"u": one}, {"u": two}]}
    assert world.one("articles", 2)["by"] == one


EXISTING = """
isthmus: 1
target: {tables: existing}
ids: cuid2
collections:
  users: {match: [[email]], fields: {email: text}}
  posts: {fields: {by: {references: users}}}
"""


def test_rows_that_were_there_before_give_their_own_ids(
    make_mongo: Callable[[], MongoDatabase], make_database: Callable[[], str]
) -> None:
    world = Rewriting(make_mongo(), make_database(), EXISTING)
    world.do("CREATE TABLE users (id text PRIMARY KEY, email text UNIQUE, extras jsonb)")
    world.do("CREATE TABLE posts (id text PRIMARY KEY, by text REFERENCES users, extras jsonb)")
    world.do("INSERT INTO users VALUES ('clx0 was here''', 'a@example.org')")
    world.plant(
        {
            "users": [{"_id": oid(1), "email": "a@example.org"}, {"_id": oid(2), "email": "b@example.org"}],
            "posts": [{"_id": 1, "by": oid(1)}, {"_id": 2, "by": str(oid(2))}],
        }
    )
    world.copy()
    assert totals(world.rewrite()) == {"changed": 2}
    assert world.one("posts", 1)["by"] == "clx0 was here'"
    assert world.do("SELECT email FROM users WHERE id = %s", world.one("posts", 2)["by"]) == [("b@example.org",)]


KEPT = """
isthmus: 1
ids: keep
collections:
  users: {fields: {name: text}}
  numbers: {fields: {_id: {type: bigint}, name: text}}
  posts: {ids: uuid, fields: {by: {references: users}, no: {references: numbers}}}
"""


def test_ids_that_are_kept_change_their_type_only_where_they_are_no_text_yet(
    make_world: Callable[..., Rewriting],
) -> None:
    world = make_world(
        KEPT,
        users=[{"_id": oid(1), "name": "a"}, {"_id": "b's", "name": "b"}],
        numbers=[{"_id": 5, "name": "five"}],
        posts=[{"_id": 1, "by": oid(1), "no": 5}, {"_id": 2, "by": "b's", "no": None}],
    )
    world.set("posts", 2, set={"no": 6})
    assert totals(world.rewrite()) == {"changed": 1, "canonical": 2, "unmapped": 1}
    assert world.one("posts", 1) == {"_id": 1, "by": str(oid(1)), "no": 5}


def test_what_no_column_of_kept_ids_holds_is_unmapped(make_world: Callable[..., Rewriting]) -> None:
    world = make_world(KEPT, users=[{"_id": "a", "name": "a"}], numbers=[], posts=[])
    collection = world.mongo.client[world.mongo.name]["posts"]
    collection.insert_many([{"_id": 1, "by": "a\0"}, {"_id": 2, "by": Binary(b"short", 4)}, {"_id": 3, "by": 2.5}])
    assert totals(world.rewrite()) == {"unmapped": 3}


def test_what_cannot_be_changed_is_told_why(make_world: Callable[..., Rewriting]) -> None:
    text = """
isthmus: 1
ids: cuid2
collections:
  users: {fields: {name: text}}
  posts:
    fields:
      dotted: {path: [a.b, c], references: users}
      dollar: {path: [x, $y], references: users}
      empty: {path: [x, ""], references: users}
      plain: {references: users}
"""
    world = make_world(text, users=[{"_id": oid(1), "name": "a"}], posts=[{"_id": 1, "plain": oid(1)}])
    collection = world.mongo.client[world.mongo.name]["posts"]
    collection.insert_one({"_id": 2, "a.b": {"c": oid(1)}, "x": {"$y": oid(1), "": oid(1)}, "plain": oid(1)})
    collection.insert_one({"_id": 3, "plain": DBRef("users", oid(1))})
    for live, done in ((False, "would_change"), (True, "changed")):
        result = world.rewrite(live=live)
        assert totals(result) == {
            done: 2,
            "cannot:dotted-key": 1,
            "cannot:dollar-key": 1,
            "cannot:empty-key": 1,
            "cannot:dbref": 1,
        }
        assert result.exit_code == 1
    there = world.one("posts", 2)
    assert there["a.b"] == {"c": oid(1)}
    assert there["plain"] != oid(1)
    assert world.one("posts", 3)["plain"] == DBRef("users", oid(1))


SMALL = """
isthmus: 1
ids: cuid2
collections:
  users: {fields: {name: text}}
  posts: {fields: {by: {references: users}, of: {references: users}, z: {drop: "filling"}}}
"""


def test_a_validator_refuses_a_document_as_a_whole_and_says_so_beforehand(make_world: Callable[..., Rewriting]) -> None:
    world = make_world(SMALL, users=[{"_id": oid(1), "name": "a"}], posts=[])
    rule = {"$jsonSchema": {"properties": {"by": {"bsonType": ["objectId", "null"]}}}}
    world.mongo.client[world.mongo.name].command("collMod", "posts", validator=rule)
    collection = world.mongo.client[world.mongo.name]["posts"]
    collection.insert_many([{"_id": 1, "by": oid(1), "of": oid(1)}, {"_id": {"k": 2}, "of": oid(1)}])
    for live, done in ((False, "would_change"), (True, "changed")):
        assert totals(world.rewrite(live=live)) == {"cannot:validator": 2, done: 1}
    assert world.one("posts", 1) == {"_id": 1, "by": oid(1), "of": oid(1)}
    world.mongo.client[world.mongo.name].command("collMod", "posts", validationAction="warn")
    assert totals(world.rewrite(live=False)) == {"would_change": 2, "canonical": 1}
    assert totals(world.rewrite()) == {"changed": 2, "canonical": 1}


def test_a_unique_index_refuses_the_second_of_two_forms(make_world: Callable[..., Rewriting]) -> None:
    world = make_world(SMALL, users=[{"_id": oid(1), "name": "a"}], posts=[])
    collection = world.mongo.client[world.mongo.name]["posts"]
    collection.create_index("by", unique=True)
    collection.insert_many([{"_id": 1, "by": oid(1)}, {"_id": 2, "by": str(oid(1))}])
    assert totals(world.rewrite()) == {"changed": 1, "cannot:duplicate-key": 1}
    result = world.rewrite()
    assert totals(result) == {"canonical": 1, "cannot:duplicate-key": 1}
    assert sum(line[6] == "refused" for line in world.log()) == 1


def test_a_document_at_the_limit_of_its_size_is_left(make_world: Callable[..., Rewriting]) -> None:
    world = make_world(SMALL, users=[{"_id": oid(1), "name": "a"}], posts=[])
    collection = world.mongo.client[world.mongo.name]["posts"]
    collection.insert_one({"_id": 1, "by": oid(1), "z": "x" * (16 * 1024 * 1024 - 45)})
    collection.insert_one({"_id": 2, "by": oid(1)})
    for live, done in ((False, "would_change"), (True, "changed")):
        assert totals(world.rewrite(live=live)) == {"cannot:too-large": 1, done: 1}


def test_a_shard_key_is_left(make_world: Callable[..., Rewriting]) -> None:
    world = make_world(SMALL, users=[{"_id": oid(1), "name": "a"}], posts=[{"_id": 1, "by": oid(1), "of": oid(1)}])
    catalog = world.mongo.client["config"]["collections"]
    name = f"{world.mongo.name}.posts"
    catalog.insert_one({"_id": name, "key": {"by": "hashed", "_id": 1}})
    try:
        assert totals(world.rewrite()) == {"cannot:shard-key": 1, "changed": 1}
    finally:
        catalog.delete_one({"_id": name})


def test_a_collection_with_a_collation_is_rewritten(make_world: Callable[..., Rewriting]) -> None:
    """That other texts are not taken for equal only a real server can show: this one compares letter by letter."""
    world = make_world(SMALL, users=[{"_id": oid(0xABCDEF), "name": "a"}], posts=[])
    database = world.mongo.client[world.mongo.name]
    database.drop_collection("posts")
    database.create_collection("posts", collation={"locale": "en", "strength": 1})
    database["posts"].insert_one({"_id": "x", "by": str(oid(0xABCDEF))})
    assert totals(world.rewrite()) == {"changed": 1}


def test_chosen_tables_and_collections_alone_are_rewritten(world: Rewriting) -> None:
    result = world.rewrite(only=[USERS])
    assert totals(result) == {"changed": 3}
    assert list(result.documents) == [USERS]
    result = world.rewrite(to=["posts"])
    assert totals(result) == {"changed": 5, "elsewhere": 1}
    assert result.exit_code == 0
    assert world.one(POSTS, oid(103))["the author"] == oid(1)
    assert totals(world.rewrite()) == {"changed": REFS - 8, "canonical": 8}
    assert world.there() == world.expected()


def test_nothing_is_rewritten_to_what_was_not_copied(make_mongo: Callable[[], MongoDatabase], database: str) -> None:
    world = Rewriting(make_mongo(), database)
    world.plant({USERS: people(), POSTS: posts()})
    for live in (False, True):
        with pytest.raises(TargetError) as caught:
            world.rewrite(live=live)
        assert caught.value.code == "not-copied"
        assert "isthmus copy" in (caught.value.problems[0].hint or "")
    world.copy()
    world.do("UPDATE isthmus.run SET stage = 'finishing', balance = NULL")
    with pytest.raises(TargetError) as caught:
        world.rewrite(live=False)
    assert "not complete" in caught.value.problems[0].message
    assert world.there() == world.planted()


def test_only_what_is_asked_for_must_have_been_copied(make_mongo: Callable[[], MongoDatabase], database: str) -> None:
    text = EXISTING + "  places: {fields: {by: {references: users}, post: {references: posts}}}\n"
    world = Rewriting(make_mongo(), database, text)
    world.do("CREATE TABLE users (id text PRIMARY KEY, email text UNIQUE, extras jsonb)")
    world.plant(
        {"users": [{"_id": oid(1)}], "posts": [{"_id": oid(2), "by": oid(1)}], "places": [{"_id": 1, "by": oid(1)}]}
    )
    world.do("CREATE TABLE posts (id text PRIMARY KEY, by text, extras jsonb)")
    world.do("CREATE TABLE places (id text PRIMARY KEY, by text, post text, extras jsonb)")
    world.copy("users")
    with pytest.raises(TargetError) as caught:
        world.rewrite()
    assert caught.value.code == "not-copied"
    assert "--only posts" in (caught.value.hint or "")
    assert totals(world.rewrite(to=["users"])) == {"changed": 2}


def test_a_copy_at_work_and_a_rewrite_shut_each_other_out(world: Rewriting) -> None:
    lease = Lease(world.target)
    lease.acquire()
    try:
        with pytest.raises(TargetError) as caught:
            world.rewrite()
        assert caught.value.code == "lease-held"
        assert totals(world.rewrite(live=False)) == {"would_change": REFS}
    finally:
        lease.release()
    assert world.there() == world.planted()


def test_a_collection_that_is_not_there_is_told(world: Rewriting) -> None:
    world.mongo.client[world.mongo.name].drop_collection(POSTS)
    result = world.rewrite()
    assert result.missing == [POSTS]
    assert totals(result) == {"changed": 3}
    assert result.exit_code == 0
