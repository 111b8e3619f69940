"""What `isthmus verify` prints: readable at 80 columns and without colour, bounded, without orders to the terminal."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from rich.console import Console

from isthmus.cli.verified import show_verified
from isthmus.verify.result import MOST_LISTED, ColumnCheck, Verified
from tests.unit.verify.made import accounts, failed, passed


def shown(
    verified: Verified, *, width: int = 80, color: bool = False, sampled: bool = True, files: Sequence[str] = ()
) -> str:
    text = io.StringIO()
    console = Console(
        file=text,
        width=width,
        force_terminal=True,
        color_system="standard" if color else None,
        highlight=False,
        emoji=False,
    )
    show_verified(console, verified, accounts(), "embedded:pg", sampled=sampled, files=files)
    return text.getvalue()


@pytest.mark.parametrize("verified", [passed(), failed()], ids=["passed", "failed"])
def test_first_line_is_the_verdict(verified: Verified) -> None:
    first = shown(verified).splitlines()[0]
    assert first.startswith("Verified:" if verified.passed else "Differs:")


@pytest.mark.parametrize("width", [80, 100, 140])
def test_lines_fit_and_layers_are_one_line_each(width: int) -> None:
    for verified in (passed(), failed()):
        lines = shown(verified, width=width).splitlines()
        assert max(map(len, lines)) <= width
        names = [line.split()[0] for line in lines if line and line[0].isalpha()]
        start = names.index("layer")
        assert names[start + 1 : start + 8] == list(verified.layers)


def test_few_differences_are_listed_and_the_rest_is_counted() -> None:
    text = shown(failed())
    assert text.count("→ ") == 20 + 3  # the run, and the next steps
    assert "… and 15 more: --html FILE or --json FILE lists them." in text
    assert text.count("The row holds another value than the source gives.") == 1  # said once for all rows below it
    assert "row 0197f1b4-32ab-8cde-8123-456789000003 name: Ann 3 → Bob 3" in text
    assert "users_email_key: UNIQUE (email) → nothing" in text
    assert "card: (hidden) → (hidden)" in text


def test_rest_is_where_it_was_written() -> None:
    text = shown(failed(), files=["report.html", "the JSON"])
    assert "… and 15 more: report.html and the JSON list them." in text
    assert "--html" not in text
    assert "… and 15 more: report.html lists them." in shown(failed(), files=["report.html"])


def test_differences_are_counted_table_by_table_and_column_by_column() -> None:
    text = " ".join(shown(failed()).split())
    assert "checksum: 37 differences in 33 entries where:" in text
    assert "An entry that tells of several rows or values counts as so many differences." in text
    assert "where: users.name 30, <script>" in text
    assert "orders (row) 1, orders.card 1" in text
    assert "counts: 1 difference Users" in text, "what is all below needs no total"


def test_of_many_places_the_first_are_counted_by_name_and_the_others_together() -> None:
    many = passed()
    for number in range(30):
        many.layers["checksum"].differs("t", f"c{number}", "m", id="1", times=30 - number)
    text = " ".join(shown(many).split())
    assert "where: t.c0 30, t.c1 29, " in text
    assert "t.c11 19, 18 other places 171" in text


def test_what_is_not_kept_one_by_one_is_counted_all_the_same() -> None:
    many = passed()
    for number in range(MOST_LISTED + 5):
        many.layers["checksum"].differs("t", "c", "m", id=str(number))
    text = " ".join(shown(many).split())
    assert "checksum: 1,005 differences, of which the first 1,000 entries are kept where: t.c 1,005" in text


def test_no_value_in_a_column_of_a_row_is_null() -> None:
    verified = passed()
    verified.layers["checksum"].differs("t", "c", "m", id="1", expected="x")
    verified.layers["checksum"].differs("t", "(row)", "n", id="2", expected="a row")
    verified.layers["schema"].differs("t", "i", "o", expected="UNIQUE (c)")
    text = shown(verified)
    assert "row 1 c: x → NULL" in text
    assert "row 2 (row): a row → nothing" in text
    assert "i: UNIQUE (c) → nothing" in text


def test_values_are_no_orders_to_the_terminal() -> None:
    assert "\x1b" not in shown(failed())
    assert "\\x1b[31m" in shown(failed())


def test_what_was_accounted_for_comes_with_its_command_on_one_line() -> None:
    text = shown(passed(), width=80)
    assert "         25  dead letters: isthmus letters list --target embedded:pg\n" in text
    assert "          1  orphan: isthmus orphans list --target embedded:pg\n" in text
    assert "rows kept" not in text
    assert "\n             isthmus letters list --target embedded:pg\n" in shown(passed(), width=60)


def test_every_layer_says_what_it_cannot_see() -> None:
    text = shown(passed(), width=140)
    for name in passed().layers:
        assert f"  • {name}: " in text
    assert "a fault in how it converts shows in samples, not here" in text


def test_what_was_not_compared_is_told_with_the_reason() -> None:
    assert "  • types: users.embedding (12,345): A vector has no canonical form.\n" in shown(failed())
    many = passed()
    for number in range(30):
        many.layers["types"].columns.append(ColumnCheck("t", f"c{number}", left_out=1, why=f"Reason {number % 15}."))
    text = shown(many)
    assert "… and 3 more; --html and --json have them." in text
    many.layers["types"].columns = [ColumnCheck("t", f"c{number}", left_out=1, why="Same.") for number in range(30)]
    assert "t.c0, t.c1, t.c2, t.c3, t.c4, t.c5 and 24 more (30): Same." in " ".join(shown(many).split())


def test_next_step_fits_what_was_found() -> None:
    assert "isthmus ddl MAPPING" in shown(failed())
    assert "Has somebody written" in shown(failed())
    assert "isthmus ddl" not in shown(passed())
    assert "--sample all converts" in shown(passed())
    assert "--sample all converts" not in shown(passed(), sampled=False)
    only_schema = passed()
    only_schema.layers["schema"].differs("a", "b", "m")
    assert "Has somebody written" not in shown(only_schema)
    stopped = passed()
    stopped.interrupted = True
    assert "Run the same command again" in shown(stopped)


def test_colour_adds_nothing_but_colour() -> None:
    plain, coloured = shown(failed()), shown(failed(), color=True)
    assert "\x1b[" in coloured
    stripped = coloured
    for code in ("\x1b[0m", "\x1b[1m", "\x1b[31m", "\x1b[1;31m", "\x1b[36m", "\x1b[1;32m"):
        stripped = stripped.replace(code, "")
    assert stripped == plain
