"""New migrations come after all that are there.

Problem: a migration with an older number than one that is applied is passed over by some runners, refused by others,
and applied in another order on a new database than on the old one. It comes in with merges: two branches wrote theirs
at the same time.

Solution: the number of a new migration is greater than every number in HEAD and in the base, and no two are the same.
`isthmus schema renumber` gives new numbers to what is in neither.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from isthmus.govern.checking import Checking
from isthmus.govern.findings import Finding
from isthmus.govern.rules.rule import Rule


def _find(checking: Checking) -> Iterator[Finding]:
    numbers: dict[str, list[str]] = defaultdict(list)
    for one in checking.now.named:
        assert one.name is not None  # noqa: S101  `named` says so
        numbers[one.name.number].append(one.text)
    hint = "isthmus schema renumber gives new numbers to migrations that are neither merged nor applied."
    if checking.merging and not checking.based:
        hint = (
            f'Which side keeps its numbers nothing tells: name the base (base = "{_likely(checking)}" in the settings).'
        )
    for number, texts in numbers.items():
        if len(texts) > 1 and not all(checking.is_older(checking.now.migrations[text]) for text in texts):
            path = checking.now.migrations[texts[-1]].path
            yield Finding(
                path, 0, RULE.name, f"{number} is the number of {len(texts)} migrations: {', '.join(texts)}.", hint
            )
    in_base = checking.tip.folder.migrations if checking.tip is not None else {}
    told: set[str] = set()
    for side in (checking.tip, checking.head):
        standing = [one for one in side.folder.named if one.text not in checking.renumbered] if side is not None else []
        if side is None or not standing:
            continue
        last = standing[-1]
        for one in checking.governed:
            known = one.text in told or one.text in side.folder.migrations or one.text in in_base
            if known or one.name is None or last.name is None:
                continue
            same = one.name.number == last.name.number
            if same and last.text in checking.now.migrations:
                continue  # told above
            if same or one.name.order < last.name.order:
                told.add(one.text)
                what = "has the same number as" if same else "comes before"
                yield Finding(one.path, 0, RULE.name, f"It {what} {last.text}, which is in {side.name}.", hint)


def _likely(checking: Checking) -> str:
    """Return a name for what is merged, or main where it has none."""
    name = checking.merging[0].name
    return "main" if name == "MERGE_HEAD" else name


RULE = Rule("migration-order", _find)
