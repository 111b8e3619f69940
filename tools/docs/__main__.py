"""Writes the generated pages, or checks that they are as they would be written now.

python -m tools.docs            write them
python -m tools.docs --check    write nothing; print what differs and exit 1
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable
from pathlib import Path

from tools.docs import cli_page, error_page, forms_page, mapping_page, rule_pages, service_page, settings_page

ROOT = Path(__file__).parents[2]
PAGES: dict[str, Callable[[Path], str]] = {
    "apps/panamia/petsitting/SETTINGS.md": service_page.petsitting_page,
    "apps/panamia/service/SETTINGS.md": service_page.page,
    "docs/reference/canonical-forms.md": forms_page.page,
    "docs/reference/cli.md": cli_page.page,
    "docs/reference/errors.md": error_page.page,
    "docs/reference/mapping.md": mapping_page.page,
    "docs/reference/mapping.schema.json": mapping_page.schema,
    "docs/reference/resolutions.schema.json": mapping_page.resolutions_schema,
    "docs/reference/settings.md": settings_page.page,
    **rule_pages.pages(),
}


def difference(name: str) -> str:
    """Return how a page on disk differs from what the code gives, as a unified diff; empty when it does not."""
    file = ROOT / name
    written = file.read_text(encoding="utf-8") if file.exists() else ""
    now = PAGES[name](ROOT)
    return "".join(
        difflib.unified_diff(written.splitlines(keepends=True), now.splitlines(keepends=True), name, f"{name} (now)")
    )


def main(arguments: list[str]) -> int:
    """Write or check all pages."""
    if arguments == ["--check"]:
        differences = [text for text in map(difference, PAGES) if text]
        print("".join(differences), end="")
        return 1 if differences else 0
    for name, make in PAGES.items():
        (ROOT / name).parent.mkdir(exist_ok=True)
        (ROOT / name).write_text(make(ROOT), encoding="utf-8")
        print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
