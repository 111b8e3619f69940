"""The text of a new entry, and of the README beside the entries. Pure."""

from __future__ import annotations

from datetime import date

from isthmus.govern.changes.dependencies import COLUMN, MIGRATION, TABLE
from isthmus.govern.changes.entry import SECTIONS, ModelFile, quoted
from isthmus.govern.changes.names import FOLDER, FORM, LOG, model_words

_DEPENDENCIES = (
    f"- **{MIGRATION}**: <all of its name; or None in place of these three lines>\n"
    f"- **{TABLE}**: <table>\n- **{COLUMN}**: <column>"
)
_LEFT = {
    "Added Fields": "<each with its type and default, or None>",
    "Modified Fields": "<each with what it was and what it is now, or None>",
    "Removed Fields": "<each, and where its values go, or None>",
    "Index Changes": "<indexes that come and go, or None>",
    "Data Migration": "<what becomes of the documents that are there, or None>",
    "Rollback": "<how to go back>",
    "Testing": "<what was tried, and how>",
}
"""What stands where a person must write; `changes check` refuses it."""


def draft_entry(
    model: ModelFile, description: str, day: date, *, ticket: str | None = None, dependencies: bool = True
) -> str:
    """Return the text of an entry with what is known filled in.

    Args:
        model: What it is about.
        description: What changed, in a few words.
        day: Its date.
        ticket: Where that was decided; None for a person to write.
        dependencies: Whether there are migrations that it may need.
    """
    paths = [quoted(path) for path in (model.old, model.path) if path is not None]
    known = {
        "Date": day.isoformat(),
        "Ticket": ticket or "<ticket>",
        "Model File": " → ".join(paths),
        "PostgreSQL Dependencies": _DEPENDENCIES if dependencies else "None",
        "Changes": None,
        **_LEFT,
    }
    if model.old is not None:
        known |= dict.fromkeys(("Added Fields", "Modified Fields", "Removed Fields", "Index Changes"), "None")
    parts = [f"# {model_words(model.path)}: {' '.join(description.split())}"]
    for name, level in SECTIONS.items():
        parts.append(f"{'#' * level} {name}")
        parts += [text] if (text := known[name]) is not None else []
    return "\n\n".join(parts) + "\n"


README = f"""\
# The log of changes of MongoDB models

MongoDB keeps documents of any shape; what shape they have is said by the model files alone. Each change of one of
them has an entry here, so that everybody can tell what changed, since when, what it needs of PostgreSQL, and how to go
back.

* `{FOLDER}/` holds an entry for each change of each model: `{FORM}`. An entry that is committed is never changed;
  what is different later is a new entry.
* `{LOG}` is made from the entries, the newest first. Do not edit it.

A new entry, and a look at what is staged:

```sh
isthmus changes new MODEL "what changed"
isthmus changes check --staged
```

`new` fills in what is known; write what stands in <angle brackets>, then `git add` the model, the entry and `{LOG}`
together. A model that is renamed has both its paths below *Model File*: `old` → `new`. After a merge
`isthmus changes log` makes `{LOG}` anew.

Of PostgreSQL an entry names what must be there before it, a line each, or `None`:

```markdown
- **{MIGRATION}**: 20260115093000_init_users_and_auth
- **{TABLE}**: users
- **{COLUMN}**: id
```
"""
