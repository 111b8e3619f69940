"""Fill a report's template; its styles and scripts go into the page, and no script but these may run in it."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import Any, cast

from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup

from isthmus.work.amounts import duration_text, plural, size_text

_SHARED = "isthmus.work.page"
_SHARED_NAMES = "page/"


def render_page(
    package: str, template: str, *, styles: tuple[str, ...] = (), scripts: tuple[str, ...] = (), **values: Any
) -> str:
    """Return a whole HTML page.

    Args:
        package: Package that holds the report's template, styles and scripts as data.
        template: Name of the template in it.
        styles: Names of its own style sheets, behind the shared one; `page/NAME` is another shared one.
        scripts: Names of its own scripts, behind the shared one; `page/NAME` too.
        values: What the template uses; texts are escaped.
    """
    style = "\n".join([_text(_SHARED, "page.css"), *(_text(package, name) for name in styles)])
    script = "\n".join([_text(_SHARED, "tables.js"), *(_text(package, name) for name in scripts)])
    return (
        _environment(package)
        .get_template(template)
        .render(
            **values,
            page_style=Markup(style),  # noqa: S704  our own files, and nothing of a database in them
            page_script=Markup(script),  # noqa: S704
            script_digest=_digest(script),
        )
    )


def _environment(package: str) -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package, ""), PrefixLoader({"page": PackageLoader(_SHARED, "")})]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    cast("Any", environment).filters.update(amount=_amount, plural=plural, size=size_text, duration=duration_text)
    return environment


def _amount(number: int) -> str:
    """Return a number with its thousands apart."""
    return f"{number:,}"


def _text(package: str, name: str) -> str:
    if name.startswith(_SHARED_NAMES):
        package, name = _SHARED, name.removeprefix(_SHARED_NAMES)
    return files(package).joinpath(name).read_text(encoding="utf-8").strip()


def _digest(script: str) -> str:
    """Return what a content security policy calls a script: SHA-256 of its text, base64."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
