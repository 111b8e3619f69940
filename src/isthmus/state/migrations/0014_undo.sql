-- Migration: 0014_undo
-- Purpose: a copy into tables that somebody else made can be taken back, and nothing that was written since goes with it
-- Ticket: N/A
-- Reversible: Yes
-- Rollback:
--   DROP TABLE isthmus.undo;
--   DROP TABLE isthmus.pair_state;
--   ALTER TABLE isthmus.run DROP COLUMN undone;
--   ALTER TABLE isthmus.row_state DROP COLUMN beside_digest, DROP COLUMN came;
-- Dependencies: isthmus.row_state, isthmus.run

-- came: brought: a copy inserted the row; met: it was there before, and no copy wrote to it; changed: it was there before,
-- and a copy wrote to it. Null: carried by an older version, nobody knows.
-- beside_digest: SHA-256 of what stood in the columns that the mapping does not fill, as loaded_digest of the others.
ALTER TABLE isthmus.row_state
    ADD COLUMN came text CHECK (came IN ('brought', 'met', 'changed')),
    ADD COLUMN beside_digest bytea;

-- Collections whose rows were taken back from the run; null: none. Its books are those of before.
ALTER TABLE isthmus.run ADD COLUMN undone jsonb;

-- Pairs of junctions that copies inserted, where rows of either side are tracked; outlives its run.
CREATE TABLE isthmus.pair_state (
    table_schema text NOT NULL,
    table_name text NOT NULL,
    ids text[] NOT NULL,                     -- the values of its columns, in the order of their names
    beside_digest bytea NOT NULL,            -- as in isthmus.row_state
    PRIMARY KEY (table_schema, table_name, ids)
);

-- What was taken back. It refers to no run: those that it names may be forgotten with what they brought.
CREATE TABLE isthmus.undo (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_schema text NOT NULL,              -- of the tables
    collections jsonb NOT NULL,              -- whose rows were taken back: names, sorted
    mapping_fingerprint text NOT NULL,
    runs jsonb NOT NULL,                     -- that had carried them: id, source_name, started_at, finished_at, forgotten
    counts jsonb NOT NULL,                   -- {"removed": {table: rows}, "stayed": {table: rows}, "waiting": {column: references}}
    undone_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    role text NOT NULL DEFAULT session_user,
    isthmus_version text NOT NULL
);
