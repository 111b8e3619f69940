"""The pages of the settings of Pana MIA's services."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from apps.panamia.petsitting import settings as petsitting
from apps.panamia.service import settings as service
from apps.panamia.web.settings import WebSettings, program_of

_HEAD = """<!-- Made by `python -m tools.docs` from {place}/settings.py. -->

# Settings of {what}

Each is a variable of the environment; `python -m {program} --help` shows the same. What holds a secret
({secrets}) can stand on the only line of a file instead, which the variable of that name with `_FILE` behind it names.

| variable | default | what it means |
| --- | --- | --- |
"""


def page(_root: Path) -> str:
    """Return the page of the main service."""
    return _page("the service", service.Settings)


def petsitting_page(_root: Path) -> str:
    """Return the page of the sidecar."""
    return _page("pet sitting", petsitting.Settings)


def _page(what: str, settings: type[WebSettings]) -> str:
    lines = (_line(field, one) for field, one in settings.model_fields.items())
    told = ", ".join(f"`{secret}`" for secret in settings.secrets)
    program = program_of(settings)
    return _HEAD.format(place=program.replace(".", "/"), program=program, what=what, secrets=told) + "".join(lines)


def _line(name: str, one: FieldInfo) -> str:
    shown = "OAUTH_<PROVIDER>" if name == "oauth" else name.upper()
    return f"| `{shown}` | {_default(one.get_default(call_default_factory=True))} | {one.description} |\n"


def _default(value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    return f"`{value}`" if value not in (None, "", (), {}) else ""
