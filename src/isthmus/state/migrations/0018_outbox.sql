-- Migration: 0018_outbox
-- Purpose: what an application wants written into MongoDB, in the transaction of the rows that it belongs to
-- Ticket: N/A
-- Reversible: Yes
-- Rollback:
--   DROP TABLE isthmus.outbox;
--   DROP TABLE isthmus.outbox_key;

-- A document that events are of. Who adds an event holds its row until the transaction ends: that orders the events.
CREATE TABLE isthmus.outbox_key (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),  -- of collection and _id; 5 and 5.0 are one _id
    collection text NOT NULL,
    document_id bytea NOT NULL,              -- {"_id": value} as BSON
    enqueued_at timestamptz NOT NULL DEFAULT clock_timestamp()       -- the newest event
);

-- id is drawn behind the lock of the key, so it is the version: the lower one of a key was committed first.
CREATE TABLE isthmus.outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key_id bigint NOT NULL REFERENCES isthmus.outbox_key (id),
    token uuid NOT NULL DEFAULT gen_random_uuid(),   -- stands in the document that the event was applied to
    operation text NOT NULL CHECK (operation IN ('insert', 'put', 'update', 'delete')),
    payload bytea NOT NULL,                  -- BSON; empty of a delete
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts integer NOT NULL DEFAULT 0,     -- that MongoDB refused
    next_attempt_at timestamptz,             -- null: at once
    parked_at timestamptz,                   -- it waits for a person, and so do later events of its key
    fault text,                              -- code of what the last attempt ended with
    last_error text,                         -- its words, without secrets
    applied_at timestamptz,                  -- when it was settled; null: it is not
    outcome text CHECK (outcome IN ('applied', 'skipped')),
    confirm_at timestamptz,                  -- when a delete is looked at once more; null: it was, or there is no need
    reason text,                             -- why somebody skipped it
    said_by text,                            -- as the person called themselves
    role text,                               -- of their connection
    CHECK ((applied_at IS NULL) = (outcome IS NULL)),
    CHECK (outcome IS DISTINCT FROM 'skipped' OR reason IS NOT NULL)
);
CREATE INDEX outbox_open ON isthmus.outbox (key_id, id) WHERE applied_at IS NULL;
CREATE INDEX outbox_ready ON isthmus.outbox (id) WHERE applied_at IS NULL AND parked_at IS NULL;
CREATE INDEX outbox_parked ON isthmus.outbox (key_id) WHERE applied_at IS NULL AND parked_at IS NOT NULL;
CREATE INDEX outbox_confirm ON isthmus.outbox (confirm_at) WHERE confirm_at IS NOT NULL;
CREATE INDEX outbox_applied ON isthmus.outbox (applied_at) WHERE applied_at IS NOT NULL;
CREATE INDEX outbox_by_key ON isthmus.outbox (key_id);
