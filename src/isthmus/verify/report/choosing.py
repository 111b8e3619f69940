"""What of a verification is told where there is not room for all of it, and in which order. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from isthmus.verify.result import ColumnCheck, Difference, Layer, Verified


def first_differences(verified: Verified, most: int) -> list[Difference]:
    """Return at most that many differences, in order: some of every layer and of each table, if there is room."""
    queues = [
        [one for one in layer.differences if one.table == table]
        for layer in verified.layers.values()
        for table in dict.fromkeys(one.table for one in layer.differences)
    ]
    taken = [0] * len(queues)
    # Layers take turns before tables of one layer do, or a layer with many tables would push the others out.
    turns: dict[Layer, list[int]] = {}
    for number, queue in enumerate(queues):
        turns.setdefault(queue[0].layer, []).append(number)
    left = most
    while left > 0 and any(turns.values()):
        for mine in turns.values():
            while mine and taken[mine[0]] >= len(queues[mine[0]]):
                mine.pop(0)
            if mine and left > 0:
                number = mine.pop(0)
                taken[number] += 1
                left -= 1
                mine.append(number)
    return [one for queue, count in zip(queues, taken, strict=True) for one in queue[:count]]


@dataclass(frozen=True)
class Total:
    """How many differences of one layer there are at one place.

    Attributes:
        layer: Who found them.
        place: Table, or column as `table.column`.
        count: How many, listed or not.
    """

    layer: Layer
    place: str
    count: int


def totals(verified: Verified) -> list[Total]:
    """Return how many differences each layer found where: layers in their order, of each the most first."""
    return [
        Total(name, place_of(table, path) or "source and target", count)
        for name, layer in verified.layers.items()
        for (table, path), count in sorted(layer.places.items(), key=lambda one: (-one[1], one[0]))
    ]


@dataclass
class Uncompared:
    """What was left out for one reason.

    Attributes:
        why: The reason, a sentence.
        layer: Who left it out.
        places: Where: tables, or columns as `table.column`.
        count: How much, in the layer's unit, also of what a ledger accounts for; 0 where there was nothing of it.
    """

    why: str
    layer: Layer
    places: list[str] = field(default_factory=list[str])
    count: int = 0


def uncompared(verified: Verified) -> list[Uncompared]:
    """Return what was not compared, by layer and reason, in the order of the layers."""
    found: dict[tuple[Layer, str], Uncompared] = {}
    for name, layer in verified.layers.items():
        for check in layer.columns:
            if check.left_out or check.why:
                why, count = _without_number(check)
                one = found.setdefault((name, why), Uncompared(why, name))
                one.places.append(place_of(check.table, check.column))
                one.count += count
    return list(found.values())


def _without_number(check: ColumnCheck) -> tuple[str, int]:
    """Return a reason and how many it is of: reasons that differ in their own number only are one."""
    for count in (check.left_out, check.accounted):
        if count and check.why.startswith(f"{count:,} "):
            return check.why.removeprefix(f"{count:,} "), count
    return check.why or "no reason is given", check.left_out


@dataclass
class Covered:
    """What all layers did about one column, constraint or collection.

    Attributes:
        table: Table or collection.
        column: Column or other part; empty for the whole.
        checks: By layer.
    """

    table: str
    column: str
    checks: dict[Layer, ColumnCheck] = field(default_factory=dict[Layer, ColumnCheck])

    @property
    def compared(self) -> int:
        """How much was compared, by the layer that compared most."""
        return max((one.compared for one in self.checks.values()), default=0)

    @property
    def seen(self) -> str:
        """What the source has there, as far as a layer counted it."""
        return "; ".join(dict.fromkeys(one.seen for one in self.checks.values() if one.seen))

    @property
    def why(self) -> str:
        """Why something of it was not compared, layer by layer; empty where everything was."""
        return " ".join(f"{layer}: {one.why}" for layer, one in self.checks.items() if one.why)


def coverage(verified: Verified) -> list[Covered]:
    """Return column by column what the layers did, tables in the order in which they are met, the whole table first."""
    found: dict[tuple[str, str], Covered] = {}
    for name, layer in verified.layers.items():
        for check in layer.columns:
            covered = found.setdefault((check.table, check.column), Covered(check.table, check.column))
            before = covered.checks.get(name)
            covered.checks[name] = check if before is None else _together(before, check)
    order = {table: number for number, table in enumerate(dict.fromkeys(table for table, _ in found))}
    return sorted(found.values(), key=lambda one: (order[one.table], one.column != ""))


def place_of(table: str, column: str) -> str:
    """Return a column as `table.column`, another part as `table (part)`, a table by its name."""
    return (" " if column.startswith("(") else ".").join(part for part in (table, column) if part)


def _together(one: ColumnCheck, other: ColumnCheck) -> ColumnCheck:
    return ColumnCheck(
        one.table,
        one.column,
        one.compared + other.compared,
        one.accounted + other.accounted,
        one.left_out + other.left_out,
        " ".join(dict.fromkeys(why for why in (one.why, other.why) if why)),
        "; ".join(dict.fromkeys(seen for seen in (one.seen, other.seen) if seen)),
    )
