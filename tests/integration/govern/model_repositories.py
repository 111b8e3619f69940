"""A project with MongoDB models, a log of their changes, and migrations that its entries may depend on."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from isthmus.govern.changes.entry import read_entry
from isthmus.govern.changes.log import Noted, render_log
from tests.fix_git import Git

SETTINGS = (
    '[[schema]]\nfolder = "prisma/migrations"\n[changes]\nfolder = "mongo-migrations"\n'
    'models = ["lib/model/**/*.ts"]\nticket = "PANA-[0-9]+|N/A"\n'
)
USER, PROFILE, DEEP = "lib/model/user.ts", "lib/model/profile.ts", "lib/model/deep/Mentor Séance's.ts"
LOG, README = "mongo-migrations/CHANGELOG.md", "mongo-migrations/README.md"
OLD = "2026-01-10_profile_add_bio.md"
MIGRATION = "20260105093000_init_users"
SQL = "-- Purpose: users\n-- Ticket: PANA-1\n-- Reversible: No\n\nCREATE TABLE users (id text, email text);\n"
SCHEMA_JSON = json.dumps(
    {
        "isthmus": 1,
        "what": "",
        "migrations": {MIGRATION: hashlib.sha256(SQL.encode()).hexdigest()},
        "tables": {
            "public.users": {
                "migration": MIGRATION,
                "columns": {
                    "id": {"type": "text", "nullable": False, "migration": MIGRATION},
                    "Größe, 'x'": {"type": "text", "nullable": True, "migration": MIGRATION},
                },
            },
            'Odd "one".users': {"migration": MIGRATION, "columns": {}},
        },
    }
)
NEEDS = f"- **Required Migration**: {MIGRATION}\n- **Table**: users\n- **Column**: id"


def place(name: str) -> str:
    return f"mongo-migrations/changes/{name}"


def entry(model: str = USER, *, day: str = "2026-02-01", needs: str = "None", added: str = "- `email`: text") -> str:
    return (
        f"# add email\n\n## Date\n\n{day}\n\n## Ticket\n\nPANA-12\n\n## Model File\n\n{model}\n\n"
        f"## PostgreSQL Dependencies\n\n{needs}\n\n## Changes\n\n### Added Fields\n\n{added}\n\n"
        "### Modified Fields\n\nNone\n\n### Removed Fields\n\nNone\n\n### Index Changes\n\nNone\n\n"
        "## Data Migration\n\nNone\n\n## Rollback\n\nNothing reads the field yet.\n\n"
        "## Testing\n\nSaved and read back.\n"
    )


def log(git: Git) -> None:
    """Stage CHANGELOG.md as the entries in the working tree make it."""
    files = sorted((git.folder / "mongo-migrations" / "changes").glob("*.md"))
    git.add(LOG, render_log(Noted(file.name, read_entry(file.read_text(errors="replace"))) for file in files))


def note(git: Git, name: str, text: str) -> None:
    """Stage an entry, and CHANGELOG.md with it."""
    git.add(place(name), text)
    log(git)


def project(folder: Path) -> Git:
    """Three models, of which one has an entry; one migration; all of it committed."""
    git = Git(folder)
    git.write("isthmus.toml", SETTINGS)
    git.write(f"prisma/migrations/{MIGRATION}/migration.sql", SQL)
    git.write("prisma/migrations/schema.json", SCHEMA_JSON)
    for model in (USER, PROFILE, DEEP):
        git.write(model, f"// {model}\nexport const schema = {{}};\n")
    git.write("lib/model/README.md", "no model\n")
    git.write("lib/other.ts", "no model\n")
    git.write(README, "# The log\n")
    git("add", "-A")
    note(git, OLD, entry(PROFILE, day="2026-01-10"))
    git.commit()
    return git


def change(git: Git, model: str = USER, text: str = "changed") -> None:
    """Stage a change of a model."""
    git.add(model, f"// {text}\n")
