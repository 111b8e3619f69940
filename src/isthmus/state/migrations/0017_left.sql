-- Migration: 0017_left
-- Purpose: values of a rewrite that an undo found replaced, or without their document, are settled and wait for nothing
-- Ticket: N/A
-- Reversible: Yes
-- Rollback:
--   UPDATE isthmus.rewrite_log SET state = 'done', reason = NULL WHERE state IN ('left', 'gone');
--   ALTER TABLE isthmus.rewrite_log DROP CONSTRAINT rewrite_log_state_check;
--   ALTER TABLE isthmus.rewrite_log
--       ADD CONSTRAINT rewrite_log_state_check CHECK (state IN ('planned', 'done', 'undone', 'refused'));
-- Dependencies: isthmus.rewrite_log

-- left: others have written something else there, and it stays. Its reason is the id of a row that stands there now, by
-- which the document still refers to that row; null: anything else. gone: the document is not there any more.
ALTER TABLE isthmus.rewrite_log DROP CONSTRAINT rewrite_log_state_check;
ALTER TABLE isthmus.rewrite_log
    ADD CONSTRAINT rewrite_log_state_check CHECK (state IN ('planned', 'done', 'undone', 'refused', 'left', 'gone'));
