-- name: create_migration_table
-- Make the schema and the one table the runner itself needs.
CREATE SCHEMA IF NOT EXISTS isthmus;
CREATE TABLE IF NOT EXISTS isthmus.migration (
    version integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)

-- name: insert_migration
-- Remember that a migration was applied, inside its own transaction.
INSERT INTO isthmus.migration (version, name, checksum) VALUES (%(version)s, %(name)s, %(checksum)s)
