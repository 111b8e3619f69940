"""Names of entries have one form, and begin with the model they are about.

Problem: a name that says nothing is found by nobody, and does not sort by day.

Solution: `YYYY-MM-DD_model_description.md` in the folder `changes`, lower-case words with one underscore between them,
the first of them the model's own. `isthmus changes new` makes it so.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.govern.changes.checking import ChangesChecking
from isthmus.govern.changes.names import FORM, model_words
from isthmus.govern.findings import Finding
from isthmus.govern.rules.rule import Rule


def _find(checking: ChangesChecking) -> Iterator[Finding]:
    for one in checking.looked_at:
        path = one.blob.path
        name = path.removeprefix(f"{checking.entries_folder}/")
        model = one.entry.model if one.entry is not None else None
        words = model_words(model.path) if model is not None else None
        if one.name is None:
            message = f"`{name}` is no name of an entry."
            yield Finding(path, 0, RULE.name, message, f"Name it {FORM}, or move it out of the folder.")
        elif words is not None and not one.name.words.startswith(f"{words}_"):
            message = f"Its model is {words}, and its name does not begin with that."
            yield Finding(path, 0, RULE.name, message, f"Name it {one.name.day}_{words}_….md.")


RULE = Rule(
    "entry-name",
    _find,
    bad=("changes/profile verification.md", "# profile: add verification"),
    good=("changes/2026-01-15_profile_add_verification.md", "# profile: add verification"),
)
