"""What a save changes in a document: single fields, so that nothing else of it is touched. Pure.

A field that is no object where one belongs gives way to the object that is saved. In lists an element that stays as it
was keeps all it holds, also what is not shown; one that changes in its place keeps what is not shown.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import BaseModel

from . import words
from .document import Address, Slot, profile_of
from .inputs import SaveAddress, SaveProfile

_PLAIN = (
    "name",
    "five_words",
    "details",
    "background",
    "tags",
    "hearaboutus",
    "locally_based",
    "phone_number",
    "whatsapp_community",
)
"""Fields that are called as in documents."""
_PLACE = {
    "name": "name",
    "line1": "street1",
    "line2": "street2",
    "locality": "city",
    "region": "state",
    "postal_code": "zipcode",
    "lat": "lat",
    "lng": "lng",
    "google_place_id": "google_place_id",
    "hours": "hours",
}
_SECTIONS: dict[str, tuple[str, dict[str, str]]] = {
    "socials": (
        "socials",
        {one: one for one in ("website", "instagram", "facebook", "tiktok", "twitter", "spotify")},
    ),
    "address": ("primary_address", _PLACE),
    "images": (
        "images",
        {"primary": "primary", "primary_cdn": "primaryCDN"}
        | {f"gallery{one}": f"gallery{one}" for one in (1, 2, 3)}
        | {f"gallery{one}_cdn": f"gallery{one}CDN" for one in (1, 2, 3)},
    ),
    "gentedepana": ("gentedepana", {one: one for one in ("code", "percentage", "details")}),
    "mentoring": (
        "mentoring",
        {one: one for one in ("enabled", "expertise", "languages", "bio", "goals")}
        | {"video_intro_url": "videoIntroUrl", "hourly_rate": "hourlyRate"},
    ),
    "availability": ("availability", {"timezone": "timezone", "schedule": "schedule"}),
}
"""Section → where it stands in documents, and what its fields are called there."""
_FLAGS = {
    "pronouns": words.PRONOUNS,
    "categories": words.CATEGORIES,
    "counties": words.COUNTIES,
}
_PLACE_NAMES = frozenset({*_PLACE.values(), *_PLACE, "postalCode", "googlePlaceId"})
_SLOT = {"day": "day", "start_time": "startTime", "end_time": "endTime"}


@dataclass
class Change:
    """What becomes of some fields of a document.

    Attributes:
        set: Path → value.
        unset: Paths.
    """

    set: dict[str, Any] = field(default_factory=dict[str, Any])
    unset: list[str] = field(default_factory=list[str])

    def __bool__(self) -> bool:
        return bool(self.set or self.unset)

    def put(self, path: str, value: Any) -> None:
        """Set a field; nothing and an empty text remove it."""
        if value is None or value == "":
            self.unset.append(path)
        else:
            self.set[path] = value

    def put_inside(self, document: Mapping[str, Any], root: str, values: Mapping[str, Any]) -> None:
        """Set fields of an object, which is made anew where something else stands in its place."""
        if isinstance(document.get(root), dict):
            for name, value in values.items():
                self.put(f"{root}.{name}", value)
            return
        held = {name: value for name, value in values.items() if value is not None and value != ""}
        if held:
            self.set[root] = held


def change_of(save: SaveProfile, document: Mapping[str, Any]) -> Change:
    """Return what a save changes in the document as it stands."""
    change = Change()
    said = save.model_fields_set
    for name in _PLAIN:
        if name in said:
            change.put(name, getattr(save, name))
    _put_flags(change, save, document)
    for name, (root, names) in _SECTIONS.items():
        if name in said:
            change.put_inside(document, root, _section(getattr(save, name), names, document.get(root)))
    if "locations" in said:
        stored = document.get("locations")
        change.put("locations", _list(stored, save.locations or [], _PLACE, _PLACE_NAMES, Address.model_validate))
    if "address" in said:
        _put_point(change, save.address, document)
    return change


def is_complete(change: Change, document: Mapping[str, Any]) -> bool:
    """Tell whether the document has a name and five words once it is changed, which none may lack."""
    needed = ("name", "five_words")
    profile = profile_of({**document, **{name: change.set[name] for name in needed if name in change.set}})
    return bool(profile.name and profile.five_words) and not set(needed) & set(change.unset)


def moment(now: datetime.datetime) -> datetime.datetime:
    """Return an instant as both databases keep it, in milliseconds."""
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _put_flags(change: Change, save: SaveProfile, document: Mapping[str, Any]) -> None:
    for name, meant in _FLAGS.items():
        flags = document.get(name)
        held: dict[str, Any] = cast("dict[str, Any]", flags) if isinstance(flags, dict) else {}
        values: dict[str, Any] = {}
        if name in save.model_fields_set:
            values |= words.changed_flags(meant, held, getattr(save, name) or [])
        if name == "pronouns" and "pronouns_other" in save.model_fields_set:
            values["other_desc"] = save.pronouns_other
        if values:
            change.put_inside(document, name, values)


def _section(section: BaseModel | None, names: Mapping[str, str], stored: Any) -> dict[str, Any]:
    """Return what is said of a section, by the names of documents. Null in its place empties all of it."""
    if section is None:
        return dict.fromkeys(names.values())
    found = {names[name]: getattr(section, name) for name in section.model_fields_set}
    if found.get("schedule") is not None:
        held = cast("dict[str, Any]", stored).get("schedule") if isinstance(stored, dict) else None
        found["schedule"] = _list(held, found["schedule"], _SLOT, frozenset(_SLOT.values()), Slot.model_validate)
    return {name: _stored(name, value) for name, value in found.items()}


def _stored(name: str, value: Any) -> Any:
    """Return a value as the forms have always stored it: degrees as text."""
    if name in {"lat", "lng"} and value is not None:
        return f"{value:.7f}".rstrip("0").rstrip(".")
    return value


def _list(
    stored: object,
    wanted: list[Any],
    names: Mapping[str, str],
    known: frozenset[str],
    read: Callable[[Any], BaseModel],
) -> list[dict[str, Any]]:
    held = [cast("dict[str, Any]", one) for one in cast("list[Any]", stored)] if isinstance(stored, list) else []
    held = [one if isinstance(one, dict) else {} for one in held]  # pyright: ignore[reportUnnecessaryIsInstance]
    left = list(held)
    found: list[dict[str, Any]] = []
    for place, one in enumerate(wanted):
        new = {names[name]: _stored(name, value) for name, value in dict(one).items() if value not in (None, "")}
        same = next((it for it in left if read(it) == read(new)), None)
        if same is not None:
            left.remove(same)
            found.append(same)
            continue
        beside = held[place] if len(held) == len(wanted) else {}
        found.append({key: value for key, value in beside.items() if key not in known} | new)
    return found


def _put_point(change: Change, address: SaveAddress | None, document: Mapping[str, Any]) -> None:
    """Let the point on the map follow the address, where its degrees are said."""
    if address is not None and not {"lat", "lng"} & address.model_fields_set:
        return
    now = profile_of(dict(document)).address
    said: dict[str, float | None] = {"lat": None, "lng": None}
    if address is not None:
        for name in said:
            said[name] = getattr(address if name in address.model_fields_set else now, name)
    if said["lat"] is None or said["lng"] is None:
        change.unset.append("geo")
    else:
        change.set["geo"] = {"type": "Point", "coordinates": [said["lng"], said["lat"]]}
