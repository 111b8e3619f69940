"""The page of a map: every reference is a line of the drawing, and names from a database are only text.

Oracle: the mapping of the test.
"""

from __future__ import annotations

import re
from collections import Counter

from isthmus.mapping import parse_mapping
from isthmus.polyglot.reference_map import ReferenceMap, Written, reference_map
from isthmus.polyglot.reference_page import deleting, draw, heading, page, refusal_page

HOSTILE = "<script>alert('1')</script>"
MAPPING = f"""
isthmus: 1
collections:
  users: {{fields: {{name: text}}}}
  "{HOSTILE}":
    table: posts
    fields:
      author: {{references: users, on_delete: "null"}}
      tags: {{type: jsonb, rewrite: {{"[].by": users}}}}
      notes: {{child: notes, fields: {{by: {{references: users}}}}}}
      about: {{route: {{users: about_user, "{HOSTILE}": about_post}}}}
"""


def told() -> ReferenceMap:
    return reference_map(parse_mapping(MAPPING))


def test_every_reference_is_a_line() -> None:
    drawn, numbers = draw(told())
    assert len(drawn.boxes) == 4  # the collection that refers, and three tables; users has no references of its own
    # author, tags, notes, and the route to each side; then the columns of rows
    assert len(drawn.lines) == 5 + 6
    assert set(numbers) == {"users", "posts", "notes"}


def test_rows_say_what_keeps_them() -> None:
    kept = {one.column: (one.how, deleting(one)) for one in told().rows}
    assert kept == {
        "author": ("column", "foreign key, on delete set null"),
        "tags.[].by": ("jsonb", "no foreign key"),
        "about_user": ("column", "foreign key, on delete refused"),
        "about_post": ("column", "foreign key, on delete refused"),
        "posts_id": ("part", "foreign key, on delete cascade"),
        "by": ("column", "foreign key, on delete refused"),
    }


def test_old_values_are_drawn_as_what_is_left_to_do() -> None:
    some = told()
    some.source = "here"
    written: Counter[Written] = Counter({"object_id": 3, "rewritten": 2})
    some.documents[0].documents, some.documents[0].written = 5, written
    drawn, _ = draw(some)
    assert [row.share for box in drawn.boxes for row in box.drawn_rows if row.share] == ["3 old"]
    assert sum(line.broken for line in drawn.lines) == 1


def test_values_compared_with_another_field_are_never_old() -> None:
    some = reference_map(
        parse_mapping(
            "isthmus: 1\ncollections:\n  users: {fields: {mail: {type: text, unique: true}}}\n"
            "  posts: {fields: {by: {references: users.mail}}}\n"
        )
    )
    some.source = "here"
    some.documents[0].documents, some.documents[0].written = 2, Counter({"other": 2})
    drawn, _ = draw(some)
    assert not [row.share for box in drawn.boxes for row in box.drawn_rows if row.share]


def test_names_are_only_text_on_the_page() -> None:
    text = page(told(), version="1.0")
    assert HOSTILE not in text
    assert "&lt;script&gt;" in text
    assert len(re.findall(r"<script[ >]", text)) == 1
    assert heading(told()) in text
    assert "Documents" in text


def test_page_of_a_map_that_came_to_nothing_says_why() -> None:
    text = refusal_page("the <mapping> is wrong", "Correct it.", version="1.0")
    assert "No map: the &lt;mapping&gt; is wrong" in text
    assert "Correct it." in text
