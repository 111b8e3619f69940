"""All rules of migrations, in the order in which they are told."""

from __future__ import annotations

from isthmus.govern.checking import Checking
from isthmus.govern.rules import (
    dangerous_ddl,
    header_data_migration,
    header_dependencies,
    header_fields,
    header_values,
    invisible_characters,
    journal,
    journal_unchanged,
    migration_applied,
    migration_files,
    migration_name,
    migration_order,
    migration_time,
    migration_unchanged,
    schema_json,
    transaction,
)
from isthmus.govern.rules.rule import Rule

RULES: tuple[Rule[Checking], ...] = (
    migration_unchanged.RULE,
    migration_applied.RULE,
    migration_name.RULE,
    migration_time.RULE,
    migration_order.RULE,
    migration_files.RULE,
    header_fields.RULE,
    header_values.RULE,
    header_dependencies.RULE,
    header_data_migration.RULE,
    transaction.RULE,
    dangerous_ddl.RULE,
    journal.RULE,
    journal_unchanged.RULE,
    schema_json.RULE,
    invisible_characters.RULE,
)
