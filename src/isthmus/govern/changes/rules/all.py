"""All rules of the log of changes, in the order in which they are told."""

from __future__ import annotations

from isthmus.govern.changes.checking import ChangesChecking
from isthmus.govern.changes.rules import (
    change_log,
    dependency_migration,
    dependency_table,
    entry_date,
    entry_dependencies,
    entry_file,
    entry_model,
    entry_name,
    entry_sections,
    entry_ticket,
    entry_unchanged,
    entry_words,
    folder_readme,
    model_entry,
    model_globs,
)
from isthmus.govern.rules.rule import Rule

RULES: tuple[Rule[ChangesChecking], ...] = (
    model_entry.RULE,
    entry_unchanged.RULE,
    entry_file.RULE,
    entry_name.RULE,
    entry_date.RULE,
    entry_ticket.RULE,
    entry_model.RULE,
    entry_sections.RULE,
    entry_words.RULE,
    entry_dependencies.RULE,
    dependency_migration.RULE,
    dependency_table.RULE,
    change_log.RULE,
    folder_readme.RULE,
    model_globs.RULE,
)
