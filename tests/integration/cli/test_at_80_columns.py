"""Lists at a terminal of 80 columns: no word is broken, an entry takes few lines, and nothing is silent."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from isthmus.cli.books import show_balance
from isthmus.cli.handled import show_handled
from isthmus.cli.verified import show_verified
from isthmus.transfer.balance import Balance, CollectionBooks, ReferenceBooks
from isthmus.verify.report.accounted import Account
from isthmus.verify.result import LayerResult, Verified
from tests.fix_dumps import MakeDump
from tests.integration.cli.conftest import COMMAND, RunCommand
from tests.integration.cli.terminals import COLUMNS, at_terminal, shown_lines
from tests.integration.cli.test_narrow import narrow
from tests.integration.copy.carrying import oid

MAPPING = """
isthmus: 1
collections:
  crm_Opportunities_Sales_Stages: {fields: {name: text}}
  "crm Opportunities":
    table: crm Opportunities
    fields:
      assigned_to: {references: crm_Opportunities_Sales_Stages, on_orphan: "null"}
      expected_revenue_of_it: bigint
"""
TARGET = "embedded:/a/folder/with/a/name/that/is/long/enough/for/this"


@pytest.fixture
def copied(isthmus: RunCommand, write_mapping: Callable[[str], Path], make_dump: MakeDump, database: str) -> str:
    documents: list[dict[str, object]] = [{"_id": oid(n), "assigned_to": oid(900 + n)} for n in range(3)]
    documents.append({"_id": oid(4), "expected_revenue_of_it": "1 200"})
    dump = make_dump({"crm_Opportunities_Sales_Stages": [{"_id": oid(1)}], "crm Opportunities": documents})
    assert isthmus("copy", write_mapping(MAPPING), "-s", dump, "-t", database).code == 1
    return database


def test_lists_break_between_words(copied: str, tmp_path: Path) -> None:
    code, written = at_terminal([COMMAND, "letters", "list", "-t", copied], tmp_path)
    assert code == 0, written
    lines = shown_lines(written)
    (at,) = (number for number, line in enumerate(lines) if "crm Opportunities 0" in line)
    assert lines[at].startswith("    1  crm Opportunities")
    assert lines[at + 1].split()[-1] == "(convert)"
    assert lines[at + 1].startswith(" " * 7)
    code, written = at_terminal([COMMAND, "orphans", "list", "-t", copied], tmp_path)
    assert code == 0, written
    lines = [line.rstrip() for line in shown_lines(written) if line.strip()]
    assert [line for line in lines if line[0] != " "] == ["crm Opportunities.assigned_to  null"] * 3
    row = r"    row [0-9a-f-]{36} → crm_Opportunities_Sales_Stages"
    assert all(re.fullmatch(row, line) and len(line) <= COLUMNS for line in lines[1::3]), lines
    assert len(lines) == 9  # so long a name takes one line more


def test_accounts_of_a_verification_are_not_broken() -> None:
    console, shown = narrow(80)
    accounts = [Account("orphans", "orphan", "orphans", 31, "orphans list"), Account("x", "letter", "letters", 1, "")]
    verified = Verified(layers={"counts": LayerResult("counts", checked=1)})
    show_verified(console, verified, accounts, TARGET, sampled=False)
    lines = [line.rstrip() for line in shown.getvalue().splitlines()]
    at = lines.index("         31  orphans:")
    assert lines[at + 1] == f"             isthmus orphans list --target {TARGET}"
    assert lines[at + 2] == "          1  letter"


def test_command_behind_what_was_handled_is_not_broken() -> None:
    console, shown = narrow(80)
    books = ReferenceBooks(values=9, resolved=0, orphans=9, actions={"null": 9})
    show_handled(console, Balance(references={"a.b": books}), TARGET)
    assert f"\n  isthmus orphans list --target {TARGET}\n" in shown.getvalue()


def test_long_names_of_collections_stay_whole() -> None:
    console, shown = narrow(80)
    name = "crm_Opportunities_Sales_Stages"
    books = CollectionBooks(read=9, copied=9, tables={name: 9})
    other = CollectionBooks(read=1_000, copied=999, dead_letters=1, tables={"another": 999, f"{name}_notes": 12})
    show_balance(console, Balance(collections={name: books, "b": other}), TARGET)
    text = shown.getvalue()
    assert f"\n{name}  " in text
    assert f"  b: another 999, {name}_notes 12" in text
    assert f"  {name}: " not in text  # it says nothing more


def test_all_kinds_of_changed_values_are_shown() -> None:
    console, shown = narrow(80)
    kinds = {f"t.c{number}:coerced": 100 - number for number in range(50)}
    show_balance(console, Balance(adjusted=kinds, extras={f"t.x{n}": 1 for n in range(50)}), TARGET)
    assert [kind for kind in (*kinds, "t.x49") if f"{kind}\n" not in shown.getvalue().replace(" \n", "\n")] == []
    assert "more" not in shown.getvalue()
