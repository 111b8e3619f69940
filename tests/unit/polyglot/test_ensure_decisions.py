"""What `ensure` asks for, and what it makes of the answers, without a server.

Oracle: the cases of docs/explanation/one-document-per-row.md, by hand. Cannot see: what MongoDB answers really, and
others who write meanwhile; `integration/ensure` does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bson
import pytest
from bson import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.results import UpdateResult

from isthmus.errors import PolyglotError
from isthmus.polyglot.ensure import Belonging, Ensured
from isthmus.polyglot.ensure.asks import Ask, Call, Duplicate, Gone, Make, Trouble, Wait
from isthmus.polyglot.ensure.deciding import Wanted, deciding
from isthmus.polyglot.ensure.indexes import LOOK_AT_BUILDS, built_indexes, gapped_index, needed_indexes

BELONGING = Belonging("userId", email="email")
OPTIONS: CodecOptions[Any] = CodecOptions()
INDEXES = [{"key": {one.path: 1}, "name": one.name, **one.options} for one in needed_indexes(BELONGING)]
INDEXES[1]["collation"] = {"locale": "en", "strength": 2}
FREE = {"_id": 1, "email": " ANN@x"}
DONE, NOT_DONE = UpdateResult({"n": 1}, acknowledged=True), UpdateResult({"n": 0}, acknowledged=True)
ELSEWHERE = Duplicate(frozenset({"slug"}))
TAKEN = Duplicate(frozenset({"userId"}))


def wanted(email: str | None = "ann@x", *, creates: bool = True) -> Wanted:
    return Wanted(BELONGING, "people", "u1", email, email or "", creates, OPTIONS)


def play(one: Wanted, *answers: Any, building: frozenset[str] = frozenset()) -> tuple[Ensured[Any], list[Ask]]:
    """Give answers in their order; return the end and what was asked. An answer may look at the ask.

    Waits get none, nor does the question which indexes are in build: all but those in `building` are built.
    """
    asking, asked, left = deciding(one), [next(deciding(one))], list(answers)
    ask, last = next(asking), None
    while True:
        answer: Any = None
        if ask is LOOK_AT_BUILDS:
            asked.pop()
            names = dict.fromkeys([it.get("name") for it in last or []], 0)
            answer = [{"storageStats": {"indexSizes": names, "indexBuilds": sorted(building)}}]
        elif not isinstance(ask, Wait):
            assert left, f"{ask} was asked for besides"
            answer = left.pop(0)
            if callable(answer):
                answer = answer(ask)
        last = answer
        try:
            ask = asking.send(answer)
        except StopIteration as end:
            assert not left, f"{left} were never asked for"
            return end.value, asked
        asked.append(ask)


def refused(one: Wanted, *answers: Any, building: frozenset[str] = frozenset()) -> PolyglotError:
    with pytest.raises(PolyglotError) as error:
        play(one, *answers, building=building)
    return error.value


def gapped(keys: list[str]) -> dict[str, Any]:
    made = gapped_index(BELONGING, keys, [])
    return {"key": {made.path: 1}, "name": made.name, **made.options}


def methods(asked: list[Ask]) -> list[str]:
    return [one.method if isinstance(one, Call) else type(one).__name__ for one in asked]


def inserted(keep: list[Any], answer: Any = "done") -> Callable[[Call], Any]:
    """Return an answer to an insert that keeps what was sent."""

    def look(ask: Call) -> Any:
        keep.append(dict(ask.arguments[0]))
        return answer

    return look


def test_document_with_the_reference_is_found_and_nothing_else_asked() -> None:
    end, asked = play(wanted(), [{"_id": 5, "userId": "u1"}])
    assert (end.how, end.document) == ("found", {"_id": 5, "userId": "u1"})
    assert methods(asked) == ["find"]


def test_without_email_and_factory_no_index_is_asked_for() -> None:
    end, asked = play(wanted(None, creates=False), [])
    assert (end.how, methods(asked)) == ("none", ["find"])


def test_one_unclaimed_document_is_claimed_on_the_condition_that_it_still_is() -> None:
    after = {**FREE, "userId": "u1"}
    end, asked = play(wanted(), [], INDEXES, [FREE], DONE, [after])
    assert (end.how, end.document) == ("claimed", after)
    claim = asked[-2]
    assert isinstance(claim, Call)
    still, change = claim.arguments
    unclaimed = {"_id": 1, "email": " ANN@x", "userId": {"$in": [None, ""], "$not": {"$type": "array"}}}
    assert still == {**unclaimed, "_isthmus": {"$exists": False}}
    assert change == {"$set": {"userId": "u1"}}


def test_claim_of_a_document_that_a_store_wrote_ends_its_revision() -> None:
    marked = {**FREE, "_isthmus": {"v": 7, "r": "the revision"}}
    _, asked = play(wanted(), [], INDEXES, [marked], DONE, [{**marked, "userId": "u1"}])
    claim = asked[-2]
    assert isinstance(claim, Call)
    still, change = claim.arguments
    assert "_isthmus" not in still
    assert change["$set"].keys() == {"userId", "_isthmus.r"}
    assert change["$set"]["_isthmus.r"] != "the revision"


def test_claim_that_is_lost_is_looked_at_again() -> None:
    theirs = {**FREE, "userId": "u2"}
    end, asked = play(wanted(), [], INDEXES, [FREE], NOT_DONE, [], [theirs])
    assert (end.how, end.document, end.others) == ("taken", None, (1,))
    assert methods(asked) == ["find", "list_indexes", "find", "update_one", "Wait", "find", "find"]


def test_claim_of_a_row_that_has_another_document_by_now_finds_that() -> None:
    end, _ = play(wanted(), [], INDEXES, [FREE], TAKEN, [{"_id": 9, "userId": "u1"}])
    assert (end.how, end.document) == ("found", {"_id": 9, "userId": "u1"})


def test_several_unclaimed_documents_are_never_chosen_from() -> None:
    end, asked = play(wanted(), [], INDEXES, [FREE, {"_id": 2, "email": "ann@X"}])
    assert (end.how, end.document, end.others) == ("ambiguous", None, (1, 2))
    assert methods(asked) == ["find", "list_indexes", "find"]


def test_what_the_index_takes_for_the_same_email_is_compared_again() -> None:
    others = [{"_id": 2, "email": "änn@x"}, {"_id": 3, "email": ["ann@x"]}, {"_id": 4}]
    others.append({"_id": 5, "email": "ann @x", "userId": "u2"})
    end, asked = play(wanted(creates=False), [], INDEXES, others)
    assert (end.how, len(asked)) == ("none", 3)


def test_one_unclaimed_document_beside_one_of_another_row_is_claimed() -> None:
    theirs = {"_id": 2, "email": "ann@x", "userId": "u2"}
    end, _ = play(wanted(), [], INDEXES, [theirs, FREE], DONE, [{**FREE, "userId": "u1"}])
    assert end.how == "claimed"


def test_so_many_documents_that_not_all_are_read_are_ambiguous() -> None:
    theirs = [{"_id": number, "email": "ann@x", "userId": "u2"} for number in range(200)]
    end, _ = play(wanted(), [], INDEXES, theirs)
    assert (end.how, len(end.others)) == ("ambiguous", 20)


def test_email_of_another_row_is_taken_and_nothing_is_created() -> None:
    end, asked = play(wanted(), [], INDEXES, [{"_id": 7, "email": "ann@x", "userId": "u2"}])
    assert (end.how, end.others) == ("taken", (7,))
    assert "Make" not in methods(asked)


def test_claim_that_is_taken_back_at_once_is_looked_at_again() -> None:
    end, _ = play(wanted(), [], INDEXES, [FREE], DONE, [], [], [{**FREE, "userId": "u2"}])
    assert end.how == "taken"


def test_document_that_became_ours_between_two_looks_is_found() -> None:
    ours = {"_id": 7, "email": "ann@x", "userId": "u1"}
    end, _ = play(wanted(), [], INDEXES, [ours], [ours])
    assert end.how == "found"


def test_factory_makes_what_is_created_with_the_reference_in_it() -> None:
    sent: list[Any] = []
    given = {"name": "Ann"}
    end, asked = play(wanted(), [], INDEXES, [], given, inserted(sent))
    assert end.how == "created"
    assert end.document == sent[0]
    assert {**sent[0], "_id": 0} == {"_id": 0, "name": "Ann", "userId": "u1"}
    assert given == {"name": "Ann"}
    assert isinstance(asked[-2], Make)


def test_creation_that_is_lost_finds_the_other_and_asks_the_factory_once() -> None:
    other = {"_id": 9, "userId": "u1"}
    end, asked = play(wanted(), [], INDEXES, [], {}, TAKEN, [], [], TAKEN, [other])
    assert (end.how, end.document) == ("found", other)
    assert methods(asked).count("Make") == 1
    assert methods(asked).count("list_indexes") == 1


def test_creation_that_was_never_answered_is_known_again() -> None:
    sent: list[Any] = []

    def found(_: Ask) -> list[Any]:
        return [sent[0]]

    end, _ = play(wanted(), [], INDEXES, [], {}, inserted(sent, Trouble()), found)
    assert (end.how, end.document) == ("created", sent[0])
    end, _ = play(wanted(), [], INDEXES, [], {}, Trouble(), [{"_id": 3, "userId": "u1"}])
    assert end.how == "found"


def test_claim_that_was_never_answered_is_known_again() -> None:
    end, _ = play(wanted(), [], INDEXES, [FREE], Trouble(), [{**FREE, "userId": "u1"}])
    assert end.how == "claimed"


@pytest.mark.parametrize(
    ("troubled", "then"),
    [
        ([Trouble()] * 3000, [[], INDEXES, []]),
        ([[], Trouble()] * 3000, [[], INDEXES, []]),
        ([[], INDEXES, *[Trouble()] * 3000], [[], []]),
        ([[], INDEXES, Trouble(), *[[], Trouble()] * 2999], [[], []]),
    ],
)
def test_trouble_begins_again_however_often(troubled: list[Any], then: list[Any]) -> None:
    end, asked = play(wanted(creates=False), *troubled, *then)
    assert end.how == "none"
    waits = [one.seconds for one in asked if isinstance(one, Wait)]
    assert waits == sorted(waits)
    assert max(waits) == 1


def test_another_unique_index_in_the_way_is_said() -> None:
    error = refused(wanted(None), [], INDEXES, {}, *[ELSEWHERE, []] * 4, ELSEWHERE)
    assert error.code == "ensure-refused"
    assert "slug" in error.message


def test_who_loses_each_time_is_told_to_try_again() -> None:
    error = refused(wanted(), [], INDEXES, [FREE], NOT_DONE, *[[], [FREE], NOT_DONE] * 11)
    assert (error.code, error.retryable) == ("ensure-busy", True)


def test_missing_indexes_are_told_together_and_only_those_that_count() -> None:
    error = refused(wanted(), [], [{"key": {"_id": 1}}])
    assert error.code == "ensure-no-index"
    assert "lacks 2 indexes" in error.message
    assert [one.where.path for one in error.problems] == ["userId", "email"]
    error = refused(wanted(None), [], [])
    assert [one.where.path for one in error.problems] == ["userId"]


@pytest.mark.parametrize(
    ("building", "count"), [({"isthmus_ensure_userId"}, 1), ({one["name"] for one in INDEXES}, 2), ({"other"}, 0)]
)
def test_index_that_is_in_build_does_not_count(building: set[str], count: int) -> None:
    if not count:
        play(wanted(), [], INDEXES, [FREE, FREE], building=frozenset(building))
        return
    error = refused(wanted(), [], INDEXES, building=frozenset(building))
    assert (error.code, error.retryable) == ("ensure-building", True)
    assert refused(wanted(), [], INDEXES[:1], building=frozenset(building)).code == "ensure-no-index"


def test_index_is_built_where_every_shard_has_it() -> None:
    def told(names: dict[str, int], *builds: str) -> dict[str, Any]:
        return {"storageStats": {"indexSizes": names, "indexBuilds": [*builds]}}

    names = {one["name"]: 5 for one in INDEXES}
    assert built_indexes(INDEXES, [told(names), told(names)]) == INDEXES
    assert built_indexes(INDEXES, [told(names), told(names, "isthmus_ensure_userId")]) == INDEXES[1:]
    assert built_indexes(INDEXES, [told(names), told({})]) == []
    assert built_indexes(INDEXES, [{"storageStats": {"indexSizes": names}}]) == INDEXES
    assert built_indexes(INDEXES, []) == []


def test_collection_that_goes_between_two_looks_has_no_indexes() -> None:
    asking = deciding(wanted())
    next(asking)
    asking.send([])
    assert asking.send(INDEXES) is LOOK_AT_BUILDS
    with pytest.raises(PolyglotError) as error:
        asking.send(Gone())
    assert error.value.code == "ensure-building"


def test_key_that_the_index_leaves_out_is_found_and_nothing_else() -> None:
    there = [gapped(["u0", "u1"]), INDEXES[1]]
    assert play(wanted(), [{"_id": 5, "userId": "u1"}])[0].how == "found"
    error = refused(wanted(), [], there)
    assert (error.code, error.retryable) == ("ensure-left-out", False)
    assert "ensure_indexes" in (error.hint or "")
    assert refused(wanted(None), [], there).code == "ensure-left-out"
    assert refused(wanted(), [], [*there, gapped(["u1"])]).code == "ensure-left-out"


def test_key_that_some_index_keeps_unique_is_claimed() -> None:
    for one in (gapped(["u0"]), gapped(["u2", "u9"]), INDEXES[0]):
        end, _ = play(wanted(), [], [gapped(["u0", "u1"]), one, INDEXES[1]], [FREE], DONE, [{**FREE, "userId": "u1"}])
        assert end.how == "claimed"


def test_document_of_another_key_that_a_collation_takes_for_one_is_looked_past() -> None:
    end, asked = play(wanted(None, creates=False), [{"_id": 5, "userId": "U1"}], [])
    assert (end.how, methods(asked)) == ("none", ["find", "find"])
    exact = asked[1]
    assert isinstance(exact, Call)
    assert exact.options["collation"].document == {"locale": "simple"}
    both = [{"_id": 5, "userId": "U1"}, {"_id": 6, "userId": "u1"}]
    assert play(wanted(), both, both[1:])[0].document == both[1]


def test_two_documents_with_the_reference_are_named() -> None:
    error = refused(wanted(), [{"_id": 5, "userId": "u1"}, {"_id": 6, "userId": "u1"}])
    assert error.code == "ensure-duplicate"
    assert "5 and 6" in error.message


@pytest.mark.parametrize("there", [["u1"], ["u2", "u1"]])
def test_reference_in_an_array_is_refused(there: list[str]) -> None:
    held = [{"_id": 5, "userId": there}]
    assert refused(wanted(), held, held).code == "ensure-shape"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "NoneType"),
        ([("name", "Ann")], "list"),
        ({"userId": "u2"}, "another"),
        ({"userId": ["u1"]}, "another"),
        ({5: "x"}, "int"),
        ({"$set": {}}, "'$set'"),
        ({"_id": [1]}, "list"),
        ({"_id": None}, "NoneType"),
        ({"a": object()}, "object"),
        ({"a": "x" * 17_000_000}, "bytes"),
        ({"a": 2**70}, "BSON"),
        ({"a\0b": 1}, "BSON"),
    ],
)
def test_factory_that_gives_no_such_document_is_refused(given: object, words: str) -> None:
    error = refused(wanted(), [], INDEXES, [], given)
    assert error.code == "ensure-factory"
    assert words in error.message
    assert "another" not in words or "u2" not in error.message


@pytest.mark.parametrize("given", [{"userId": None}, {"userId": ""}, {"userId": "u1"}, {"_id": "own"}])
def test_factory_may_leave_the_reference_open_or_give_an_id(given: dict[str, Any]) -> None:
    sent: list[Any] = []
    play(wanted(), [], INDEXES, [], given, inserted(sent))
    assert sent[0]["userId"] == "u1"
    assert sent[0]["_id"] == given.get("_id", sent[0]["_id"])
    assert next(iter(sent[0])) == "_id"


def test_reference_inside_a_document_is_put_there_beside_the_rest() -> None:
    nested = Belonging("owner.of.id")
    there = [{"key": {"owner.of.id": 1}, "unique": True}]
    one = Wanted(nested, "people", "u1", None, "", True, OPTIONS)
    sent: list[Any] = []
    play(one, [], there, {"owner": {"name": "x", "of": {"n": 1}}}, inserted(sent))
    assert bson.decode(bson.encode(sent[0]))["owner"] == {"name": "x", "of": {"n": 1, "id": "u1"}}
    assert "no fields" in refused(one, [], there, {"owner": "x"}).message
    end, _ = play(one, [RawBSONDocument(bson.encode({"_id": 1, "owner": {"of": {"id": "u1"}}}))])
    assert end.how == "found"
