"""Single migrations that the settings excuse from a rule: `off = {"RULE/MIGRATION" = "why"}`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from isthmus.govern.checking import Checking
from isthmus.govern.findings import Finding
from isthmus.govern.migrations.names import owner
from isthmus.govern.settings import SchemaSettings

REHEARSAL = "rehearsal"
"""What the settings call all that a rehearsal may find."""


def excused(settings: SchemaSettings, rule: str) -> dict[str, str]:
    """Return migration → why, of those that are excused from a rule."""
    begins = f"{rule}/"
    return {name.removeprefix(begins): why for name, why in settings.off.items() if name.startswith(begins)}


def names_migration(text: str) -> bool:
    """Tell whether what stands behind `RULE/` is a migration, and no danger: only migrations begin with a number."""
    return text[:1].isdigit()


def without_excused(
    findings: Iterable[Finding], checking: Checking, note: Callable[[str], None] = lambda _: None
) -> list[Finding]:
    """Leave out what a migration is excused from by name.

    Args:
        findings: About one folder.
        checking: The folder.
        note: Called with a sentence on each excuse that nothing needs.
    """
    settings = checking.now.settings
    kept: list[Finding] = []
    used: set[str] = set()
    for one in findings:
        name = owner(one.file.removeprefix(f"{checking.now.path}/"), settings.layout)
        excuse = f"{one.rule.partition('/')[0]}/{name}"
        if name is not None and excuse in settings.off:
            used.add(excuse)
        else:
            kept.append(one)
    if checking.scope == "all" and checking.based:
        for excuse in settings.off:
            rule, _, name = excuse.partition("/")
            if names_migration(name) and rule != REHEARSAL and excuse not in used:
                note(f"Nothing needs the excuse {excuse} of {settings.title} any more: take it out of the settings.")
    return kept
