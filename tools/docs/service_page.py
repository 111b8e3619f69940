"""The page of the settings of Pana MIA's service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from apps.panamia.service.settings import SECRETS, Settings

_HEAD = """<!-- Made by `python -m tools.docs` from apps/panamia/service/settings.py. -->

# Settings of the service

Each is a variable of the environment; `python -m apps.panamia.service --help` shows the same. What holds a secret
({secrets}) can stand on the only line of a file instead, which the variable of that name with `_FILE` behind it names.

| variable | default | what it means |
| --- | --- | --- |
"""


def page(_root: Path) -> str:
    """Return the page."""
    lines = (_line(name, one) for name, one in Settings.model_fields.items())
    return _HEAD.format(secrets=", ".join(f"`{name}`" for name in SECRETS)) + "".join(lines)


def _line(name: str, one: FieldInfo) -> str:
    shown = "OAUTH_<PROVIDER>" if name == "oauth" else name.upper()
    return f"| `{shown}` | {_default(one.get_default(call_default_factory=True))} | {one.description} |\n"


def _default(value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    return f"`{value}`" if value not in (None, "", (), {}) else ""
