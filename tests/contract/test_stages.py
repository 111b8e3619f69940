"""The stages that the sources announce are those of the reference page; each of the page is reached by some test.

Cannot see: whether the sentence beside a name is true. tests/chaos ends the process at each of them.
"""

from __future__ import annotations

import re

from tests.chaos.stage_names import announced, documented


def test_every_stage_of_the_sources_stands_on_the_page() -> None:
    names = documented()
    silent = [pattern for pattern in sorted(announced()) if not any(re.fullmatch(pattern, name) for name in names)]
    assert not silent, f"say in docs/reference/stages.md what is true at these: {silent}"


def test_every_stage_of_the_page_is_announced_once() -> None:
    patterns = announced()
    names = documented()
    strange = [name for name in names if not any(re.fullmatch(pattern, name) for pattern in patterns)]
    assert not strange, f"the sources no longer announce these: {strange}"
    assert len(set(names)) == len(names)
