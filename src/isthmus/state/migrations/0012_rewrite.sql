-- Migration: 0012_rewrite
-- Purpose: which old ids inside MongoDB documents were replaced by ids of rows, value by value, so that it can go on and be undone
-- Ticket: N/A
-- Reversible: Yes
-- Rollback:
--   DROP TABLE isthmus.rewrite_log;
--   DROP TABLE isthmus.rewrite_part;
--   DROP TABLE isthmus.rewrite;

-- It refers to no run: what was written into MongoDB outlives a copy that is started over.
CREATE TABLE isthmus.rewrite (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source jsonb NOT NULL,                   -- Source.identity(): whose documents were written to
    source_name text NOT NULL,               -- printable, without secrets
    mapping_fingerprint text NOT NULL,
    scope jsonb NOT NULL,                    -- what was asked for: {"to": [entries], "only": [collections]}, sorted
    run_id bigint NOT NULL,                  -- the newest run of the target when it began
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,                    -- null: it can be gone on with
    outcome text CHECK (outcome IN ('complete', 'undone', 'replaced')),  -- replaced: another one was begun instead
    isthmus_version text NOT NULL,
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
);

CREATE TABLE isthmus.rewrite_part (
    rewrite_id bigint NOT NULL REFERENCES isthmus.rewrite ON DELETE CASCADE,
    collection text NOT NULL,
    position bytea,                          -- behind which document it stands; null: nothing was done yet
    done boolean NOT NULL DEFAULT false,
    documents bigint NOT NULL DEFAULT 0,     -- that were read
    bytes bigint NOT NULL DEFAULT 0,
    counts jsonb NOT NULL DEFAULT '{}',      -- {"path": {"outcome": values}}, cumulative; what is written stands in the log
    PRIMARY KEY (rewrite_id, collection)
);

CREATE TABLE isthmus.rewrite_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rewrite_id bigint NOT NULL REFERENCES isthmus.rewrite ON DELETE CASCADE,
    collection text NOT NULL,
    source_id bytea NOT NULL,                -- {"_id": value} as BSON
    site text NOT NULL,                      -- where, for all documents: coAuthors[].userId
    path jsonb NOT NULL,                     -- where, in this one: keys as texts, positions as numbers from 0
    old_value bytea NOT NULL,                -- {"": value} as BSON
    new_text text,                           -- the id of the row; null where there is none to write
    state text NOT NULL CHECK (state IN ('planned', 'done', 'undone', 'refused')),
    reason text,                             -- why it was refused, or what became of what was to be undone
    planned_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    settled_at timestamptz,                  -- when the state became what it is; null while planned
    key_digest bytea NOT NULL GENERATED ALWAYS AS (sha256(source_id)) STORED,  -- an _id may be longer than an index entry
    CHECK (new_text IS NOT NULL OR state = 'refused')
);
CREATE INDEX rewrite_log_by_document ON isthmus.rewrite_log (collection, key_digest);
CREATE INDEX rewrite_log_by_state ON isthmus.rewrite_log (rewrite_id, state, collection, site);
