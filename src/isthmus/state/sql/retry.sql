-- name: create_scratch
-- Tables of this session: letters to look at now, letters to look at again, and which missing documents each one needs.
CREATE TEMP TABLE isthmus_retry_chosen (collection text, letter bigint);
CREATE TEMP TABLE isthmus_retry_now (collection text, letter bigint, PRIMARY KEY (collection, letter));
CREATE TEMP TABLE isthmus_retry_again (collection text, letter bigint);
CREATE TEMP TABLE isthmus_retry_put_off (collection text, letter bigint);
CREATE TEMP TABLE isthmus_retry_need (letter bigint, collection text, root text, id text, reference text, target text, target_id text);
CREATE TEMP TABLE isthmus_retry_open (LIKE isthmus_retry_need);
CREATE TEMP TABLE isthmus_retry_circle (letter bigint, root text, id text)

-- name: choose_letters
-- Look at every letter of the run, or at those of one collection or code.
WITH chosen AS (INSERT INTO pg_temp.isthmus_retry_chosen SELECT collection, id FROM isthmus.dead_letter
WHERE run_id = %(run)s AND collection = ANY (%(collections)s)
  AND (%(collection)s::text IS NULL OR collection = %(collection)s) AND (%(code)s::text IS NULL OR code = %(code)s)
RETURNING collection, letter)
INSERT INTO pg_temp.isthmus_retry_now SELECT * FROM chosen

-- name: choose_last
-- Look once more at letters that stay for what the target holds, which is more by now.
INSERT INTO pg_temp.isthmus_retry_now SELECT c.* FROM pg_temp.isthmus_retry_chosen c
JOIN isthmus.dead_letter l ON l.id = c.letter WHERE l.stage <> 'convert' ON CONFLICT DO NOTHING

-- name: chosen_letters
-- How many letters there are to look at, and their bytes, by collection.
SELECT n.collection, count(*), sum(octet_length(l.document)) FROM pg_temp.isthmus_retry_now n
JOIN isthmus.dead_letter l ON l.id = n.letter GROUP BY 1

-- name: next_letters
-- The next letters to look at, as many as a number of bytes allows and at least one.
WITH page AS (
    SELECT n.letter AS id, octet_length(l.document) AS size FROM pg_temp.isthmus_retry_now n
    JOIN isthmus.dead_letter l ON l.id = n.letter
    WHERE n.collection = %(collection)s AND n.letter > %(after)s ORDER BY n.letter LIMIT %(limit)s
), summed AS (SELECT id, sum(size) OVER (ORDER BY id) - size AS before FROM page)
SELECT l.id, l.collection, l.code, l.source_id, l.document
FROM summed s JOIN isthmus.dead_letter l USING (id) WHERE s.before < %(bytes)s ORDER BY l.id

-- name: letters_by_number
-- Some letters with their bytes.
SELECT id, collection, code, source_id, document FROM isthmus.dead_letter
WHERE run_id = %(run)s AND id = ANY (%(letters)s) ORDER BY id

-- name: look_again
-- Letters that wait for another one of their batch are looked at in the next pass.
INSERT INTO pg_temp.isthmus_retry_again SELECT * FROM unnest(%(collections)s::text[], %(letters)s::bigint[])

-- name: put_off
-- Letters that will be joined into documents of the target are looked at behind all others.
INSERT INTO pg_temp.isthmus_retry_put_off SELECT * FROM unnest(%(collections)s::text[], %(letters)s::bigint[])

-- name: choose_put_off
-- Now look at those that were put off.
INSERT INTO pg_temp.isthmus_retry_now SELECT DISTINCT * FROM pg_temp.isthmus_retry_put_off

-- name: forget_needs
-- Letters that are looked at again say anew what they need.
DELETE FROM pg_temp.isthmus_retry_need WHERE letter = ANY (%(letters)s)

-- name: insert_needs
-- Which missing documents some letters of one collection need for one reference.
INSERT INTO pg_temp.isthmus_retry_need
SELECT letter, %(collection)s, %(root)s, id, %(reference)s, %(target)s, target_id
FROM unnest(%(letters)s::bigint[], %(ids)s::text[], %(target_ids)s::text[]) AS n(letter, id, target_id)

-- name: lacking_references
-- The references for which letters wait.
SELECT DISTINCT reference FROM pg_temp.isthmus_retry_need ORDER BY 1

-- name: next_pass
-- Look at letters again that waited for another one, or of which every missing document is there now.
INSERT INTO pg_temp.isthmus_retry_now
SELECT collection, letter FROM pg_temp.isthmus_retry_again
UNION
(SELECT collection, letter FROM pg_temp.isthmus_retry_need
 EXCEPT SELECT collection, letter FROM pg_temp.isthmus_retry_open)

-- name: begin_circles
-- Every letter that lacks only other letters may be part of a circle; of letters with one id only the first.
INSERT INTO pg_temp.isthmus_retry_circle
SELECT DISTINCT ON (root, id) letter, root, id FROM pg_temp.isthmus_retry_open ORDER BY root, id, letter

-- name: narrow_circles
-- Leave out letters that lack something which is no letter in question.
DELETE FROM pg_temp.isthmus_retry_circle c USING pg_temp.isthmus_retry_open n
WHERE n.letter = c.letter AND NOT EXISTS (SELECT FROM pg_temp.isthmus_retry_circle m
                                          WHERE m.root = n.target AND m.id = n.target_id)

-- name: circle_links
-- Which letter in question lacks which other one.
SELECT DISTINCT c.letter, m.letter FROM pg_temp.isthmus_retry_circle c
JOIN pg_temp.isthmus_retry_open n ON n.letter = c.letter
LEFT JOIN pg_temp.isthmus_retry_circle m ON m.root = n.target AND m.id = n.target_id

-- name: delete_letters
-- Letters that were answered go.
DELETE FROM isthmus.dead_letter WHERE run_id = %(run)s AND id = ANY (%(letters)s)

-- name: replace_causes
-- Why letters that stay were refused this time.
UPDATE isthmus.dead_letter l SET stage = d.stage, code = d.code, path = d.path, message = d.message, causes = d.causes
FROM unnest(%(letters)s::bigint[], %(stages)s::text[], %(codes)s::text[], %(paths)s::text[], %(messages)s::text[],
            %(causes)s::jsonb[]) AS d(id, stage, code, path, message, causes)
WHERE l.id = d.id AND (l.stage, l.code, l.path, l.message, l.causes)
  IS DISTINCT FROM (d.stage, d.code, d.path, d.message, d.causes)

-- name: forget_refusals
-- The orphans for which some documents had become dead letters.
WITH gone AS (
    DELETE FROM isthmus.orphan
    WHERE run_id = %(run)s AND source_collection = %(collection)s AND action = 'dead_letter'
      AND "left"(row_id, 100) = ANY (%(beginnings)s) AND row_id = ANY (%(ids)s)
    RETURNING table_name, column_name, by_default)
SELECT table_name, column_name, by_default, count(*) FROM gone GROUP BY 1, 2, 3

-- name: store_books
-- Keep the books that a retry changed, and what it did; they are news until they are told.
UPDATE isthmus.run SET balance = %(balance)s, retries = %(retries)s, told_at = NULL WHERE id = %(run)s

-- name: read_books
-- The books and the retries of a run.
SELECT balance, retries FROM isthmus.run WHERE id = %(run)s

-- name: new_defaults
-- Orphans entered since a number that were handled without a stated policy, of documents that are in the target.
SELECT count(*) FROM isthmus.orphan WHERE run_id = %(run)s AND id > %(after)s AND by_default AND action <> 'dead_letter'
