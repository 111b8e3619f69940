"""The HTML page of a verification: nothing of a database runs or loads in it, and what must be read is there."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

from isthmus.verify.report.html import verification_page
from isthmus.verify.result import MOST_LISTED, ColumnCheck, Verified
from tests.unit.verify.made import HOSTILE, accounts, failed, passed

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
VOID = {"meta", "input", "br", "link"}


class Read(HTMLParser):
    """Reads a page: tags that stand open, texts, and what it would load."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        assert self.open == [], "tags that were never closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [f"{tag} {name}" for name, value in attrs if name in {"src", "href"} and value != "#main"]
        assert not [name for name, _ in attrs if name.startswith("on")], attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def page(verified: Verified, **more: str) -> str:
    return verification_page(
        verified, accounts=accounts(), target="postgresql://a@b/c", started_at=AT, version="1.2.3", **more
    )


def test_page_loads_nothing_and_runs_only_its_own_script() -> None:
    text = page(failed())
    read = Read(text)
    assert read.loads == []
    assert read.tags.count("script") == 1
    assert "url(" not in text
    assert "@import" not in text
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text
    assert "default-src 'none'" in text


def test_hostile_names_and_values_are_text() -> None:
    verified = failed()
    verified.mapping = verified.source = verified.target = HOSTILE
    verified.layers["rules"].notes.append(HOSTILE)
    verified.layers["rules"].columns.append(ColumnCheck(HOSTILE, HOSTILE, left_out=1, why=HOSTILE))
    text = page(verified, error=HOSTILE, hint=HOSTILE)
    assert Read(text).tags.count("script") == 1
    assert "<script>alert" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_page_tells_verdict_layers_differences_and_coverage() -> None:
    text = Read(page(failed())).text
    assert "Differs: 3 of 7 layers found 39 differences." in text
    assert "39 differences in 35 entries (one that tells of several rows or values counts as so many). Expected" in text
    for words in ("users_email_key", "UNIQUE (email)", "0197f1b4-32ab-8cde-8123-456789000029", "17/2", "(hidden)"):
        assert words in text, words
    assert "isthmus letters list --target postgresql://a@b/c" in text
    assert "rows kept" not in text  # there are none
    assert "A vector has no canonical form." in text
    assert "Two workers read the source." in text
    assert "2026-01-02 03:04:05 UTC" in text


def test_page_tells_how_many_differences_are_where() -> None:
    text = Read(page(failed())).text
    where = text[text.index("How many are where") : text.index("One by one")]
    assert where.startswith("How many are where Where counts schema checksum users.name – – 30 ")
    assert "orders (rows) – – 1" in where
    both = failed()
    both.layers["counts"].differs("orders", "(rows)", "m", expected="2", actual="1")
    where = Read(page(both)).text.partition("How many are where")[2].partition("One by one")[0]
    assert "orders (rows) 1 – 1" in where
    assert "orders (row) " not in where
    alone = passed()
    alone.layers["counts"].differs("a", "b", "m", expected="1", actual="2")
    assert "How many are where" not in page(alone)


def test_page_shows_no_value_in_a_column_of_a_row_as_null() -> None:
    verified = passed()
    verified.layers["checksum"].differs("t", "c", "m", id="1", expected="x")
    verified.layers["checksum"].differs("t", "(row)", "m", id="2", expected="a row")
    text = Read(page(verified)).text
    assert "1 x NULL m" in text
    assert "2 a row nothing m" in text


def test_page_of_a_passed_verification_says_what_it_cannot_see() -> None:
    text = Read(page(passed())).text
    assert "Verified: 7 layers, 12,345 rows compared, nothing differs." in text
    assert "a fault in how it converts shows in samples" in text
    assert "Nothing was left out by the layers that were asked." in text


def test_layer_that_checked_nothing_is_not_called_passed() -> None:
    verified = passed("rules")
    verified.layers["rules"].checked = 0
    text = Read(page(verified)).text
    assert "nothing to check" in text
    assert "passed" not in text


def test_layers_that_were_not_asked_are_named() -> None:
    text = Read(page(passed("counts", "checksum"))).text
    assert "Not asked: samples, references, types, rules, schema." in text


def test_page_of_a_refused_verification_says_why_and_proves_nothing() -> None:
    text = Read(verification_page(Verified(), target="", started_at=AT, version="1", error="No run.", hint="Copy."))
    assert "Not verified: No run." in text.text
    assert "Copy." in text.text
    assert "Layers" not in text.text


def test_page_says_when_not_all_differences_are_listed() -> None:
    verified = passed()
    for number in range(MOST_LISTED + 5):
        verified.layers["checksum"].differs("t", "c", "m", id=str(number))
    text = Read(page(verified)).text
    assert "1,005 differences in 1,000 entries; of some layers only the first 1,000 are listed." in text
