"""The reference pages made from the code are as the code would make them now; a failure shows the difference."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from isthmus.cli.letter_codes import REJECTS
from tools.docs import __main__ as pages
from tools.docs.error_codes import raised

ROOT = Path(__file__).parents[2]
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("name", sorted(pages.PAGES))
def test_generated_page_is_fresh(name: str) -> None:
    difference = pages.difference(name)
    assert not difference, f"run `make docs`:\n{difference}"


def test_every_error_code_is_a_slug() -> None:
    wrong = [entry for entry in raised(ROOT / "src" / "isthmus") if not SLUG.fullmatch(entry.code)]
    assert not wrong, f"codes are lower-case words joined by hyphens: {wrong}"


def test_every_error_code_that_is_raised_comes_with_its_sentence_on_the_page() -> None:
    """A code whose every place hides its message from the search has an empty line on the page."""
    sentences: dict[tuple[str, str], bool] = {}
    for entry in raised(ROOT / "src" / "isthmus"):
        key = (entry.kind, entry.code)
        sentences[key] = sentences.get(key, False) or bool(entry.message)
    silent = sorted(key for key, spoken in sentences.items() if not spoken)
    assert not silent, f"write these messages where their error is made, or in a local name: {silent}"


def core_reject_codes() -> set[str]:
    """The reject codes of the core: what its one function from codes to text names."""
    source = (ROOT / "crates" / "isthmus-core" / "src" / "fault.rs").read_text(encoding="utf-8")
    return set(re.findall(r'=>\s*"([a-z0-9-]+)"', source))


def test_reject_codes_of_the_core_are_those_of_the_reference() -> None:
    assert core_reject_codes() == {reject.code for reject in REJECTS if reject.stage == "core"}


def test_reject_codes_of_target_and_finish_occur_in_the_sources() -> None:
    table = "src/isthmus/cli/letter_codes.py"
    sources = [*(ROOT / "src" / "isthmus").rglob("*.py"), *(ROOT / "src" / "isthmus").rglob("*.sql")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources if path != ROOT / table)
    missing = [r.code for r in REJECTS if r.stage != "core" and not re.search(rf"""['"]{r.code}['"]""", text)]
    assert not missing, f"no source makes these codes; remove them from {table}: {missing}"


def test_every_link_between_pages_leads_somewhere() -> None:
    broken: list[str] = []
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tests").rglob("*.md")]:
        text = page.read_text(encoding="utf-8")
        broken += [
            f"{page.relative_to(ROOT)} links to {target}"
            for target in LINK.findall(text)
            if not (page.parent / target).exists()
        ]
    assert not broken, "\n".join(broken)
