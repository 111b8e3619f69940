-- Migration: 0021_switch_place
-- Purpose: which table and which collection a switch was made with, so that the way back finds these and no others
-- Ticket: N/A
-- Reversible: Yes
-- Rollback:
--   COMMENT ON TABLE isthmus.switch IS NULL;
--   ALTER TABLE isthmus.switch_fence DROP COLUMN source_database, DROP COLUMN source_uuid;
--   ALTER TABLE isthmus.switch_move DROP COLUMN table_oid, DROP COLUMN table_name, DROP COLUMN source_database,
--       DROP COLUMN source_uuid, DROP COLUMN filled_at;
-- Dependencies: isthmus.switch, isthmus.switch_move, isthmus.switch_fence

ALTER TABLE isthmus.switch_move
    ADD COLUMN table_oid oid,                        -- the table of documents; null: a mapping's, or not known
    ADD COLUMN table_name text,                      -- its name then, with its schema, as SQL has it
    ADD COLUMN source_database text,                 -- of MongoDB
    ADD COLUMN source_uuid uuid,                     -- of the collection; null: it was not there, or is not known
    ADD COLUMN filled_at timestamptz;                -- when a copy into the table was committed; with that copy

ALTER TABLE isthmus.switch_fence
    ADD COLUMN source_database text,                 -- where the fence stands
    ADD COLUMN source_uuid uuid;

-- The rollback of 0020 brings the schema back to what it was, and not the collections: behind it nobody knows which of
-- them live in PostgreSQL, and the validators that are fences stay in MongoDB.
COMMENT ON TABLE isthmus.switch IS
    'The only place that says where collections live. Before it is dropped: isthmus switch back, of each in PostgreSQL.';
