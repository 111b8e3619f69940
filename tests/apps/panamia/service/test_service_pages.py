"""The pages: all there, nothing from elsewhere on them, and each choice of mail has its box."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from apps.panamia.service.notifications.preferences import KEYS
from apps.panamia.service.pages.routes import PAGES
from tests.apps.panamia.service.conftest import World

pytestmark = pytest.mark.anyio
FOLDER = Path(__file__).parents[4] / "apps" / "panamia" / "service" / "pages"


async def test_every_page_forbids_what_is_not_ours(world: World) -> None:
    browser = world.client()
    for path, name in PAGES.items():
        answer = await browser.get(path)
        assert answer.status_code == 200, path
        assert answer.content == (FOLDER / name).read_bytes()
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self';"), path
        assert "unsafe" not in policy
        assert "//" not in policy


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.html")), ids=lambda one: one.name)
def test_no_page_loads_anything_from_elsewhere_or_runs_what_stands_in_it(file: Path) -> None:
    """What a page refers to is a page, so nothing of it is blocked or missing."""
    text = file.read_text("utf-8")
    assert set(re.findall(r'(?:src|href)="([^"]*)"', text)) <= {*PAGES, "/openapi.json"}
    assert not re.search(r"<script>|<style>|\son\w+=|\sstyle=", text)


def test_each_choice_of_mail_has_its_box() -> None:
    text = (FOLDER / "settings.js").read_text("utf-8")
    assert set(re.findall(r"^  (\w+): \"", text, re.MULTILINE)) == set(KEYS)
