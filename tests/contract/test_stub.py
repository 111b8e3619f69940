"""The stub of the compiled module tells the truth, and the check that says so can fail."""

from __future__ import annotations

import importlib
from types import SimpleNamespace

from tools import stub_check


def test_stub_against_module_has_no_difference() -> None:
    module = importlib.import_module("isthmus._rust")
    found = stub_check.differences(stub_check.STUB.read_text(encoding="utf-8"), module)
    assert not found, "\n".join(found)


def test_stub_check_of_a_wrong_stub_names_each_difference() -> None:
    class Thing:
        def act(self, a: int, *, b: int = 1) -> int:
            return a + b

        def hidden(self) -> None: ...

    def work(data: bytes) -> None: ...

    stub = """
class Thing:
    size: int
    def act(self, a: int, b: int = 1) -> int: ...
def work(data: bytes, *, final: bool) -> None: ...
def gone() -> None: ...
"""
    found = stub_check.differences(stub, SimpleNamespace(Thing=Thing, work=work))  # type: ignore[arg-type]
    assert found == [
        "gone is in the stub only",
        "Thing.size is in the stub only",
        "Thing.hidden is in the module only",
        "Thing.act: the stub says (a, b=), the module (a, *, b=)",
        "work: the stub says (data, *, final), the module (data)",
    ]
