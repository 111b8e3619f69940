"""What making indexes asks for, in which order, where others write and make indexes meanwhile.

Oracle: the order by hand: no index goes before the next is there. Cannot see: what MongoDB answers really;
`integration/ensure` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from bson import CodecOptions

from isthmus.errors import PolyglotError
from isthmus.polyglot.ensure import Belonging
from isthmus.polyglot.ensure.asks import Ask, Call, Duplicate, Gone, Trouble, Wait
from isthmus.polyglot.ensure.indexes import (
    LOOK_AT_BUILDS,
    gapped_index,
    gapped_indexes,
    needed_indexes,
    plain_index,
)
from isthmus.polyglot.ensure.making import making

BELONGING = Belonging("userId")
OPTIONS: CodecOptions[Any] = CodecOptions()
WHOLE, PLAIN = needed_indexes(BELONGING)[0].name, plain_index(BELONGING).name
TAKEN = Duplicate(frozenset({"userId"}))


class Server:
    """Lists, makes and drops indexes, and says what stands double; what it is asked is kept.

    Args:
        double: References that several documents hold.
        keys: Of indexes with gaps that are there; an empty tuple is the whole one.
    """

    def __init__(self, double: list[str], *keys: tuple[str, ...]) -> None:
        self.double, self.done = double, list[str]()
        self.building: set[str] = set()
        self.there: dict[str, Mapping[str, Any]] = {}
        for one in keys:
            made = gapped_index(BELONGING, one, []) if one else needed_indexes(BELONGING)[0]
            self.there[made.name] = {"key": {"userId": 1}, "name": made.name, **made.options}
        if any(keys):
            self.there[PLAIN] = {"key": {"userId": 1}, "name": PLAIN}

    def answer(self, ask: Ask) -> Any:
        """Do what is asked."""
        if ask is LOOK_AT_BUILDS:
            return [{"storageStats": {"indexSizes": dict.fromkeys(self.there, 1), "indexBuilds": [*self.building]}}]
        assert isinstance(ask, Call)
        if ask.method == "list_indexes":
            return list(self.there.values())
        if ask.method == "aggregate":
            self.done.append("look")
            among = ask.arguments[0][0]["$match"]["userId"].get("$in", self.double)
            return [{"_id": one, "documents": 2, "first": 1, "last": 2} for one in self.double if one in among]
        name = ask.options["name"] if ask.method == "create_index" else ask.arguments[0]
        return self.made(name, ask) if ask.method == "create_index" else self.dropped(name)

    def made(self, name: str, ask: Call) -> Any:
        """Make an index, unless what stands double is against it."""
        listed = {"key": {"userId": 1}, **ask.options}
        gapped = gapped_indexes(BELONGING, [listed])
        guarded = [one for one in self.double if not (gapped and gapped[0].leaves_out(one))]
        if ask.options.get("unique") and guarded:
            self.done.append(f"no {name}")
            return TAKEN
        self.done.append(f"made {name}")
        self.building.discard(name)
        self.there[name] = listed
        return name

    def dropped(self, name: str) -> Any:
        """Drop an index; another process may have."""
        self.done.append(f"dropped {name}")
        return None if self.there.pop(name, None) else Gone()

    def run(self, *, leave_out: bool = True, troubled: bool = False) -> list[str]:
        """Make the indexes; `troubled`: everything is asked twice before it is answered."""
        asking = making(BELONGING, "people", OPTIONS, leave_out=leave_out)
        ask, refused = next(asking), None
        while True:
            answer: Any = None
            if isinstance(ask, Call) and troubled and ask is not refused:
                answer, refused = Trouble(), ask
            elif not isinstance(ask, Wait):
                answer = self.answer(ask)
            try:
                ask = asking.send(answer)
            except StopIteration as end:
                return end.value


def but(*keys: str) -> str:
    return gapped_index(BELONGING, keys, []).name


def test_whole_index_is_tried_before_anything_is_looked_at() -> None:
    server = Server([])
    assert server.run() == [WHOLE]
    assert server.done == [f"made {WHOLE}"]
    assert server.run() == []
    server = Server(["a"])
    assert server.run() == [but("a"), PLAIN]
    assert server.done == [f"no {WHOLE}", "look", f"made {but('a')}", f"made {PLAIN}"]


def test_where_an_index_leaves_keys_out_only_those_are_looked_at() -> None:
    server = Server(["a", "b"], ("a", "b"))
    assert server.run() == []
    assert server.done == ["look"]


@pytest.mark.parametrize(
    ("double", "made", "dropped"), [(["b"], [but("b")], [but("a", "b")]), ([], [WHOLE], [but("a", "b"), PLAIN])]
)
def test_last_index_goes_when_the_next_is_there(double: list[str], made: list[str], dropped: list[str]) -> None:
    server = Server(double, ("a", "b"))
    assert server.run(leave_out=bool(double)) == made
    assert server.done == ["look", *(f"made {one}" for one in made), *(f"dropped {one}" for one in dropped)]


def test_next_index_that_is_not_built_yet_lets_the_last_one_stay() -> None:
    class Slow(Server):
        def made(self, name: str, ask: Call) -> Any:
            super().made(name, ask)
            self.building.add(name)
            return name

    server = Slow([], ("a",))
    server.run()
    assert server.done == ["look", f"made {WHOLE}"]
    assert but("a") in server.there


def test_index_that_another_process_builds_is_waited_for() -> None:
    server = Server([], ())
    server.building = {WHOLE}
    assert server.run() == [WHOLE]
    assert server.done == [f"made {WHOLE}"]


def test_index_that_another_process_has_dropped_is_no_fault() -> None:
    class Shared(Server):
        def dropped(self, name: str) -> Any:
            self.there.pop(name)
            return super().dropped(name)

    server = Shared([], ("a",))
    assert server.run() == [WHOLE]
    assert list(server.there) == [WHOLE]


def test_documents_that_come_to_stand_double_meanwhile_are_left_out_as_well() -> None:
    class Busy(Server):
        def made(self, name: str, ask: Call) -> Any:
            if name == but("a") and "b" not in self.double:
                self.double.append("b")
            return super().made(name, ask)

    server = Busy(["a"])
    assert server.run() == [but("a", "b"), PLAIN]
    assert f"no {but('a')}" in server.done


def test_documents_that_stand_double_anew_each_time_are_told_in_the_end() -> None:
    class Hostile(Server):
        def made(self, name: str, ask: Call) -> Any:
            self.double.append(f"x{len(self.double):02}")
            return super().made(name, ask)

    with pytest.raises(PolyglotError) as error:
        Hostile(["a"]).run()
    assert error.value.code == "ensure-duplicate"
    assert error.value.problems


def test_two_that_leave_out_different_keys_end_with_the_one_that_leaves_out_fewer() -> None:
    class Late(Server):
        """Somebody else has settled `b` and made the smaller index, when ours is made."""

        def made(self, name: str, ask: Call) -> Any:
            found = super().made(name, ask)
            if name == but("a", "b"):
                self.there |= Server([], ("a",)).there
            return found

    server = Late(["a", "b"])
    server.run()
    assert but("a") in server.there
    assert server.done[-1] == f"dropped {but('a', 'b')}"


def test_trouble_that_passes_is_waited_for() -> None:
    server = Server(["a"])
    assert server.run(troubled=True) == [but("a"), PLAIN]
    assert set(server.there) == {but("a"), PLAIN}
