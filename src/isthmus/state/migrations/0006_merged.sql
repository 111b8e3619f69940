-- 0006 merged: documents that were joined into others, because the mapping says that they are one thing.
-- Purpose: what a joined document said otherwise, and under which id it is found now, is never lost.

ALTER TABLE isthmus.id_map DROP CONSTRAINT id_map_origin_check;
ALTER TABLE isthmus.id_map ADD CONSTRAINT id_map_origin_check
    CHECK (origin IN ('document', 'reference', 'matched', 'merged'));

ALTER TABLE isthmus.conflict ADD COLUMN document bytea;   -- of a joined one: its original bytes
ALTER TABLE isthmus.conflict DROP CONSTRAINT conflict_policy_check;
ALTER TABLE isthmus.conflict ADD CONSTRAINT conflict_policy_check
    CHECK (policy IN ('keep_target', 'overwrite', 'dead_letter', 'merge'));
ALTER TABLE isthmus.conflict DROP CONSTRAINT conflict_action_check;
ALTER TABLE isthmus.conflict ADD CONSTRAINT conflict_action_check
    CHECK (action IN ('kept', 'overwritten', 'updated', 'deleted-in-target', 'gone-from-source', 'merged'));
