-- Purpose: which migrations of a project's own schemas were applied to this database, by which text, and how far
-- Ticket: N/A
-- Reversible: Yes
-- Rollback: DROP TABLE isthmus.schema_history;

CREATE TABLE isthmus.schema_history (
    schema_title text NOT NULL,              -- what the project's settings call the folder of migrations
    name text NOT NULL,                      -- of the migration
    checksum text NOT NULL,                  -- SHA-256 of its SQL, hex; of a baseline what it was when it was adopted
    state text NOT NULL CHECK (state IN ('baseline', 'applied', 'running', 'failed')),
    steps integer NOT NULL,                  -- statements that it has
    steps_done integer NOT NULL CHECK (steps_done BETWEEN 0 AND steps),
    started_at timestamptz NOT NULL,
    applied_at timestamptz,                  -- when it was through; null while it is not
    seconds double precision,
    fault text,                              -- what the server said of the last attempt; null where nothing failed
    isthmus_version text NOT NULL,
    PRIMARY KEY (schema_title, name)
);
