-- Migration: 0011_schema_word
-- Purpose: what people said of migrations, and what other runners applied, told apart from what Isthmus did itself
-- Ticket: N/A
-- Reversible: Yes
-- Rollback:
--   DROP TABLE isthmus.schema_word;
--   DROP TABLE isthmus.schema_adoption;
--   ALTER TABLE isthmus.schema_history DROP COLUMN settled_at, DROP COLUMN on_word_of;
-- Dependencies: isthmus.schema_history

-- on_word_of: whose word it is that the database has it, or as much of it as steps_done says; null: Isthmus saw it.
-- settled_at: when a person said behind which statement to go on; null again once a deployer does.
ALTER TABLE isthmus.schema_history
    ADD COLUMN on_word_of text CHECK (on_word_of IN ('person', 'prisma', 'drizzle')),
    ADD COLUMN settled_at timestamptz;

CREATE TABLE isthmus.schema_word (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    schema_title text NOT NULL,
    name text NOT NULL,                      -- of the migration
    answer text NOT NULL CHECK (answer IN ('applied', 'step', 'again', 'forget', 'accept')),
    steps_done integer,                      -- of step: how many statements are through
    why text,                                -- in the person's words; null where none were given
    before jsonb,                            -- the line of schema_history as it was; null where there was none
    said_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    role text NOT NULL DEFAULT session_user,
    isthmus_version text NOT NULL
);
CREATE INDEX schema_word_by_migration ON isthmus.schema_word (schema_title, name);

CREATE TABLE isthmus.schema_adoption (
    schema_title text PRIMARY KEY,
    runner text NOT NULL CHECK (runner IN ('prisma', 'drizzle')),
    schema_name text NOT NULL,               -- where that runner keeps its history
    table_name text NOT NULL,
    known text[] NOT NULL,                   -- ids of its entries when they were adopted; others came later
    adopted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    role text NOT NULL DEFAULT session_user,
    isthmus_version text NOT NULL
);
