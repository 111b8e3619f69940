"""Draw boxes with rows, and lines between them: where boxes stand and how lines run. Pure; a page makes SVG of it.

A box stands for something that refers to others; a row in it for one place that does; a line runs from the row to the
box it points at. Boxes stand in columns, so that most lines run from left to right; a line that passes a column runs
between its boxes. The same boxes and ties give the same drawing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from rich.cells import cell_len

_CELL = 6.7
"""Width of a character of a row, in the font of the page."""
_NAME_CELL = 8.0
_ROW = 18.0
_GAP = 26.0
_LANE = 92.0
"""Room between columns."""
_MARGIN = 14.0
_LEAST_WIDTH, _MOST_WIDTH = 132.0, 300.0
_PAGE = 1160.0
"""Width that a drawing should not go beyond by much."""
_SWEEPS = 8
MOST_CELLS = 40
"""The most characters of a row's text."""
MOST_NAME = 34
"""The most characters of a box's title."""


@dataclass(frozen=True)
class Row:
    """A place in a box that refers to something.

    Attributes:
        text: Its name, shortened.
        share: What is wrong with it, in a word or two; empty where nothing is.
        y: The middle of the row.
    """

    text: str
    share: str
    y: float


@dataclass
class Box:
    """Something that refers to others, or is referred to.

    Attributes:
        name: What ties call it.
        number: What the page calls it.
        title: Its name for people, shortened.
        count: What stands below that, such as how many documents.
        head: Height of what is above the rows.
        kind: Its class on the page; empty for the usual one.
    """

    name: str
    number: int
    title: str
    count: str
    head: float
    kind: str = ""
    width: float = field(init=False)
    rows: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]], init=False)
    column: int = field(default=0, init=False)
    x: float = field(default=0.0, init=False)
    y: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        widest = max(cell_len(self.title) * _NAME_CELL, cell_len(self.count) * _CELL)
        self.width = max(_LEAST_WIDTH, widest + 24)

    def add_row(self, text: str, share: str = "") -> int:
        """Add a row, which may make the box wider; return its number."""
        self.rows.append((text, share))
        self.width = min(_MOST_WIDTH, max(self.width, (cell_len(text) + cell_len(share) + 1) * _CELL + 24))
        return len(self.rows) - 1

    @property
    def height(self) -> float:
        """Height of head and rows."""
        return self.head + len(self.rows) * _ROW + (6 if self.rows else 0)

    @property
    def drawn_rows(self) -> list[Row]:
        """The rows with their places."""
        return [Row(text, share, self.row_y(n)) for n, (text, share) in enumerate(self.rows)]

    def row_y(self, number: int) -> float:
        """Return the middle of a row."""
        return round(self.y + self.head + (number + 0.5) * _ROW, 1)


@dataclass(frozen=True)
class Tie:
    """One line to draw: from a row of a box to another box, or to a row of it where both sides hold it.

    Attributes:
        title: What it says, in a sentence.
        width: Of the line.
        broken: Whether it is drawn as one that does not hold everywhere.
    """

    start: str
    row: int
    end: str
    end_row: int | None
    title: str
    width: float
    broken: bool


@dataclass(frozen=True)
class Line:
    """A tie as it is drawn.

    Attributes:
        path: As SVG takes it.
        both: Whether both sides hold it.
        ends: Numbers of the two boxes.
    """

    path: str
    title: str
    width: float
    broken: bool
    both: bool
    ends: tuple[int, int]


@dataclass(frozen=True)
class Drawing:
    """Boxes and lines with their places."""

    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    width: float
    height: float


def head_height(amount: int, most: int) -> float:
    """Return how high the head of a box is: the higher, the more it stands for, of the most that any does."""
    return round(34 + 26 * math.log1p(amount) / math.log1p(max(1, most)))


def line_width(values: int) -> float:
    """Return how wide a line is: the wider, the more values it stands for."""
    return round(1 + 0.35 * math.log10(max(1, values)), 2)


def lay_out(boxes: Mapping[str, Box], ties: Sequence[Tie]) -> Drawing:
    """Return the drawing of boxes, by name, and of the ties between them; the boxes get their places."""
    if not boxes:
        return Drawing((), (), 0, 0)
    pairs = {(tie.start, tie.end) for tie in ties if tie.start != tie.end}
    columns = _columns(boxes, pairs)
    height = _stand(columns, ties, boxes)
    lines = _Lines(columns, boxes).run(ties)
    width = max(box.x + box.width for box in boxes.values()) + _LANE / 2
    return Drawing(tuple(boxes.values()), tuple(lines), round(width), round(height + 2 * _MARGIN))


def _columns(boxes: Mapping[str, Box], pairs: set[tuple[str, str]]) -> list[list[Box]]:
    """Deal the boxes out to columns, from left to right: what is referred to stands right of what refers to it.

    There are so few columns that the drawing is not much wider than high; what they leave no room for stands together.
    """
    levels = _levels(boxes, pairs)
    right_first = sorted(boxes, key=lambda name: (levels[name], -sum(end == name for _, end in pairs), name))
    total = sum(box.height + _GAP for box in boxes.values())
    wanted = max(1, min(round(math.sqrt(total / 170)), max(levels.values()) + 1))
    dealt = _deal([boxes[name] for name in right_first], wanted)
    while len(dealt) > 2 and sum(max(box.width for box in column) + _LANE for column in dealt) > _PAGE:
        dealt = _deal([boxes[name] for name in right_first], len(dealt) - 1)
    columns = dealt[::-1]
    x = _MARGIN
    for number, column in enumerate(columns):
        for box in column:
            box.column, box.x = number, x
        x += max(box.width for box in column) + _LANE
    return columns


def _deal(boxes: Sequence[Box], wanted: int) -> list[list[Box]]:
    """Deal boxes out to at most so many columns of about the same height, in order."""
    total = sum(box.height + _GAP for box in boxes)
    dealt: list[list[Box]] = [[]]
    used = 0.0
    for box in boxes:
        height = box.height + _GAP
        if dealt[-1] and len(dealt) < wanted and used + height / 2 > total * len(dealt) / wanted:
            dealt.append([])
        dealt[-1].append(box)
        used += height
    return dealt


def _levels(boxes: Mapping[str, Box], pairs: set[tuple[str, str]]) -> dict[str, int]:
    """Return how far from the right end each box should stand: one further than all that it refers to."""
    order = _order(boxes, pairs)
    place = {name: number for number, name in enumerate(order)}
    levels: dict[str, int] = {}
    for name in reversed(order):
        goals = [end for start, end in pairs if start == name and place[end] > place[name]]
        levels[name] = max((levels[goal] + 1 for goal in goals), default=0)
    return levels


def _order(boxes: Mapping[str, Box], pairs: set[tuple[str, str]]) -> list[str]:
    """Return the boxes in an order in which few references point back: ends last, beginnings first.

    The heuristic of Eades, Lin and Smyth for few backward edges.
    """
    goals: dict[str, list[str]] = {name: [] for name in boxes}
    origins: dict[str, list[str]] = {name: [] for name in boxes}
    for start, end in pairs:
        goals[start].append(end)
        origins[end].append(start)
    out = {name: len(ends) for name, ends in goals.items()}
    into = {name: len(starts) for name, starts in origins.items()}
    left = dict.fromkeys(sorted(boxes))
    first: list[str] = []
    last: list[str] = []
    while left:
        chosen = next((name for name in left if not out[name]), None)
        if chosen is not None:
            last.append(chosen)
        else:
            chosen = next((name for name in left if not into[name]), None)
            if chosen is None:
                chosen = max(left, key=lambda name: (out[name] - into[name], name))
            first.append(chosen)
        del left[chosen]
        for name in origins[chosen]:
            out[name] -= 1
        for name in goals[chosen]:
            into[name] -= 1
    return first + last[::-1]


def _stand(columns: Sequence[list[Box]], ties: Sequence[Tie], boxes: Mapping[str, Box]) -> float:
    """Give every box its height in its column, near to what it is tied to; return the height of the highest column."""
    height = max(sum(box.height + _GAP for box in column) for column in columns)
    near: dict[str, list[str]] = {name: [] for name in boxes}
    for tie in ties:
        if tie.start != tie.end:
            near[tie.start].append(tie.end)
            near[tie.end].append(tie.start)
    for column in columns:
        _stack(column, [0.0] * len(column), height)
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 == 0 else columns[::-1]:
            wished = {box.name: _middle(box, near[box.name], boxes) for box in column}
            column.sort(key=lambda box, wished=wished: (wished[box.name], box.name))
            _stack(column, [wished[box.name] - box.height / 2 for box in column], height)
    return height


def _middle(box: Box, near: Sequence[str], boxes: Mapping[str, Box]) -> float:
    others = [boxes[name].y + boxes[name].height / 2 for name in near]
    return sum(others) / len(others) if others else box.y + box.height / 2


def _stack(column: Sequence[Box], wished: Sequence[float], height: float) -> None:
    """Put boxes as near to where they wish as leaves them their order and a gap, between top and bottom."""
    below = _MARGIN
    for box, y in zip(column, wished, strict=True):
        box.y = max(below, y)
        below = box.y + box.height + _GAP
    above = _MARGIN + height
    for box in reversed(column):
        box.y = round(min(box.y, above - box.height - _GAP), 1)
        above = box.y


class _Lines:
    """Runs the lines between boxes that stand."""

    def __init__(self, columns: Sequence[list[Box]], boxes: Mapping[str, Box]) -> None:
        self._columns = columns
        self._boxes = boxes
        self._lanes: dict[tuple[int, int], int] = {}
        self._arrived: dict[tuple[str, str], int] = {}
        self._looped = 0

    def run(self, ties: Sequence[Tie]) -> list[Line]:
        order = sorted(ties, key=lambda tie: (self._boxes[tie.start].row_y(tie.row), tie.start, tie.row, tie.end))
        return [self._line(tie) for tie in order]

    def _line(self, tie: Tie) -> Line:
        start, end = self._boxes[tie.start], self._boxes[tie.end]
        y = start.row_y(tie.row)
        if start.column == end.column:
            path = self._loop(start, y, end, tie)
        else:
            forward = start.column < end.column
            x = start.x + start.width if forward else start.x
            goal_x = end.x if forward else end.x + end.width
            goal_y = self._arrival(end, tie, "left" if forward else "right")
            path = self._way(x, y, goal_x, goal_y, start.column, end.column)
        return Line(path, tie.title, tie.width, tie.broken, tie.end_row is not None, (start.number, end.number))

    def _arrival(self, end: Box, tie: Tie, side: str) -> float:
        """Return where at a box a line ends: beside its head, each a little below the last."""
        if tie.end_row is not None:
            return end.row_y(tie.end_row)
        number = self._arrived.get((end.name, side), 0)
        self._arrived[end.name, side] = number + 1
        return round(end.y + 8 + (number * 6) % max(1, end.head - 14), 1)

    def _loop(self, start: Box, y: float, end: Box, tie: Tie) -> str:
        """Run a line out of the right side of a column and back into it."""
        x, goal_x = start.x + start.width, end.x + end.width
        goal_y = self._arrival(end, tie, "right")
        self._looped += 1
        low, high = min(y, goal_y), max(y, goal_y)
        passed = [box for box in self._columns[start.column] if box.y <= high and box.y + box.height >= low]
        side = max(box.x + box.width for box in passed)
        out = side + 18 + (self._looped * 9) % 40
        there = _straight(x, y, side)
        back = _straight(side, goal_y, goal_x)
        return f"M{x:.1f} {y:.1f}{there} C{out:.1f} {y:.1f} {out:.1f} {goal_y:.1f} {side:.1f} {goal_y:.1f}{back}"

    def _way(self, x: float, y: float, goal_x: float, goal_y: float, begin: int, end: int) -> str:
        step = 1 if begin < end else -1
        points = [(x, y)]
        if step > 0:  # out of the column first, for boxes beside it may be wider
            points.append((self._right(begin), y))
        for number in range(begin + step, end, step):
            column = self._columns[number]
            left, right = column[0].x, self._right(number)
            along = ((left + right) / 2 - x) / ((goal_x - x) or 1)
            lane = self._lane(number, y + along * (goal_y - y))
            points += [(left, lane), (right, lane)] if step > 0 else [(right, lane), (left, lane)]
        if step < 0:
            points.append((self._right(end), goal_y))
        points.append((goal_x, goal_y))
        text = f"M{x:.1f} {y:.1f}"
        for number, (to_x, to_y) in enumerate(points[1:]):
            from_x, from_y = points[number]
            if from_y == to_y:
                text += _straight(from_x, from_y, to_x)
                continue
            bend = 0.5 * (to_x - from_x)
            text += f" C{from_x + bend:.1f} {from_y:.1f} {to_x - bend:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
        return text

    def _right(self, column: int) -> float:
        return max(box.x + box.width for box in self._columns[column])

    def _lane(self, column: int, wished: float) -> float:
        """Return where a line passes a column: in the gap that is nearest to where it wants to be."""
        boxes = self._columns[column]
        ends = [(-math.inf, boxes[0].y)]
        ends += [(one.y + one.height, other.y) for one, other in pairwise(boxes)]
        ends.append((boxes[-1].y + boxes[-1].height, math.inf))

        def distance(gap: tuple[float, float]) -> float:
            return max(gap[0] - wished, wished - gap[1], 0.0)

        number = min(range(len(ends)), key=lambda one: (distance(ends[one]), one))
        low, high = ends[number]
        used = self._lanes.get((column, number), 0)
        self._lanes[column, number] = used + 1
        low = low + 5 if low > -math.inf else max(2.0, high - 24)
        high = high - 5 if high < math.inf else low + 24
        middle = min(max(wished, low), high)
        shift = (used + 1) // 2 * 4 * (1 if used % 2 else -1)
        return round(min(max(middle + shift, low), high), 1)


def _straight(x: float, y: float, to_x: float) -> str:
    """Return a piece of a way that stays at its height; nothing where it has no length: tips need a direction."""
    if abs(to_x - x) < 0.5:
        return ""
    bend = (to_x - x) / 3
    return f" C{x + bend:.1f} {y:.1f} {to_x - bend:.1f} {y:.1f} {to_x:.1f} {y:.1f}"
