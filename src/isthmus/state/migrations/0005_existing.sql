-- 0005 existing: what a copy into tables that somebody else made must remember beside its run.
-- Purpose: rows that were there before, and definitions that were set aside for the load, are never guessed at later.

-- Definitions of indexes and foreign keys that are dropped now; a row goes with the object that is back.
CREATE TABLE isthmus.saved_ddl (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id bigint NOT NULL,                  -- which run dropped it; it stays when that run is forgotten
    table_schema text NOT NULL,
    table_name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('index', 'foreign-key')),
    name text NOT NULL,
    statements jsonb NOT NULL,               -- texts, in order: they make the object again, with all that hangs on it
    validate_statement text,                 -- a foreign key that was valid: what makes it so again
    saved_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (table_schema, table_name, kind, name)
);

-- Fields that nobody named, of rows whose table has no column for them.
CREATE TABLE isthmus.extras (
    table_schema text NOT NULL,
    table_name text NOT NULL,
    id text NOT NULL,                        -- id of the root row, as the target has it
    row_position integer[] NOT NULL DEFAULT '{}',   -- position inside child tables; empty for a root row
    document jsonb NOT NULL,
    PRIMARY KEY (table_schema, table_name, id, row_position)
);

-- Rows that were there before and are not what the source has: what differs, and what was done.
CREATE TABLE isthmus.conflict (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id bigint NOT NULL REFERENCES isthmus.run ON DELETE CASCADE,
    collection text NOT NULL,
    table_name text NOT NULL,
    row_id text NOT NULL,                    -- id in the target
    source_row_id text NOT NULL,             -- id that was derived from the document; the same unless the row was matched
    differing jsonb NOT NULL,                -- {"column": {"target": …, "source": …}}, shortened; sensitive ones hidden
    policy text NOT NULL CHECK (policy IN ('keep_target', 'overwrite', 'dead_letter')),
    action text NOT NULL CHECK (action IN ('kept', 'overwritten', 'updated', 'deleted-in-target', 'gone-from-source')),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX conflict_by_table ON isthmus.conflict (run_id, table_name);

-- What a tracked row was when it was last carried; outlives its run.
CREATE TABLE isthmus.row_state (
    table_schema text NOT NULL,
    table_name text NOT NULL,
    id text NOT NULL,                        -- id in the target
    source_id text NOT NULL,                 -- id that was derived from the document
    collection text NOT NULL,                -- source collection of the document
    source_digest bytea NOT NULL,            -- SHA-256 of the row and its child rows as the source gave them
    loaded_digest bytea,                     -- SHA-256 of them as they stood in the target behind the load; NULL: never ours
    PRIMARY KEY (table_schema, table_name, id)
);
CREATE INDEX row_state_by_source_id ON isthmus.row_state (table_schema, table_name, source_id);

-- Ids of documents that are a row which was there before.
ALTER TABLE isthmus.id_map DROP CONSTRAINT id_map_origin_check;
ALTER TABLE isthmus.id_map ADD CONSTRAINT id_map_origin_check CHECK (origin IN ('document', 'reference', 'matched'));
ALTER TABLE isthmus.id_map ADD COLUMN derived_id text;   -- of a matched one: the id the document would have had
CREATE INDEX id_map_by_derived_id ON isthmus.id_map (collection, derived_id) WHERE derived_id IS NOT NULL;

-- References to collections that a run did not carry (--only); a row goes when a later run finds what it leads to.
CREATE TABLE isthmus.pending_reference (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id bigint NOT NULL,                  -- which run left it; it stays when that run is forgotten
    table_schema text NOT NULL,
    table_name text NOT NULL,
    column_name text NOT NULL,               -- NULL there meanwhile
    own_column text,                         -- of a pair that is left out: its other column, which has row_id
    row_id text NOT NULL,                    -- id of the root row, as the target has it
    row_position integer[] NOT NULL,
    target_table text NOT NULL,
    target_id text NOT NULL                  -- id that is derived from the reference
);
CREATE INDEX pending_reference_by_target ON isthmus.pending_reference (table_schema, target_table, target_id);
