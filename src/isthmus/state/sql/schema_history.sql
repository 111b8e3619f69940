-- name: list
-- Every migration of one schema that is known here, in the order of names.
SELECT name, checksum, state, steps, steps_done, started_at, applied_at, seconds, fault
FROM isthmus.schema_history
WHERE schema_title = %(title)s
ORDER BY name COLLATE "C"

-- name: begin
-- Write down that a migration is tried now; an attempt that failed before is tried anew from where it stands.
INSERT INTO isthmus.schema_history
    (schema_title, name, checksum, state, steps, steps_done, started_at, isthmus_version)
VALUES (%(title)s, %(name)s, %(checksum)s, 'running', %(steps)s, 0, clock_timestamp(), %(version)s)
ON CONFLICT (schema_title, name) DO UPDATE
SET checksum = excluded.checksum, state = 'running', steps = excluded.steps,
    steps_done = CASE WHEN isthmus.schema_history.checksum = excluded.checksum
                      THEN isthmus.schema_history.steps_done ELSE 0 END,
    started_at = excluded.started_at, applied_at = NULL, seconds = NULL, fault = NULL,
    isthmus_version = excluded.isthmus_version
RETURNING steps_done

-- name: step
-- Write down how many statements of a migration are through.
UPDATE isthmus.schema_history SET steps_done = %(done)s WHERE schema_title = %(title)s AND name = %(name)s

-- name: applied
-- Write down that a migration is through.
INSERT INTO isthmus.schema_history
    (schema_title, name, checksum, state, steps, steps_done, started_at, applied_at, seconds, isthmus_version)
VALUES (%(title)s, %(name)s, %(checksum)s, %(state)s, %(steps)s, %(steps)s, %(started_at)s, clock_timestamp(),
        extract(epoch FROM clock_timestamp() - %(started_at)s), %(version)s)
ON CONFLICT (schema_title, name) DO UPDATE
SET checksum = excluded.checksum, state = excluded.state, steps = excluded.steps, steps_done = excluded.steps_done,
    applied_at = excluded.applied_at, seconds = excluded.seconds, fault = NULL, isthmus_version = excluded.isthmus_version

-- name: failed
-- Write down what the server said. Waits for an attempt that is not ended yet, and leaves one alone that got through.
INSERT INTO isthmus.schema_history
    (schema_title, name, checksum, state, steps, steps_done, started_at, fault, isthmus_version)
VALUES (%(title)s, %(name)s, %(checksum)s, 'failed', %(steps)s, 0, %(started_at)s, %(fault)s, %(version)s)
ON CONFLICT (schema_title, name) DO UPDATE
SET state = 'failed', fault = excluded.fault, seconds = NULL
WHERE isthmus.schema_history.state IN ('running', 'failed')

-- name: forget
-- Take a migration out of the history.
DELETE FROM isthmus.schema_history WHERE schema_title = %(title)s AND name = %(name)s
