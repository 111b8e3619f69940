"""Values of documents as jsonb holds them: instants and ids as text, decimals as numbers. Pure."""

from __future__ import annotations

import datetime
import math
from typing import Any, cast

from bson import Decimal128, ObjectId

from isthmus.polyglot.stores.form import value_to_json


def plain(value: Any) -> Any:
    """Return a value as the mapping carries it into jsonb; what JSON has no word for is Extended JSON."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [plain(one) for one in cast("list[Any]", value)]
    if isinstance(value, datetime.datetime):
        at = value.astimezone(datetime.UTC)
        return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
    if isinstance(value, ObjectId):
        return str(value)
    if isinstance(value, Decimal128) and value.to_decimal().is_finite():
        return float(value.to_decimal())
    if value is None or isinstance(value, str | bool) or (isinstance(value, int | float) and math.isfinite(value)):
        return value
    return value_to_json(value)
