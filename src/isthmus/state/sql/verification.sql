-- name: exists
-- Whether the state is of a version that keeps verifications.
SELECT to_regclass('isthmus.verification') IS NOT NULL

-- name: insert_verification
-- Keep what a verification came to.
INSERT INTO isthmus.verification (run_id, started_at, seconds, outcome, layers, differences, isthmus_version)
VALUES (%(run)s, %(started_at)s, %(seconds)s, %(outcome)s, %(layers)s, %(differences)s, %(version)s)
RETURNING id

-- name: latest_whole_verification
-- The newest verification of a run that some layers are in, all of them.
SELECT id, run_id, started_at, seconds, outcome, layers, differences, isthmus_version
FROM isthmus.verification WHERE run_id = %(run)s AND layers ?& %(layers)s::text[] AND outcome <> 'interrupted'
ORDER BY id DESC LIMIT 1

-- name: latest_verification
-- The newest verification of a run that came to its end or had found something; only if there is none, another one.
SELECT id, run_id, started_at, seconds, outcome, layers, differences, isthmus_version
FROM isthmus.verification WHERE run_id = %(run)s
ORDER BY outcome = 'interrupted' AND NOT jsonb_path_exists(layers, '$.*.differences ? (@ > 0)'), id DESC LIMIT 1
