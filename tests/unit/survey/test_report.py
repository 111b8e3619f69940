"""The summary and the page of a survey: what they say, and that nothing in the data can make them say something else.

Cannot see: whether the page is pleasant to look at; a person opens it in a browser.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from html.parser import HTMLParser
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
from bson import DBRef, ObjectId
from rich.console import Console
from rich.text import Text

from isthmus.survey.model import LookedIn, Survey
from isthmus.survey.report.fields import field_rows
from isthmus.survey.report.graph import Graph, draw
from isthmus.survey.report.html import page
from isthmus.survey.report.kinds import index_texts, kind_text
from isthmus.survey.report.oddities import notes, oddities
from isthmus.survey.report.relations import relations
from isthmus.survey.report.terminal import Block, Point, summary
from isthmus.survey.report.words import date_text, example_text, path_text
from isthmus.work.amounts import share_text
from tests.unit.survey.surveys import survey_of

VOID = {"meta", "br", "link", "img", "input"}
HOSTILE = ["<script>alert(1)<", '"><img src=x onerror=alert(1)>', "a\x1b[31mred", "{{ 7 * 7 }}", "&amp;", "x\u202eevil"]


def printed(blocks: Iterable[Block], width: int) -> str:
    """Return a summary as a terminal that many columns wide shows it."""
    shown = io.StringIO()
    console = Console(file=shown, width=width, force_terminal=True, color_system=None, highlight=False)
    for block in blocks:
        console.print(Text.assemble(block.lead, block.text) if isinstance(block, Point) else block)
    return shown.getvalue()


class Page(HTMLParser):
    """Reads a page, and holds each tag against the one that closes it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.script = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.script += data
        elif not self.open or self.open[-1] != "style":
            self.text += data


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    """Thirty collections that refer to each other, the first ones with hostile names, fields and values."""
    names = [*HOSTILE, "users", *(f"module_{n:02}" for n in range(23))]
    ids = {name: [ObjectId() for _ in range(8 + 5 * (n % 4))] for n, name in enumerate(names)}
    collections: dict[str, list[dict[str, Any]]] = {}
    for number, name in enumerate(names):
        goals = [names[(number * step + 3) % len(names)] for step in (2, 3, 7)[: number % 4]]
        collections[name] = [
            {
                "_id": _id,
                "</td></table>": n,
                "<b>": HOSTILE[n % len(HOSTILE)],
                "user": ids["users"][n % 8],
                **{f"{goal}_ref": ids[goal][n % len(ids[goal])] for goal in goals},
            }
            for n, _id in enumerate(ids[name])
        ]
    index = {"v": 2, "key": {"</code><script>": 1}, "name": "x", "unique": True}
    return survey_of(tmp_path_factory.mktemp("web"), collections, indexes={"users": [index]})


def test_page_holds_nothing_of_the_data_as_markup(web: Survey) -> None:
    text = page(web)
    read = Page(text)
    plain = Page(page(replace(web, collections={}, references=(), advice={})))
    assert {tag for tag, _ in read.tags} - {tag for tag, _ in plain.tags} <= {
        *("a", "caption", "code", "defs", "figcaption", "figure", "g", "marker", "path", "rect", "svg", "table"),
        *("tbody", "td", "text", "th", "thead", "tr", "strong", "div", "span", "p"),
    }
    assert sum(tag == "script" for tag, _ in read.tags) == 1
    assert not [attrs for _, attrs in read.tags if any(name.startswith("on") for name in attrs)]
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "<script>alert(1)<" in read.text
    assert "{{ 7 * 7 }}" in read.text


def test_page_opens_without_network(web: Survey) -> None:
    read = Page(page(web))
    links = [value for _, attrs in read.tags for name, value in attrs.items() if name in {"href", "src", "action"}]
    assert links
    assert all(link is not None and link.startswith("#") for link in links)
    targets = {f"#{attrs['id']}" for _, attrs in read.tags if "id" in attrs}
    assert set(links) <= targets, "every link leads to a place of the page"


def test_only_the_script_of_the_page_may_run(web: Survey) -> None:
    read = Page(page(web))
    policy = next(attrs["content"] for tag, attrs in read.tags if tag == "meta" and "http-equiv" in attrs)
    digest = base64.b64encode(hashlib.sha256(read.script.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'"


def test_bars_and_tables_say_in_words_what_they_show(web: Survey) -> None:
    tags = Page(page(web)).tags
    bars = [attrs for tag, attrs in tags if tag == "div" and attrs.get("class") == "types"]
    assert bars
    assert all(bar["role"] == "img" and bar["aria-label"] for bar in bars)
    assert sum(tag == "caption" for tag, _ in tags) == sum(tag == "table" for tag, _ in tags)


def test_summary_of_hostile_names_has_no_control_characters(web: Survey) -> None:
    text = printed(summary(web), 80)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    assert r"a\x1b[31mred" in text


@pytest.mark.parametrize("width", [80, 120])
def test_summary_fits_the_terminal(web: Survey, width: int) -> None:
    lines = printed(summary(web), width).splitlines()
    assert max(map(len, lines)) <= width
    heads = [line.split() for line in lines if line.startswith("  From")]
    assert heads == [["From", "To", "By", "Values", "Found", "Orphans", "Kind"]], "no column is cut off"


def overlap(graph: Graph) -> list[tuple[str, str]]:
    return [
        (one.name, other.name)
        for one, other in combinations(graph.boxes, 2)
        if one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    ]


def test_boxes_of_the_drawing_stand_apart_and_inside_of_it(web: Survey) -> None:
    graph = draw(web)
    assert len(graph.boxes) + len(graph.alone) == 30
    assert overlap(graph) == []
    for box in graph.boxes:
        assert box.x >= 0
        assert box.x + box.width <= graph.width
        assert box.y >= 0
        assert box.y + box.height <= graph.height


def test_every_reference_is_a_line_from_its_row_to_its_collection(web: Survey) -> None:
    graph = draw(web)
    numbers = {name: number for number, name in enumerate(web.collections)}
    told = [relation.one for relation in relations(web.references)]
    wanted = sorted(
        (numbers[one.collection], numbers[goal]) for one in told for goal in one.several or [one.to.collection]
    )
    assert sorted(line.ends for line in graph.lines) == wanted
    assert sum(len(box.rows) for box in graph.boxes) == len(web.references)
    assert draw(web) == graph, "the same survey gives the same drawing"


def places(path: str) -> Iterator[tuple[float, float]]:
    """Yield places along a path of curves, ends left out."""
    numbers = [float(one) for one in re.findall(r"-?[\d.]+", path)]
    here, rest = (numbers[0], numbers[1]), numbers[2:]
    for n in range(0, len(rest), 6):
        (ax, ay), (bx, by, cx, cy, dx, dy) = here, rest[n : n + 6]
        for t in (step / 40 for step in range(1, 40)):
            u = 1 - t
            weights = (u**3, 3 * u * u * t, 3 * u * t * t, t**3)
            yield (
                sum(w * v for w, v in zip(weights, (ax, bx, cx, dx), strict=True)),
                sum(w * v for w, v in zip(weights, (ay, by, cy, dy), strict=True)),
            )
        here = (dx, dy)


def test_lines_run_between_boxes_and_not_behind_them(web: Survey) -> None:
    graph = draw(web)
    behind = [
        (line.title, box.name)
        for line in graph.lines
        for x, y in places(line.path)
        for box in graph.boxes
        if box.x + 1 < x < box.x + box.width - 1 and box.y + 1 < y < box.y + box.height - 1
    ]
    assert sorted(set(behind)) == []


def test_every_piece_of_a_line_has_a_length(web: Survey) -> None:
    """A tip turns as the piece that it ends; at a piece without a length it would be turned wrongly."""
    for line in draw(web).lines:
        ends = re.findall(r"(?:^M|C[-\d. ]+? )([-\d.]+ [-\d.]+)(?= C|$)", line.path)
        assert len(ends) > 1
        assert all(one != other for one, other in pairwise(ends)), line.path


def test_drawing_without_references_is_empty(tmp_path: Path) -> None:
    survey = survey_of(tmp_path, {"a": [{"_id": 1, "x": 1}]})
    assert (draw(survey).boxes, draw(survey).alone) == ((), ("a",))
    assert "<svg" not in page(survey)


def test_two_sides_of_a_relation_are_one_line_and_one_row(tmp_path: Path) -> None:
    a, b = [ObjectId() for _ in range(20)], [ObjectId() for _ in range(20)]
    tasks = [{"_id": a[n], "docs": [b[n], b[(n + 1) % 20]]} for n in range(20)]
    docs = [{"_id": b[n], "tasks": [a[n], a[(n - 1) % 20]]} for n in range(20)]
    survey = survey_of(tmp_path, {"tasks": tasks, "docs": docs})
    (relation,) = relations(survey.references)
    assert relation.other is not None
    (line,) = draw(survey).lines
    assert line.both
    assert "↔ " in printed(summary(survey), 120)


def test_field_rows_tell_present_null_and_missing_apart(tmp_path: Path) -> None:
    documents = [{"_id": n, **({"a": None if n % 3 else "x"} if n % 2 else {})} for n in range(12)]
    rows = {row.name: row for row in field_rows(survey_of(tmp_path, {"c": documents}).collections["c"].profile)}
    assert rows["a"].shares == (2, 4, 6)
    assert [(part.kind, part.count, part.whole) for part in rows["a"].parts] == [
        ("string", 2, 12),
        ("null", 4, 12),
        ("missing", 6, 12),
    ]


DETAILS: list[tuple[list[Any], str, str]] = [
    (["open", "done", "open", "open"], "string", "open (3), done (1)"),
    (["ann@example.com", "bob@example.org"] * 2, "string", "e-mail addresses, 15 characters, 2 different values"),
    ([1999, 2024, 2001, 1999], "int", "1999 … 2024, 3 different values"),
    ([1.5, 2.0, 1.25, 1.5], "double", "1.25 … 2, up to 2 digits behind the point, 3 different values"),
    ([True, False, True, True], "bool", "true (3), false (1)"),
    ([["a"], ["a", "b"], [], ["b"]], "array of string", "0 … 2 elements each, 1 empty, a (2), b (2)"),
    (["5f1e1c9a3f2b4c0d8e7f6a5b"] * 4, "string", "24 hexadecimal digits, 5f1e1c9a3f2b4c0d8e7f6a5b (4)"),
    ([1, "1", 1, 1], "int 75 %, string 25 %", 'texts are numbers, 1 (3), "1" (1)'),
    (["", " x", "x", "x", "x", "x"], "string", '1 with a space at an end, x (4), "" (1), " x" (1)'),
]


@pytest.mark.parametrize(("values", "types", "details"), DETAILS, ids=[one[1] + one[2][:12] for one in DETAILS])
def test_details_of_a_field(tmp_path: Path, values: list[Any], types: str, details: str) -> None:
    survey = survey_of(tmp_path, {"c": [{"_id": n, "f": value} for n, value in enumerate(values)]})
    row = next(row for row in field_rows(survey.collections["c"].profile) if row.name == "f")
    assert (row.types, ", ".join(row.details)) == (types, details)


def odd(tmp_path: Path, documents: list[Mapping[str, Any]]) -> str:
    return "\n".join(oddities(survey_of(tmp_path, {"c": documents}).collections["c"]))


def test_oddities_name_what_a_copy_must_decide_on(tmp_path: Path) -> None:
    documents: list[Mapping[str, Any]] = [
        {
            "_id": 1,
            "text": "a\0b",
            "n": float("nan"),
            "a.b": 1,
            "": 2,
            "x" * 70: 3,
            "stats": {f"2024-01-{n:02}": n for n in range(1, 29)},
        },
        {"_id": "1", "text": 5, "n": 1.5, "$odd": 1},
    ]
    said = odd(tmp_path, documents)
    assert "1 text with NUL in text: PostgreSQL's text holds no NUL." in said
    assert "1 NaN in n: JSON has none" in said
    assert "_id is of several types: int 50 %, string 50 %." in said
    assert r"Fields with a dot in the key: a\.b (1)." in said
    assert "Fields with an empty key: " in said
    assert "Fields with a key of more than 63 bytes" in said
    assert "Fields with a key that begins with a dollar sign: $odd (1)." in said
    assert "In stats, its keys are data: 28 different keys (ISO dates), such as 2024-01-" in said
    assert "Fields of several types: text (" in said


def test_ordinary_collection_has_no_oddities(tmp_path: Path) -> None:
    assert odd(tmp_path, [{"_id": n, "a": "x", "d": {"e": 1}} for n in range(3)]) == ""


def test_kinds_and_indexes_are_named_as_such(tmp_path: Path) -> None:
    survey = survey_of(
        tmp_path,
        {"log": [{"_id": 1}], "fs.files": [{"_id": 1}], "fs.chunks": [{"_id": 1}], "users": [{"_id": 1}], "seen": None},
        options={"log": {"capped": True, "size": 4096, "max": 10}, "seen": {"viewOn": "users", "pipeline": []}},
        indexes={
            "users": [
                {"v": 2, "key": {"a": 1, "b": -1}, "name": "ab", "unique": True},
                {"v": 2, "key": {"at": 1}, "name": "ttl", "expireAfterSeconds": 60},
                {"v": 2, "key": {"_fts": "text", "_ftsx": 1}, "name": "t", "weights": {"title": 1, "body": 2}},
                {"v": 2, "key": {"c": 1}, "name": "c", "partialFilterExpression": {"d": 1}},
            ]
        },
    )
    assert kind_text(survey, "log") == "capped (4.1 kB, 10 documents)"
    assert kind_text(survey, "fs.chunks") == "chunks of the GridFS bucket fs"
    assert kind_text(survey, "users") == ""
    assert index_texts(survey.collections["users"]) == [
        "a, b descending (unique)",
        "at (expires after 60 s)",
        "title, body (text)",
        "c (partial)",
    ]
    said = "\n".join(notes(survey))
    assert "seen was left out: seen is a view" in said
    assert "fs is a GridFS bucket" in said


def test_sample_says_what_it_cannot_see(tmp_path: Path) -> None:
    ids = [ObjectId() for _ in range(9000)]
    things = [{"_id": one, "text": "x" * 500} for one in ids]
    survey = survey_of(tmp_path, {"things": things, "few": [{"_id": 1}]}, sample=600)
    assert survey.collections["things"].sampled
    assert not survey.collections["few"].sampled
    said = "\n".join(notes(survey))
    assert "Only a sample was read of 1 collection (things: 7,864 documents)" in said
    assert "fewer than about one document in 2,621 has" in said
    assert "orphans are not told" in said
    assert "a sample was read." in printed(summary(survey), 200)


def test_sample_larger_than_every_collection_is_no_sample(tmp_path: Path) -> None:
    survey = survey_of(tmp_path, {"few": [{"_id": 1}]}, sample=600)
    assert "and all were read: no collection has more" in "\n".join(notes(survey))


def test_filters_are_named_with_their_false_positives(tmp_path: Path) -> None:
    survey = survey_of(tmp_path, {"few": [{"_id": 1}]})
    assert "each of them exact" in "\n".join(notes(survey))
    filtered = replace(survey, looked_in=(LookedIn("big", ("_id",), 9_000_000, exact=False, false_positives=0.00125),))
    assert "became filters, which take a share of foreign values for members: big._id (9,000,000 values, 0.0013)." in (
        "\n".join(notes(filtered))
    )


def test_dbref_and_orphans_are_told_with_examples(tmp_path: Path) -> None:
    ids = [ObjectId() for _ in range(20)]
    lost = ObjectId()
    posts = [{"_id": n, "by": DBRef("users", ids[n % 20] if n else lost)} for n in range(40)]
    survey = survey_of(tmp_path, {"users": [{"_id": one} for one in ids], "posts": posts})
    (relation,) = relations(survey.references)
    assert (relation.holder, relation.goal, relation.form, relation.found, relation.orphans) == (
        "posts.by",
        "users",
        "DBRef",
        "97.5 %",
        "1",
    )
    assert f"not found: users {lost}" in relation.remarks


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 5, "0 %"),
        (5, 5, "100 %"),
        (1, 3, "33.3 %"),
        (1, 10_000, "< 0.1 %"),
        (9_999, 10_000, "> 99.9 %"),
        (1, 4, "25 %"),
        (0, 0, "–"),
    ],
)
def test_share_never_calls_a_part_the_whole(part: int, whole: int, text: str) -> None:
    assert share_text(part, whole) == text


def test_words_for_dates_paths_and_values() -> None:
    assert date_text(0) == "1970-01-01"
    assert date_text(1_700_000_000_000) == "2023-11-14 22:13"
    assert date_text(2**62).startswith("year 146,")
    assert path_text(("a", "[]", "b.c", "")) == 'a[]."b.c".""'
    assert example_text('{"$oid": "5f1e1c9a3f2b4c0d8e7f6a5b"}') == "5f1e1c9a3f2b4c0d8e7f6a5b"
    assert example_text('{"$numberLong": "7"}') == "7"
    uuid = '{"$binary": {"base64": "AAECAwQFBgcICQoLDA0ODw==", "subType": "04"}}'
    assert example_text(uuid) == "00010203-0405-0607-0809-0a0b0c0d0e0f"
    assert example_text('"x\\u001b"') == '"x\\u001b"'
