"""Nobody can send a text, a list or a number without a bound: that is what the OpenAPI of both services says.

Oracle: JSON Schema. Cannot see: whether what is said is kept; tests with drawn requests ask that.
"""

from __future__ import annotations

from typing import Any

import pytest

from apps.panamia.petsitting.app import create_app as create_sidecar
from apps.panamia.petsitting.settings import read_settings as read_settings_of_sidecar
from apps.panamia.service.app import create_app
from apps.panamia.service.settings import read_settings
from tests.apps.panamia.bounds_of import unbounded

LONG_NAMES_ARE_TOLD_WHY_NOT = ["GET /api/screenname/check: query name"]


def test_whatever_somebody_sends_to_the_service_has_a_bound() -> None:
    app = create_app(read_settings({"POSTGRES_URL": "none", "MONGODB_URI": "none", "AUTH_SECRET": "none"}))
    assert unbounded(app.openapi()) == LONG_NAMES_ARE_TOLD_WHY_NOT


def test_whatever_somebody_sends_to_the_sidecar_has_a_bound() -> None:
    app = create_sidecar(read_settings_of_sidecar({"POSTGRES_URL": "none"}))
    assert unbounded(app.openapi()) == []


@pytest.mark.parametrize(
    ("schema", "is_bounded"),
    [
        ({"type": "string"}, False),
        ({"type": "string", "minLength": 1}, False),
        ({"type": "string", "maxLength": 9}, True),
        ({"type": "string", "format": "date"}, True),
        ({"type": "string", "format": "uri"}, False),
        ({"type": "string", "pattern": "^[a-z]{1,9}$"}, True),
        ({"type": "string", "pattern": "^[a-z]+$"}, False),
        ({"type": "string", "pattern": "^[a-z]{1,}$"}, False),
        ({"type": "string", "pattern": "[a-z]"}, False),
        ({"type": "string", "enum": ["a"]}, True),
        ({"const": "a"}, True),
        ({"type": "integer", "minimum": 1}, False),
        ({"type": "integer", "maximum": 1}, True),
        ({"type": "number", "exclusiveMaximum": 1}, True),
        ({"type": "array", "items": {"type": "boolean"}}, False),
        ({"type": "array", "items": {"type": "boolean"}, "maxItems": 1}, True),
        ({"type": "array", "items": {"type": "string"}, "maxItems": 1}, False),
        ({"anyOf": [{"type": "null"}, {"type": "string", "maxLength": 9}]}, True),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, False),
        ({"$ref": "#/components/schemas/Text"}, False),
        ({"type": "object", "additionalProperties": False}, True),
        ({"type": "object", "additionalProperties": False, "properties": {"a": {"type": "string"}}}, False),
        ({"type": "object"}, False),
        ({}, False),
    ],
)
def test_what_is_bounded_is_told_from_what_is_not(schema: dict[str, Any], is_bounded: bool) -> None:
    asked = {
        "parameters": [{"in": "query", "name": "q", "schema": schema}],
        "requestBody": {"content": {"application/json": {"schema": schema}}},
    }
    openapi = {"paths": {"/": {"post": asked}}, "components": {"schemas": {"Text": {"type": "string"}}}}
    assert len(unbounded(openapi)) == (0 if is_bounded else 2)
