"""Values as documents really hold them, read as what they mean; what means nothing is as if it were missing. Pure."""

from __future__ import annotations

import datetime
import math
import re
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, cast

from pydantic import BeforeValidator, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

_PLACES = 7
"""Digits behind the point of a latitude, as PostgreSQL keeps them."""
_SCHEME = re.compile(r"\s*([a-z][a-z0-9+-]*):", re.IGNORECASE)


def or_none(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """Return None for what the type refuses."""
    try:
        return handler(value)
    except ValidationError:
        return None


def is_safe_link(text: str) -> bool:
    """Tell whether a text may become a link: it names no scheme, or one of the web."""
    found = _SCHEME.match("".join(one for one in text if ord(one) > 32))
    return found is None or found[1].lower() in {"http", "https"}


def _text(value: object) -> str | None:
    if isinstance(value, list):
        parts = [one for one in cast("list[object]", value) if isinstance(one, str)]
        return ", ".join(parts) or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:.0f}" if math.isfinite(value) and float(value).is_integer() else str(value)
    return value or None if isinstance(value, str) else None


def _texts(value: object) -> list[str]:
    many = cast("list[object]", value) if isinstance(value, list) else [value]
    return [one for one in many if isinstance(one, str) and one]


def _link(value: object) -> str | None:
    return value if isinstance(value, str) and value and is_safe_link(value) else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(Decimal(str(value).strip()))
    except (InvalidOperation, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _coordinate(value: object) -> float | None:
    number = _number(value)
    return None if number is None else round(number, _PLACES)


def _moment(value: object) -> datetime.datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime.datetime):
        return None
    return value if value.tzinfo is not None else value.replace(tzinfo=datetime.UTC)


def _documents(value: object) -> list[Any]:
    many = cast("list[object]", value) if isinstance(value, list) else [value]
    return [cast("Any", one) for one in many if isinstance(one, dict)]


Text = Annotated[str | None, BeforeValidator(_text)]
"""A text; of a number its digits, of a list its texts. None where it is empty."""
Texts = Annotated[list[str], BeforeValidator(_texts)]
Link = Annotated[str | None, BeforeValidator(_link)]
"""A text that is no link to anything but the web."""
Flag = Annotated[bool, BeforeValidator(lambda value: value is True)]
Number = Annotated[float | None, BeforeValidator(_number)]
Coordinate = Annotated[float | None, BeforeValidator(_coordinate)]
"""Degrees, also as text, to seven places."""
Moment = Annotated[datetime.datetime | None, BeforeValidator(_moment)]
"""An instant, with its time zone."""
OBJECT = BeforeValidator(lambda value: cast("Any", value if isinstance(value, dict) else {}))
"""Of what is no object an empty one."""
OBJECTS = BeforeValidator(_documents)
"""A list of objects; one alone is a list of it."""
OR_NONE = WrapValidator(or_none)
