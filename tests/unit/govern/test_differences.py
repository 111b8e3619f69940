"""What a committed file became, in words."""

from __future__ import annotations

import pytest

from isthmus.govern.repository.differences import how_changed
from isthmus.govern.repository.tree import FILE, Blob, Tree

TWIN = Blob("models/team.ts", FILE, "aa")
GONE = Blob("models/team member.ts", FILE, "aa")


@pytest.mark.parametrize(
    ("now", "how"),
    [
        ((TWIN,), "was deleted"),
        ((TWIN, Blob("models/crew.ts", FILE, "aa")), "was renamed to models/crew.ts"),
        ((TWIN, Blob("models/crew.ts", FILE, "bb")), "was deleted"),
        ((TWIN, GONE), None),
    ],
)
def test_nothing_was_renamed_to_a_file_that_was_there(now: tuple[Blob, ...], how: str | None) -> None:
    there = {TWIN.path, GONE.path}
    assert how_changed(GONE, Tree("now", {one.path: one for one in now}), there) == how
