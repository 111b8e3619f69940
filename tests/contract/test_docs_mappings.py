"""The mappings that pages show are mappings, and the language page names every key of the language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from isthmus.mapping import keys, parse_mapping
from tools.docs.mapping_page import page

ROOT = Path(__file__).parents[2]
YAML = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def shown_mappings() -> list[object]:
    """Every fence marked `yaml` that begins with the version is a whole mapping; others are excerpts."""
    return [
        pytest.param(text, id=f"{path.relative_to(ROOT)}:{number}")
        for path in PAGES
        for number, text in enumerate(YAML.findall(path.read_text(encoding="utf-8")), start=1)
        if text.startswith("isthmus:")
    ]


@pytest.mark.parametrize("text", shown_mappings())
def test_shown_mapping_is_accepted(text: str) -> None:
    parse_mapping(text)


@pytest.mark.parametrize(
    "key", sorted({key for name, words in vars(keys).items() if name.endswith("_KEYS") for key in words})
)
def test_key_of_the_language_stands_in_a_table_of_its_page(key: str) -> None:
    rows = [line for line in page(ROOT).splitlines() if line.startswith("|")]
    assert any(f"`{key}`" in row.split("|")[1] for row in rows), f"describe `{key}` in tools/docs/mapping_language.md"
