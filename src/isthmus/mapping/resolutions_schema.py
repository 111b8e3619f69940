"""Files of answers as JSON Schema (draft 2020-12), for editors that complete and check them while they are written."""

from __future__ import annotations

import json
from typing import Any

from isthmus.mapping.resolutions import KINDS


def json_schema_text() -> str:
    """Write the schema as JSON text, ending in a line break; always the same text."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def json_schema() -> dict[str, Any]:
    """Build the schema of files of answers as a plain dict."""
    document = {"type": "object", "minProperties": 1, "maxProperties": 1, "description": "{COLLECTION: _id}."}
    many = {"type": "array", "items": {"$ref": "#/$defs/document"}, "minItems": 2}
    says = {
        "same": {**many, "description": "These documents are one thing, whatever their keys say."},
        "different": {**many, "maxItems": 2, "description": "These two documents are never one thing."},
        "drop": {"$ref": "#/$defs/document", "description": "This document is left behind, with this reason."},
    }
    reason = {"type": "string", "minLength": 1, "description": "Who decided, and why."}
    answer = {
        "type": "object",
        "properties": {**says, "reason": reason},
        "required": ["reason"],
        "oneOf": [{"required": [kind]} for kind in KINDS],
        "additionalProperties": False,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Isthmus resolutions",
        "description": "What people answered where documents may or may not be one thing.",
        "type": "object",
        "properties": {
            "isthmus": {"const": 1, "description": "Version of the language."},
            "identities": {
                "type": "object",
                "description": "Answers by identity of the mapping.",
                "additionalProperties": {"type": ["array", "null"], "items": {"$ref": "#/$defs/answer"}},
            },
        },
        "required": ["isthmus"],
        "additionalProperties": False,
        "$defs": {"document": document, "answer": answer},
    }
