-- Migration: 0015_acknowledgement
-- Purpose: what a person has looked at and lets be, for as long as the document and its cause stay what they are
-- Ticket: N/A
-- Reversible: Yes
-- Rollback:
--   DROP VIEW isthmus.conflict_about;
--   DROP VIEW isthmus.letter_about;
--   DROP TABLE isthmus.acknowledgement;
--   ALTER TABLE isthmus.conflict DROP COLUMN said_digest;
-- Dependencies: isthmus.conflict, isthmus.dead_letter, isthmus.run

-- It refers to no run: a later copy of the same document finds it again by `about`. Nothing of a value is in it.
CREATE TABLE isthmus.acknowledgement (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('letter', 'conflict')),
    about bytea NOT NULL CHECK (octet_length(about) = 32),   -- as the views below make it
    collection text NOT NULL,                -- of the document
    place text NOT NULL,                     -- of a letter: its code; of a conflict: the table
    reason text NOT NULL CHECK (reason <> ''),
    said_by text,                            -- as the person called themselves; null where nobody did
    role text NOT NULL DEFAULT session_user,
    acknowledged_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    withdrawn_at timestamptz,                -- null: it holds; another word about the same withdraws it, too
    withdrawn_by text,
    withdrawn_role text,
    isthmus_version text NOT NULL
);
CREATE UNIQUE INDEX acknowledgement_by_about ON isthmus.acknowledgement (about) WHERE withdrawn_at IS NULL;

-- SHA-256 of the target's id key and of what both sides say in full; null where `differing` and the document say it all.
ALTER TABLE isthmus.conflict ADD COLUMN said_digest bytea;

-- What each dead letter is about: the document, and everything that is wrong with it. Stage, words and place in the
-- source are left out: a retry, or another dump, tells the same cause by others.
CREATE VIEW isthmus.letter_about AS
SELECT d.id AS letter_id, d.run_id, sha256(convert_to(jsonb_build_array(
    'letter', r.target_schema, d.collection, encode(sha256(d.source_id), 'hex'), encode(d.document_digest, 'hex'), (
        SELECT jsonb_agg(DISTINCT jsonb_build_array(c -> 'code', c -> 'path')) FROM jsonb_array_elements(d.causes) AS c
    ))::text, 'UTF8')) AS about
FROM isthmus.dead_letter d JOIN isthmus.run r ON r.id = d.run_id;

-- What each conflict is about: the row, the document, what both say, and what was done.
CREATE VIEW isthmus.conflict_about AS
SELECT c.id AS conflict_id, c.run_id, sha256(convert_to(jsonb_build_array(
    'conflict', r.target_schema, c.collection, c.table_name, c.row_id, c.source_row_id, c.action, c.differing,
    encode(c.said_digest, 'hex'), encode(sha256(c.document), 'hex'))::text, 'UTF8')) AS about
FROM isthmus.conflict c JOIN isthmus.run r ON r.id = c.run_id;
