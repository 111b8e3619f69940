-- 0001 baseline: the tables of Isthmus's own state, all in schema isthmus.
-- Purpose: everything a run must remember to be resumed, explained and proven lives beside the data it carried.
-- Positions (start_position, end_position, position) are opaque to SQL: a dump stores 8 bytes, big-endian, decompressed offset.

CREATE TABLE isthmus.run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mapping_fingerprint text NOT NULL,
    mapping_text text NOT NULL,              -- the file as it was, so that a refusal can say what differs
    source jsonb NOT NULL,                   -- Source.identity(): what must stay the same for a resume
    source_name text NOT NULL,               -- printable, without secrets
    target_schema text NOT NULL,
    tables jsonb NOT NULL,                   -- what this run created, for --fresh: {"tables": [], "types": [], "waiting": []}
    started_at timestamptz NOT NULL,         -- `now` in the mapping
    stage text NOT NULL CHECK (stage IN ('copying', 'finishing', 'complete')),
    finished_at timestamptz,
    balance jsonb,                           -- the books as printed when the run completed
    lease_token uuid NOT NULL,               -- who may write: every batch compares it
    lease_holder text NOT NULL,              -- host and process id, for people
    lease_at timestamptz NOT NULL,
    isthmus_version text NOT NULL
);

CREATE TABLE isthmus.id_key (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    key bytea NOT NULL CHECK (octet_length(key) = 32),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE isthmus.partition (
    run_id bigint NOT NULL REFERENCES isthmus.run ON DELETE CASCADE,
    collection text NOT NULL,
    number integer NOT NULL,
    start_position bytea NOT NULL,
    end_position bytea,                      -- NULL: to the end of the collection
    position bytea,                          -- NULL: nothing committed yet
    batches integer NOT NULL DEFAULT 0,
    done boolean NOT NULL DEFAULT false,
    counts jsonb NOT NULL DEFAULT '{}',      -- cumulative books of this partition
    PRIMARY KEY (run_id, collection, number)
);

CREATE TABLE isthmus.batch (
    run_id bigint NOT NULL,
    collection text NOT NULL,
    partition_number integer NOT NULL,
    number integer NOT NULL,
    start_position bytea NOT NULL,
    end_position bytea NOT NULL,
    documents integer NOT NULL,
    source_bytes bigint NOT NULL,            -- bytes of BSON read
    digest bytea NOT NULL,                   -- blake3 of those bytes, 32 bytes
    document_digests bytea NOT NULL,         -- 16 bytes a document: 8 of its _id, 8 of its content
    PRIMARY KEY (run_id, collection, partition_number, number),
    FOREIGN KEY (run_id, collection, partition_number) REFERENCES isthmus.partition ON DELETE CASCADE
);
ALTER TABLE isthmus.batch ALTER COLUMN document_digests SET STORAGE EXTERNAL;

CREATE TABLE isthmus.dead_letter (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id bigint NOT NULL REFERENCES isthmus.run ON DELETE CASCADE,
    collection text NOT NULL,
    source_id bytea,                         -- {"_id": value} as BSON; NULL when the document has no readable _id
    source_id_text text,
    location text NOT NULL,                  -- file and offset
    stage text NOT NULL CHECK (stage IN ('convert', 'load', 'finish')),
    code text NOT NULL,
    path text NOT NULL,
    message text NOT NULL,
    causes jsonb NOT NULL,                   -- all causes, up to 16; the first is repeated in code, path and message
    document bytea NOT NULL,                 -- the original bytes
    document_digest bytea NOT NULL,          -- 8 bytes, as in batch.document_digests
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dead_letter_by_collection ON isthmus.dead_letter (run_id, collection, code);

CREATE TABLE isthmus.orphan (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id bigint NOT NULL REFERENCES isthmus.run ON DELETE CASCADE,
    source_collection text NOT NULL,         -- collection of the document that holds the reference
    table_name text NOT NULL,
    column_name text NOT NULL,
    row_id text NOT NULL,                    -- id of the root row the reference stands in
    row_position integer[],                  -- position inside child tables; NULL in root and junction tables
    target_collection text NOT NULL,
    target_id text NOT NULL,                 -- the id as the column held it
    old_id bytea,                            -- {"_id": value} as BSON, as the source has it
    old_id_text text,
    action text NOT NULL CHECK (action IN ('null', 'drop', 'dead_letter', 'kept')),
    by_default boolean NOT NULL,             -- true: the mapping states no policy for it
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX orphan_by_column ON isthmus.orphan (run_id, table_name, column_name);

CREATE TABLE isthmus.adjustment (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id bigint NOT NULL REFERENCES isthmus.run ON DELETE CASCADE,
    collection text NOT NULL,
    source_id bytea,
    table_name text NOT NULL,
    column_name text NOT NULL,
    row_position integer,
    kind text NOT NULL,
    original text NOT NULL                   -- shortened; "(hidden)" for sensitive fields
);

CREATE TABLE isthmus.id_map (
    collection text NOT NULL,
    source_id bytea NOT NULL,                -- {"_id": value} as BSON
    id text NOT NULL,
    origin text NOT NULL CHECK (origin IN ('document', 'reference')),
    key_digest bytea NOT NULL GENERATED ALWAYS AS (sha256(source_id)) STORED,  -- an _id may be longer than an index entry
    PRIMARY KEY (collection, key_digest)
);
CREATE INDEX id_map_by_id ON isthmus.id_map (id);

CREATE TABLE isthmus.tally (
    run_id bigint NOT NULL REFERENCES isthmus.run ON DELETE CASCADE,
    kind text NOT NULL,                      -- what finish changed: a group of the partition's counts, 'finish-letters', 'merged-pairs' …
    name text NOT NULL,
    amount bigint NOT NULL,
    PRIMARY KEY (run_id, kind, name)
);
