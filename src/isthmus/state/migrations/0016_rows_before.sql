-- Migration: 0016_rows_before
-- Purpose: rows that others write into a table behind the first copy are told from those that stood there before it
-- Ticket: N/A
-- Reversible: Yes
-- Rollback:
--   DROP TABLE isthmus.rows_before;

-- Which rows stood in a table when the first copy brought rows to it, of tables whose rows are tracked. No value is in
-- it. It outlives runs, and goes when all that copies brought to the table is taken back. A table that an older version
-- was the first to bring rows to has no part at all.
CREATE TABLE isthmus.rows_before (
    table_schema text NOT NULL,
    table_name text NOT NULL,
    part integer NOT NULL,                   -- from 0; that of an empty table is there, too
    digests bigint[] NOT NULL,               -- of each row the first 8 bytes of SHA-256 of what it is known by, sorted
    PRIMARY KEY (table_schema, table_name, part)
);
