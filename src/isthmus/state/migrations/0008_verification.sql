-- 0008 verification: what verifications of a run came to.
-- Purpose: a proof outlives the terminal that showed it, and every later command can tell whether it is older than what it proves.

CREATE TABLE isthmus.verification (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id bigint NOT NULL REFERENCES isthmus.run ON DELETE CASCADE,
    started_at timestamptz NOT NULL,         -- of the computer that verified; the target was seen as it stood soon after
    seconds double precision NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('passed', 'failed', 'interrupted')),
    layers jsonb NOT NULL,                   -- by name: outcome, checked, unit, differences, notes, columns
    differences jsonb NOT NULL,              -- the first of each layer, shortened; sensitive values hidden
    isthmus_version text NOT NULL
);
CREATE INDEX verification_by_run ON isthmus.verification (run_id, id);
