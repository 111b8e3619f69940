-- 0009 kept_value: what a copy left as it was in rows that were there before, although their documents say otherwise.
-- Purpose: a verification can tell what was left alone from what was damaged since, and sees no value for it.

CREATE TABLE isthmus.kept_value (
    run_id bigint NOT NULL REFERENCES isthmus.run ON DELETE CASCADE,
    root_table text NOT NULL,
    table_name text NOT NULL,                -- the root table, or one of its child tables
    column_name text NOT NULL,               -- (row): the whole row; (extras): what isthmus.extras has beside it
    source_row_id text NOT NULL,             -- id that was derived from the document
    row_id text NOT NULL,                    -- id of the root row, as the target has it
    row_position integer[] NOT NULL,         -- position inside child tables; empty for a root row
    why text NOT NULL CHECK (why IN ('kept', 'edited', 'deleted', 'number', 'filled in')),
    digest bytea,                            -- SHA-256 of the target's key, the place and the value; NULL: no row is there
    PRIMARY KEY (run_id, table_name, source_row_id, row_position, column_name)
);
