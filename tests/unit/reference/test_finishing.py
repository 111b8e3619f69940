"""What a reference finally holds where the key it points at is a reference itself; answers written by hand."""

from __future__ import annotations

from typing import Any

import bson
import pytest

from isthmus.verify.reference import Reference
from isthmus.verify.reference.accounts import GivenAccounts
from isthmus.verify.reference.finishing import Finishing

Plain = dict[str, Any]


def refers(entry: str) -> Plain:
    return {"k": {"references": entry, "required": True}}


ENTRIES: Plain = {
    "K": {"ids": "keep", "fields": {"_id": {"type": "integer"}}},
    "N": {"key": "k", "fields": refers("K")},
    "M": {"key": "k", "fields": refers("N")},
    "L": {"key": "k", "fields": refers("M")},
    **{f"F{name}": {"fields": {"m": {"references": name}}} for name in "NML"},
}
DOCUMENTS: dict[str, list[Plain]] = {
    "K": [{"_id": 1}, {"_id": 2}],
    "N": [{"_id": "n1", "k": 1}, {"_id": "n2", "k": 2}],
    "M": [{"_id": "m1", "k": "n1"}, {"_id": "m2", "k": "n2"}],
    "L": [{"_id": "l1", "k": "m1"}, {"_id": "l2", "k": "m2"}],
    **{f"F{name}": [{"_id": number, "m": f"{name.lower()}{number}"} for number in (1, 2)] for name in "NML"},
}


@pytest.mark.parametrize("end", ["N", "M", "L"])
@pytest.mark.parametrize("order", [1, -1])
def test_reference_holds_the_key_at_the_end_of_a_chain_of_keys(end: str, order: int) -> None:
    reference = Reference({"collections": ENTRIES}, bytes(32), 0)
    finishing = Finishing(reference.rules, GivenAccounts(), {})
    made = {
        name: [reference.expected(name, bson.encode(one)) for one in DOCUMENTS[name]] for name in [*DOCUMENTS][::order]
    }
    for results in made.values():
        for result in results:
            assert result.flow is not None
            assert result.rejected is None, result.rejected
            finishing.learn(result.flow, result)
    finishing.settle()

    def column(name: str, column: str) -> list[Any]:
        return [forms[column] for result in made[name] for _, forms in finishing.finished(result).rows]

    assert column(f"F{end}", "m") == ["1", "2"]
    assert column(end, "k") == ["1", "2"]
