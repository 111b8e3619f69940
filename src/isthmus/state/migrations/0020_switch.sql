-- Migration: 0020_switch
-- Purpose: in which database the documents of a collection live, and how they are switched over
-- Ticket: N/A
-- Reversible: Yes
-- Rollback:
--   DROP TABLE isthmus.switch_fence;
--   DROP TABLE isthmus.switch_move;
--   DROP TABLE isthmus.switch;

-- A collection. Who writes documents of it holds its row FOR SHARE until the write is done; freezing updates the row.
CREATE TABLE isthmus.switch (
    collection text PRIMARY KEY,
    home text NOT NULL DEFAULT 'mongodb' CHECK (home IN ('mongodb', 'postgres')),
    generation bigint NOT NULL DEFAULT 0,            -- how often it changed its home
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    said_by text,                                    -- who switched it last, as the person called themselves
    frozen_at timestamptz,                           -- since when nobody writes; null: it is not frozen
    may_lock boolean NOT NULL DEFAULT true           -- never written: the right to update it is one to lock rows
);

-- A switch of one collection, from its beginning to its end.
CREATE TABLE isthmus.switch_move (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    collection text NOT NULL REFERENCES isthmus.switch (collection),
    goal text NOT NULL CHECK (goal IN ('mongodb', 'postgres')),
    carrier text NOT NULL,                           -- what copies and verifies: table NAME, or mapping NAME
    step text NOT NULL DEFAULT 'begun'
        CHECK (step IN ('begun', 'announced', 'frozen', 'drained', 'fenced', 'copied', 'verified', 'flipped', 'cancelled')),
    token uuid NOT NULL,                             -- of the process that is at work, or was last
    began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    stepped_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    announced_at timestamptz,                        -- since when new writers are turned away
    ended_at timestamptz,                            -- null: it is under way, or whoever ran it is gone
    frozen_seconds double precision,                 -- how long nobody could write, from the announcement on
    counts jsonb NOT NULL DEFAULT '{}',              -- documents, written, removed, verified
    contents jsonb NOT NULL DEFAULT '{}',            -- table → rows and their digest, as they were verified; of a mapping
    said_by text,
    role text NOT NULL DEFAULT session_user,
    CHECK ((ended_at IS NULL) = (step NOT IN ('flipped', 'cancelled')))
);
CREATE UNIQUE INDEX switch_move_open ON isthmus.switch_move (collection) WHERE ended_at IS NULL;
CREATE INDEX switch_move_collection ON isthmus.switch_move (collection, id);

-- A collection whose validator refuses every write; what it was before is put back with the fence's removal.
CREATE TABLE isthmus.switch_fence (
    collection text PRIMARY KEY REFERENCES isthmus.switch (collection),
    before bytea NOT NULL,                           -- {validator, validationLevel, validationAction} as BSON
    raised_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
