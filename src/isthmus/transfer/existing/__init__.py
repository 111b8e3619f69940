"""Copies into tables that belong to somebody else's migrations: `target: {tables: existing}`.

The run loads and settles in tables of its own (`stage`), made to fit what the catalog says of the real ones (`catalog`,
`fit`). What is settled is then delivered in one transaction (`deliver`), which also decides about rows that were there
before (`matching`, `verdicts`, `row_state`). Around it definitions may be set aside (`saved_ddl`).
"""
