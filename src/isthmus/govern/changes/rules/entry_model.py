"""An entry is about one model, named by its exact path.

Problem: an entry for three models is read for one of them, and a path that is nearly right matches nothing.

Solution: `## Model File` holds one path from the folder of the settings, exactly as git has it, alone or as code. It
is a file that the globs of the settings take in: one there is, or was until now. A renamed model has both its names
with an arrow between them: the old one gone, the new one there.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from isthmus.govern.changes.checking import ChangesChecking, EntryFile
from isthmus.govern.changes.entry import ModelFile, quoted
from isthmus.govern.findings import Finding
from isthmus.govern.rules.rule import Rule


def _find(checking: ChangesChecking) -> Iterator[Finding]:
    for one in checking.looked_at:
        section = one.entry.section("Model File") if one.entry is not None else None
        if one.entry is None or section is None:
            continue
        line = section.lines[0].number if section.lines else section.line
        model = one.entry.model
        if model is None:
            message = "It names no model." if not section.value else "It does not name one model, and nothing else."
            hint = "Write one path, or `old` → `new` of a renamed model; another model has its own entry."
            yield Finding(one.blob.path, line, RULE.name, message, hint)
        elif checking.is_new(one):
            yield from _untrue(checking, one, model, line)


def _untrue(checking: ChangesChecking, one: EntryFile, model: ModelFile, line: int) -> Iterator[Finding]:
    for stated in filter(None, (model.path, model.old)):
        path = checking.of_root(stated)
        if not checking.globs.match(path):
            message = f"{stated} is no model: no glob of the settings takes it in."
            yield Finding(one.blob.path, line, RULE.name, message, _near(checking, stated))
        elif path not in checking.ever:
            message = f"There is no model {stated}, and there was none."
            yield Finding(one.blob.path, line, RULE.name, message, _near(checking, stated))
    if model.old is None:
        return
    if checking.of_root(model.old) in checking.models:
        message = f"It says that {model.old} was renamed, and that is still there."
        yield Finding(one.blob.path, line, RULE.name, message, f"Name {quoted(model.path)} alone.")
    if checking.of_root(model.path) in checking.ever - {*checking.models}:
        message = f"It says that {model.old} became {model.path}, and that is not there."
        yield Finding(one.blob.path, line, RULE.name, message, "Name the model as it is called now.")


def _near(checking: ChangesChecking, stated: str) -> str:
    near = get_close_matches(stated, [checking.of_project(path) for path in sorted(checking.ever)], 1)
    return f"Write the path as git has it: {near[0]}?" if near else "Write the path of a model as git has it."


RULE = Rule(
    "entry-model",
    _find,
    bad=("changes/2026-02-28_user_add_email.md", "## Model File\n\nuser, profile\n"),
    good=("changes/2026-02-28_user_add_email.md", "## Model File\n\n`lib/model/user.ts`\n"),
)
