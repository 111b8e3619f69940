-- 0003 moved: how a source that others write to differed from what a run had read of it, when its load ended.
-- Purpose: a copy of a running server that moved meanwhile is never taken for a whole one, also by who looks later.

ALTER TABLE isthmus.run ADD COLUMN moved jsonb;   -- NULL: a source that stands still, or a load that has not ended
