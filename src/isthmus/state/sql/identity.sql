-- name: exists
-- Whether the state is of a version that keeps identities.
SELECT to_regclass('isthmus.identity') IS NOT NULL

-- name: live_maps
-- The live maps of some identities: name, digest of the answers.
SELECT name, answers_digest FROM isthmus.identity WHERE mode = 'live' AND name = ANY(%(names)s) ORDER BY name

-- name: live_members
-- Every document of the live maps that belongs to a thing, is kept apart from all on purpose, or is left behind.
SELECT collection, source_id, canonical_id, why, reason
FROM isthmus.identity_member
WHERE mode = 'live' AND name = ANY(%(names)s) AND (canonical_id IS NOT NULL OR why IN ('apart', 'dropped'))

-- name: lay_out_things
-- A table of the session: the thing of each document of some collections, by the id that is derived from it alone.
CREATE TEMP TABLE isthmus_retry_thing AS
SELECT DISTINCT own_id AS own, canonical_id AS thing FROM isthmus.identity_member
WHERE mode = 'live' AND name = ANY(%(names)s) AND collection = ANY(%(members)s) AND canonical_id IS NOT NULL

-- name: maps
-- All maps: what they are and what they came to.
SELECT name, mode, made_at, source_name, counts, answers_digest, rules_digest, isthmus_version
FROM isthmus.identity ORDER BY name, mode DESC

-- name: conflicts
-- What the last plan of each identity could not decide.
SELECT name, id, kind, message, documents, more, answers, made_at
FROM isthmus.identity_conflict ORDER BY name, kind, id

-- name: conflict
-- One of them, by its id or the beginning of it.
SELECT name, id, kind, message, documents, more, answers, made_at
FROM isthmus.identity_conflict WHERE starts_with(id, %(id)s) ORDER BY name, id

-- name: members_of
-- The documents of some things of a map, by the thing's id.
SELECT name, mode, canonical_id, collection, source_id, own_id, place, why, reason
FROM isthmus.identity_member WHERE canonical_id = ANY(%(ids)s)
ORDER BY name, mode DESC, canonical_id, place, collection, key_digest

-- name: member
-- A document in the maps, by its _id in any of its meanings, or by the id that is derived from it.
SELECT name, mode, canonical_id, collection, source_id, own_id, place, why, reason
FROM isthmus.identity_member WHERE own_id = %(id)s OR key_digest = ANY(%(digests)s)
ORDER BY name, mode DESC, collection, key_digest

-- name: export
-- A map, thing by thing; what belongs to none stands behind.
SELECT canonical_id, collection, source_id, why, reason
FROM isthmus.identity_member WHERE name = %(name)s AND mode = %(mode)s
ORDER BY canonical_id NULLS LAST, place, collection, key_digest

-- name: replace_map
-- Say of a map what it is now.
INSERT INTO isthmus.identity (name, mode, made_at, source_name, counts, answers_digest, rules_digest, isthmus_version)
VALUES (%(name)s, %(mode)s, now(), %(source)s, %(counts)s, %(answers)s, %(rules)s, %(version)s)
ON CONFLICT (name, mode) DO UPDATE SET made_at = excluded.made_at, source_name = excluded.source_name,
    counts = excluded.counts, answers_digest = excluded.answers_digest, rules_digest = excluded.rules_digest,
    isthmus_version = excluded.isthmus_version

-- name: forget_members
-- Forget the documents of a map; of a live one this is never done.
DELETE FROM isthmus.identity_member WHERE name = %(name)s AND mode = 'dry-run'

-- name: enter_members
-- Enter the documents that were found out about (pg_temp.thing_found) into a map; what did not change stays as it is.
INSERT INTO isthmus.identity_member
    (name, mode, collection, source_id, own_id, canonical_id, place, why, reason, keys, changed_at)
SELECT %(name)s, %(mode)s, collection, source_id, own_id, canonical_id, place, why, reason, keys, now()
FROM pg_temp.thing_found
ON CONFLICT (name, mode, collection, key_digest) DO UPDATE SET own_id = excluded.own_id,
    canonical_id = excluded.canonical_id, place = excluded.place, why = excluded.why, reason = excluded.reason,
    keys = excluded.keys, changed_at = excluded.changed_at
WHERE (identity_member.own_id, identity_member.canonical_id, identity_member.place, identity_member.why,
       identity_member.reason, identity_member.keys)
    IS DISTINCT FROM (excluded.own_id, excluded.canonical_id, excluded.place, excluded.why, excluded.reason,
       excluded.keys)

-- name: forget_conflicts
-- Forget what the plan before could not decide.
DELETE FROM isthmus.identity_conflict WHERE name = %(name)s

-- name: enter_conflict
-- Enter something that a plan could not decide.
INSERT INTO isthmus.identity_conflict (name, id, kind, message, documents, more, answers, made_at)
VALUES (%(name)s, %(id)s, %(kind)s, %(message)s, %(documents)s, %(more)s, %(answers)s, now())
