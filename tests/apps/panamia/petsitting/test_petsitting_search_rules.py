"""Places, rings, cursors and what can be looked for: pure, so without a database.

Oracle of places: points drawn at a known distance and bearing from another one, by the formula of the direct problem on
a sphere, which is another one than the haversine.
"""

from __future__ import annotations

import datetime
import math
import random
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from apps.panamia.petsitting.days import Days
from apps.panamia.petsitting.listings import rules
from apps.panamia.petsitting.listings.cursors import End, end_of
from apps.panamia.petsitting.listings.places import EARTH_KM, FARTHEST_KM, Box, Place, box_around, rings
from apps.panamia.web.cursors import Cursor
from apps.panamia.web.errors import RefusedError

NOON = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
KINDS = (rules.Kind("pet-sitting", 90, 365), rules.Kind("rental", 365, 730))
KEY = "g" * 24


def went(place: Place, km: float, bearing: float) -> Place:
    """Return where somebody is who went so far in one direction, in radians from the north."""
    reach, lat = km / EARTH_KM, math.radians(place.lat)
    there = math.asin(
        max(-1.0, min(1.0, math.sin(lat) * math.cos(reach) + math.cos(lat) * math.sin(reach) * math.cos(bearing)))
    )
    turned = math.atan2(
        math.sin(bearing) * math.sin(reach) * math.cos(lat), math.cos(reach) - math.sin(lat) * math.sin(there)
    )
    lng = (place.lng + math.degrees(turned) + 180) % 360 - 180
    return Place(math.degrees(there), lng)


def holds(box: Box, place: Place) -> bool:
    """Whether a place lies in a box."""
    beside = not box.spans or any(west <= place.lng <= east for west, east in box.spans)
    return beside and box.south <= place.lat <= box.north


def test_box_holds_all_that_is_near() -> None:
    draw = random.Random(9)
    places = [
        Place(lat, lng) for lat in (-90, -89.99, -60, 0, 25.76, 88.5, 89.9, 90) for lng in (-180, -80.2, 0, 179.9)
    ]
    places += [Place(draw.uniform(-90, 90), draw.uniform(-180, 180)) for _ in range(200)]
    for place in places:
        km = draw.choice([0.001, 1, 20, FARTHEST_KM])
        box = box_around(place, km)
        for _ in range(40):
            there = went(place, km * math.sqrt(draw.random()), draw.uniform(0, 2 * math.pi))
            assert holds(box, there), (place, km, there)


def test_box_is_hardly_larger_than_need_be() -> None:
    box = box_around(Place(25.76, -80.19), 50)
    assert not holds(box, went(Place(25.76, -80.19), 75, math.pi / 2))
    assert not holds(box, went(Place(25.76, -80.19), 51, 0))


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ("dog -cats", "dog", ["cats"]),
        ('dog -"big cats" "calm garden"', 'dog "calm garden"', ['"big cats"']),
        ('"not -this" well-known --that', '"not -this" well-known', ["that"]),
        ("- -- -", "", []),
        ('-"open', "", ['"open']),
        ('"', '"', []),
        ("", "", []),
    ],
)
def test_words_that_are_not_wanted_are_told_from_those_that_are(text: str, wanted: str, unwanted: list[str]) -> None:
    assert rules.words_of(text) == (wanted, unwanted)


@pytest.mark.parametrize(
    ("place", "spans"),
    [
        (Place(0, 179.9), 2),
        (Place(0, -179.9), 2),
        (Place(0, 180), 2),
        (Place(0, -180), 2),
        (Place(0, 0), 1),
        (Place(89.5, 0), 0),
        (Place(-90, 12), 0),
    ],
)
def test_box_is_split_at_the_180th_meridian_and_whole_around_the_poles(place: Place, spans: int) -> None:
    box = box_around(place, 60)
    assert len(box.spans) == spans
    assert all(-180 <= west <= east <= 180 for west, east in box.spans)
    assert -90 <= box.south < box.north <= 90


@pytest.mark.parametrize(
    ("begin", "end"), [(0, 200), (0, 0.5), (0, 1), (2.9, 200), (3, 200), (199.99, 200), (200, 200), (5, 5.1)]
)
def test_rings_cover_a_distance_once(begin: float, end: float) -> None:
    found = rings(begin, end)
    assert found[0][0] == begin
    assert found[-1][1] == end
    assert all(one[1] == other[0] for one, other in pairwise(found))
    assert all(inner < outer for inner, outer in found) or found == [(begin, end)]
    assert len(found) < 8


@pytest.mark.parametrize("distance", [0.0, 1e-12, 0.1 + 0.2, 199.99999999999997, 20_015.1])
def test_cursor_of_a_distance_comes_back_as_it_was(distance: float) -> None:
    assert end_of(str(End(distance, KEY)), "nearest") == End(distance, KEY)


def test_cursor_is_of_one_order() -> None:
    at = datetime.datetime(2026, 11, 23, 1, 2, 3, 456_789, tzinfo=datetime.UTC)
    near, price, newest = End(1.5, KEY), End(Decimal("25.000"), KEY), Cursor(at, KEY)
    assert end_of(str(price), "price") == price
    assert end_of(str(newest), "newest") == newest
    assert end_of(None, "nearest") is None
    orders: list[tuple[Any, list[rules.Sort]]] = [
        (near, ["price", "newest"]),
        (price, ["nearest", "newest"]),
        (newest, ["nearest", "price"]),
    ]
    for end, others in orders:
        for sort in others:
            with pytest.raises(RefusedError) as fault:
                end_of(str(end), sort)
            assert (fault.value.status, fault.value.code) == (400, "cursor")


NEVER_GIVEN = [
    "",
    "x",
    "n.g",
    f"n{'f' * 16}.{KEY}",  # not a number
    f"n7ff0000000000000.{KEY}",  # endless
    f"nbff0000000000000.{KEY}",  # less than nothing
    f"n{'0' * 15}.{KEY}",
    f"p.{KEY}",
    "p1.",
    f"p1e9.{KEY}",
    f"p-1.{KEY}",
    f"p{'9' * 10}.{KEY}",
    f"p1.{KEY}\n",
    f"p\u0661.{KEY}",
]


@pytest.mark.parametrize("text", NEVER_GIVEN)
def test_cursor_that_was_never_given_is_refused(text: str) -> None:
    for sort in ("nearest", "price", "newest"):
        with pytest.raises(RefusedError) as fault:
            end_of(text, sort)
        assert fault.value.code == "cursor"


@pytest.mark.parametrize(
    ("first", "count", "code"),
    [
        ("2026-11-22", 3, "past"),
        ("2026-11-23", 91, None),
        ("2026-11-23", 366, "too-long"),
        ("2027-11-24", 1, None),
        ("2027-11-25", 1, None),
        ("2028-11-24", 1, "too-far"),
        ("9999-12-30", 1, "too-far"),
        ("2027-11-25", 91, None),
    ],
)
def test_days_are_looked_for_where_a_kind_allows_them(first: str, count: int, code: str | None) -> None:
    begin = datetime.date.fromisoformat(first)
    days = Days(begin, begin + datetime.timedelta(count))
    if code is None:
        found = [one.key for one in rules.check_wanted_days(days, NOON, KINDS)]
        pets = count <= 90 and begin <= datetime.date(2027, 11, 24)
        assert found == (["pet-sitting", "rental"] if pets else ["rental"])
        return
    with pytest.raises(RefusedError) as fault:
        rules.check_wanted_days(days, NOON, KINDS)
    assert (fault.value.status, fault.value.code) == (422, code)


def test_today_is_looked_at_where_it_begins_first_and_ends_last() -> None:
    for hour, early, late in ((0, 22, 23), (9, 22, 23), (10, 22, 24), (12, 23, 24), (23, 23, 24)):
        now = NOON.replace(hour=hour)
        assert (rules.earliest_today(now).day, rules.latest_today(now).day) == (early, late)


@pytest.mark.parametrize(
    ("text", "digits", "price"),
    [("25.00", 2, "25.00"), ("0.001", 3, "0.001"), ("999999999.999", 3, "999999999.999"), ("5", 0, "5")],
)
def test_price_is_what_is_written(text: str, digits: int, price: str) -> None:
    assert rules.price_of(text, digits) == Decimal(price)


def test_price_is_told_with_all_digits_and_never_rounded() -> None:
    assert rules.price_text(Decimal("25.500"), 2) == "25.50"
    assert rules.price_text(Decimal("1000.000"), 0) == "1000"
    assert rules.price_text(Decimal("0.005"), 2) == "0.005"
    assert rules.price_text(Decimal("999999999.999"), 3) == "999999999.999"
