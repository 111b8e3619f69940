"""What leaves the books again, where the names of fields are more than are counted one by one."""

from __future__ import annotations

from isthmus.state.checkpoints import PartitionState
from isthmus.transfer.balance import Balance, _enter_changes  # pyright: ignore[reportPrivateUsage]
from isthmus.transfer.loading.load import REST


def entered(counts: dict[str, int], tallies: dict[str, int]) -> dict[str, int]:
    balance = Balance()
    _enter_changes([PartitionState("A", 0, b"", None, counts={"extras": counts})], {"extras": tallies}, balance)
    return balance.extras


def test_amount_of_a_known_name_is_taken_off_it() -> None:
    assert entered({"x": 5, REST: 7}, {"A.x": -2}) == {"A.x": 3, f"A.{REST}": 7}


def test_amount_of_a_name_among_the_others_is_taken_off_them() -> None:
    assert entered({"x": 5, REST: 7}, {"A.unlisted": -2}) == {"A.x": 5, f"A.{REST}": 5}


def test_amount_larger_than_its_name_goes_on_with_the_others() -> None:
    assert entered({"x": 1, REST: 7}, {"A.x": -3}) == {f"A.{REST}": 5}
