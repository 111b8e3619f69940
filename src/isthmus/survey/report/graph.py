"""Draw which collection refers to which: what is a box, a row, a line. Pure; `work.page.drawing` gives them places.

A collection is a box with a row for each field that refers to something. The same survey gives the same drawing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from isthmus.survey.model import Survey
from isthmus.survey.report.relations import Relation, relations
from isthmus.survey.report.words import path_text, short
from isthmus.work.amounts import plural
from isthmus.work.page.drawing import MOST_CELLS, MOST_NAME, Box, Drawing, Tie, head_height, lay_out, line_width


@dataclass(frozen=True)
class Graph(Drawing):
    """The drawing.

    Attributes:
        alone: Collections that refer to nothing and that nothing refers to; they are not drawn.
    """

    alone: tuple[str, ...]


def draw(survey: Survey) -> Graph:
    """Return the drawing of a survey's references."""
    boxes: dict[str, Box] = {}
    ties = list(_ties(survey, boxes))
    drawn = lay_out(boxes, ties)
    alone = tuple(name for name in survey.collections if name not in boxes)
    return Graph(drawn.boxes, drawn.lines, drawn.width, drawn.height, alone)


def _ties(survey: Survey, boxes: dict[str, Box]) -> Iterable[Tie]:
    most = max((one.profile.documents for one in survey.collections.values()), default=1)
    numbers = {name: number for number, name in enumerate(survey.collections)}

    def box(name: str) -> Box:
        if name not in boxes:
            documents = survey.collections[name].profile.documents
            head = head_height(documents, most)
            boxes[name] = Box(name, numbers[name], short(name, MOST_NAME), plural(documents, "document"), head)
        return boxes[name]

    def row(name: str, path: tuple[str, ...], share: str) -> int:
        return box(name).add_row(short(path_text(path), MOST_CELLS), share)

    for relation in relations(survey.references):
        one, other = relation.one, relation.other
        number = row(one.collection, one.path, relation.found if one.orphans else "")
        back = None
        if other is not None:
            back = row(other.collection, other.path, Relation(other).found if other.orphans else "")
        width = line_width(one.values)
        for goal in one.several or (one.to.collection,):
            if goal in survey.collections:
                box(goal)
                there = back if other and other.collection == goal else None
                yield Tie(one.collection, number, goal, there, _title(relation), width, one.orphans > 0)


def _title(relation: Relation) -> str:
    one = relation.one
    found = f"{plural(one.values, 'value')}, {relation.found} found, {one.cardinality}"
    both = f"; {relation.remarks[0]}" if relation.other is not None else ""
    return f"{relation.holder} → {relation.goal}: {found}{both}"
