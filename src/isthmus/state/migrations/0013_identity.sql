-- Migration: 0013_identity
-- Purpose: which documents are one thing, found out before anything is loaded and kept for every later run
-- Ticket: N/A
-- Reversible: Yes
-- Rollback:
--   DROP TABLE isthmus.identity_conflict;
--   DROP TABLE isthmus.identity_member;
--   DROP TABLE isthmus.identity;

-- The map of an identity. A dry-run one is for people; nothing that carries documents ever reads it.
CREATE TABLE isthmus.identity (
    name text NOT NULL,                      -- of the identity in the mapping
    mode text NOT NULL CHECK (mode IN ('dry-run', 'live')),
    made_at timestamptz NOT NULL,            -- when it was last found out
    source_name text NOT NULL,               -- printable, without secrets
    counts jsonb NOT NULL,                   -- things, conflicts, and by collection what became of its documents
    answers_digest text NOT NULL,            -- SHA-256 of the answers that were given then, hex
    rules_digest text NOT NULL,              -- SHA-256 of the identity in the mapping, hex
    isthmus_version text NOT NULL,
    PRIMARY KEY (name, mode)
);

-- It outlives runs and documents: a thing keeps its id for ever.
CREATE TABLE isthmus.identity_member (
    name text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('dry-run', 'live')),
    collection text NOT NULL,
    source_id bytea NOT NULL,                -- {"_id": value} as BSON
    key_digest bytea NOT NULL GENERATED ALWAYS AS (sha256(source_id)) STORED,  -- an _id may be longer than an index entry
    own_id text NOT NULL,                    -- the id that is derived from the document alone
    canonical_id text,                       -- of the thing it belongs to; null: to none
    place integer NOT NULL,                  -- in its thing, from 0
    why text NOT NULL CHECK (why IN ('alone', 'key', 'link', 'answer', 'known', 'apart', 'dropped', 'open', 'gone')),
    reason text,                             -- of dropped: in the words of who answered
    keys bytea[] NOT NULL,                   -- digests of its normalised keys, in their order; null where it has none
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (name, mode, collection, key_digest)
);
CREATE INDEX identity_member_by_thing ON isthmus.identity_member USING hash (canonical_id);  -- an id may be as long

-- What the last plan of an identity could not decide.
CREATE TABLE isthmus.identity_conflict (
    name text NOT NULL,
    id text NOT NULL,                        -- digest of its documents: the same in every plan
    kind text NOT NULL,
    message text NOT NULL,
    documents jsonb NOT NULL,                -- [{"collection", "_id", "keys", "listed"}], sensitive values hidden
    more integer NOT NULL,                   -- documents that are not listed
    answers jsonb NOT NULL,                  -- [{"says", "yaml"}]: what could be written into the answers
    made_at timestamptz NOT NULL,
    PRIMARY KEY (name, id)
);
