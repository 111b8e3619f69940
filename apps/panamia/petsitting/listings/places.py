"""Places on the earth, and which of them can lie within so many kilometres of one. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

EARTH_KM = 6_371.0088
"""The mean radius of the earth (IUGG)."""
FARTHEST_KM = 200
"""How far a search looks around a place at most."""
_SLACK = 1e-9
"""Degrees that a box is wider than it need be: a tenth of a millimetre, which rounding may have taken."""
_FIRST_KM, _WIDER = 1.0, 5.0


@dataclass(frozen=True)
class Place:
    """A point on the earth, in degrees: `lat` from -90 to 90, `lng` from -180 to 180."""

    lat: float
    lng: float


@dataclass(frozen=True)
class Around:
    """What lies within so many kilometres of a place."""

    place: Place
    km: float


@dataclass(frozen=True)
class Box:
    """What lies between two parallels and within spans of longitude; one is split at the 180th meridian.

    Attributes:
        south: The lower parallel, in degrees.
        north: The upper one.
        spans: From west to east, ends and all; empty where every longitude is meant.
    """

    south: float
    north: float
    spans: tuple[tuple[float, float], ...]


def box_around(place: Place, km: float) -> Box:
    """Return a box that holds all that lies within so many kilometres, and little else.

    Source: the extreme longitudes of a circle on a sphere, asin(sin(radius) / cos(latitude)).
    """
    reach = math.degrees(km / EARTH_KM) + _SLACK
    south, north = place.lat - reach, place.lat + reach
    if south <= -90 or north >= 90:  # a pole is in it, where all meridians meet
        return Box(max(south, -90.0), min(north, 90.0), ())
    half = math.degrees(math.asin(min(1.0, math.sin(math.radians(reach)) / math.cos(math.radians(place.lat))))) + _SLACK
    west, east = place.lng - half, place.lng + half
    if west <= -180 and east >= 180:
        return Box(south, north, ())
    if west <= -180:
        return Box(south, north, ((-180.0, east), (west + 360, 180.0)))
    if east >= 180:
        return Box(south, north, ((west, 180.0), (-180.0, east - 360)))
    return Box(south, north, ((west, east),))


def rings(from_km: float, to_km: float) -> list[tuple[float, float]]:
    """Cut a distance into rings, each from its inner edge to its outer one: near ones narrow, far ones wide.

    Args:
        from_km: Where the first begins, in kilometres.
        to_km: Where the last one ends, in kilometres.
    """
    found: list[tuple[float, float]] = []
    inner, outer = from_km, _FIRST_KM
    while outer * 2 <= to_km:
        if outer > inner:
            found.append((inner, outer))
            inner = outer
        outer *= _WIDER
    return [*found, (inner, to_km)]
