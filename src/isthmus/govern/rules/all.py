"""All rules of migrations, in the order in which they are told."""

from __future__ import annotations

from isthmus.govern.rules import (
    header_fields,
    header_values,
    invisible_characters,
    journal,
    migration_files,
    migration_name,
    migration_order,
    migration_time,
    migration_unchanged,
)
from isthmus.govern.rules.rule import Rule

RULES: tuple[Rule, ...] = (
    migration_unchanged.RULE,
    migration_name.RULE,
    migration_time.RULE,
    migration_order.RULE,
    migration_files.RULE,
    header_fields.RULE,
    header_values.RULE,
    journal.RULE,
    invisible_characters.RULE,
)
