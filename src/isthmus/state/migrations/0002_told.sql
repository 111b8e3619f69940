-- 0002 told: what a complete run came to is news until somebody has seen it.
-- Purpose: a process that dies between closing its run and printing the books must not let dead letters pass unseen.

ALTER TABLE isthmus.run ADD COLUMN told_at timestamptz;   -- when the books of the complete run were first printed

-- Documents that share an id with one that has rows are looked up among the letters by their digest.
CREATE INDEX dead_letter_by_digest ON isthmus.dead_letter (run_id, collection, document_digest);
