-- name: create_there
-- What the documents of a goal are known by.
CREATE TEMP TABLE audit_there (goal integer NOT NULL, key text NOT NULL)

-- name: create_met
-- Values of the documents in hand, each once; they are moved on or counted, and gone with the next ones.
CREATE TEMP TABLE audit_met (
    number bigint NOT NULL, site integer NOT NULL, holder bytea, holder_ids text[] NOT NULL, digest bytea NOT NULL,
    place text NOT NULL, value bytea NOT NULL, form text NOT NULL, made boolean NOT NULL)

-- name: create_may
-- What each of them may mean, one row for each goal of its site.
CREATE TEMP TABLE audit_may (
    number bigint NOT NULL, goal integer NOT NULL, key text, literal text, digest bytea)

-- name: create_hit
-- Which of them a row has; `own` where the value is the row's id as it stands.
CREATE TEMP TABLE audit_hit (number bigint NOT NULL, own boolean NOT NULL)

-- name: create_open
-- Values that no row has.
CREATE TEMP TABLE audit_open (LIKE pg_temp.audit_met)

-- name: create_open_may
-- What they may mean.
CREATE TEMP TABLE audit_open_may (LIKE pg_temp.audit_may)

-- name: create_row
-- References of rows that lead to no row, and those that wait; `pending` is the number of an entry of
-- isthmus.pending_reference, `there` tells that its row has come meanwhile.
CREATE TEMP TABLE audit_row (
    site integer NOT NULL, row_key text[] NOT NULL, root_id text, value text NOT NULL, pending bigint,
    there boolean NOT NULL DEFAULT false, document boolean NOT NULL DEFAULT false)

-- name: count_met
-- The values in hand, by site, form and what they lead to.
SELECT m.site, m.form, CASE WHEN h.number IS NULL THEN 'open' WHEN h.own THEN 'own' ELSE 'row' END, count(*)
FROM pg_temp.audit_met m LEFT JOIN (SELECT number, bool_and(own) AS own FROM pg_temp.audit_hit GROUP BY 1) h USING (number)
GROUP BY 1, 2, 3

-- name: keep_open
-- Those that no row has are looked for among the documents, once all are read.
INSERT INTO pg_temp.audit_open
SELECT m.* FROM pg_temp.audit_met m WHERE NOT EXISTS (SELECT FROM pg_temp.audit_hit h WHERE h.number = m.number)

-- name: keep_open_may
-- And what they may mean.
INSERT INTO pg_temp.audit_open_may
SELECT m.* FROM pg_temp.audit_may m WHERE NOT EXISTS (SELECT FROM pg_temp.audit_hit h WHERE h.number = m.number)

-- name: close_met
-- Make room for the next ones.
TRUNCATE pg_temp.audit_met, pg_temp.audit_may, pg_temp.audit_hit

-- name: open_of_documents
-- Leave out the values that a document has, and count them by site.
WITH led AS (
    DELETE FROM pg_temp.audit_open o WHERE EXISTS (
        SELECT FROM pg_temp.audit_open_may m
        JOIN pg_temp.audit_there t ON t.goal = m.goal AND md5(t.key) = md5(m.key) WHERE m.number = o.number)
    RETURNING o.site)
SELECT site, count(*) FROM led GROUP BY 1

-- name: open_of_rows
-- Leave out the values that a row has by now, and count them by site.
WITH led AS (
    DELETE FROM pg_temp.audit_open o USING pg_temp.audit_hit h WHERE h.number = o.number RETURNING o.site)
SELECT site, count(*) FROM led GROUP BY 1

-- name: open_by_kind
-- What is left leads nowhere: by site, whether it is the id of a row that is gone, and whether a ledger has it.
SELECT site, gone, known, count(*) FROM pg_temp.audit_dangling GROUP BY 1, 2, 3

-- name: list_open
-- The first of each site: those that no ledger has before the others.
SELECT site, holder, place, value, gone, known FROM (
    SELECT d.*, row_number() OVER (PARTITION BY site ORDER BY known, number) AS place_in_line
    FROM pg_temp.audit_dangling d) AS d
WHERE place_in_line <= %(most)s ORDER BY site, place_in_line

-- name: create_orphan
-- The ledger of orphans as it is looked up here; an id may be longer than an index entry.
CREATE TEMP TABLE audit_orphan AS
SELECT DISTINCT source_collection, table_name, column_name, row_id, target_id FROM isthmus.orphan

-- name: index_orphan
-- Found by what they refer to.
CREATE INDEX ON pg_temp.audit_orphan (md5(target_id))

-- name: create_letter
-- The documents that are dead letters.
CREATE TEMP TABLE audit_letter AS SELECT DISTINCT collection, source_id, document_digest FROM isthmus.dead_letter

-- name: index_letter
-- Found by what they were.
CREATE INDEX ON pg_temp.audit_letter (document_digest)

-- name: create_dangling
-- Values that lead nowhere. A row is a document's by the id that is derived from its _id, or by the one it has instead.
-- A document that is a dead letter as it stands has none, and its ledger entry speaks of all of it.
CREATE TEMP TABLE audit_dangling AS
SELECT o.number, o.site, o.holder, o.place, o.value,
       o.made OR EXISTS (
           SELECT FROM pg_temp.audit_open_may m JOIN isthmus.id_map i ON i.id = m.literal WHERE m.number = o.number)
       AS gone,
       EXISTS (
           SELECT FROM pg_temp.audit_open_may m JOIN pg_temp.audit_orphan l ON md5(l.target_id) = md5(m.key)
           WHERE m.number = o.number AND l.source_collection = (%(collections)s::text[])[o.site + 1]
             AND (l.row_id = ANY (o.holder_ids) OR l.row_id IN (
                 SELECT i.id FROM isthmus.id_map i
                 WHERE i.collection = l.source_collection
                   AND (i.key_digest = sha256(o.holder) OR i.derived_id = ANY (o.holder_ids)))))
       OR EXISTS (
           SELECT FROM pg_temp.audit_letter d
           WHERE d.document_digest = o.digest AND d.source_id = o.holder
             AND d.collection = (%(collections)s::text[])[o.site + 1])
       AS known
FROM pg_temp.audit_open o

-- name: written_by_rewrite
-- Values that Isthmus wrote itself, as ids of rows, are those of rows that are gone.
UPDATE pg_temp.audit_dangling d SET gone = true
WHERE NOT gone AND d.number IN (
    SELECT m.number FROM pg_temp.audit_open_may m JOIN isthmus.rewrite_log w ON w.new_text = m.literal AND w.state = 'done')

-- name: drop_pending_twice
-- A row that holds the id it waits with is told once, as one that waits; count these by site.
WITH twice AS (
    DELETE FROM pg_temp.audit_row r USING pg_temp.audit_row p
    WHERE r.pending IS NULL AND p.pending IS NOT NULL AND p.site = r.site AND p.root_id = r.root_id AND p.value = r.value
    RETURNING r.site)
SELECT site, count(*) FROM twice GROUP BY 1

-- name: rows_of_documents
-- Which references of rows lead to a document.
UPDATE pg_temp.audit_row r SET document = true FROM pg_temp.audit_there t
WHERE t.key = r.value AND t.goal = (%(goals)s::integer[])[r.site + 1]

-- name: drop_other_routes
-- A reference of a route waits once for each column that it may go to, and is one reference: told where it leads to a
-- row, else to a document, else at the first column.
DELETE FROM pg_temp.audit_row r USING (
    SELECT site, pending, row_number() OVER (
        PARTITION BY (%(routes)s::integer[])[site + 1], row_key ORDER BY there DESC, document DESC, site) AS place_in_line
    FROM pg_temp.audit_row WHERE pending IS NOT NULL AND (%(routes)s::integer[])[site + 1] IS NOT NULL) AS one
WHERE place_in_line > 1 AND one.site = r.site AND one.pending = r.pending

-- name: count_waiting
-- How many wait, by site.
SELECT site, count(*) FROM pg_temp.audit_row WHERE pending IS NOT NULL GROUP BY 1

-- name: drop_there
-- What waits and has its row by now leads somewhere.
DELETE FROM pg_temp.audit_row WHERE there

-- name: create_row_known
-- References of rows that lead to nothing at all, and whether the ledger of orphans has them.
CREATE TEMP TABLE audit_row_dangling AS
SELECT r.site, r.row_key, r.value, r.pending IS NOT NULL AS pending, EXISTS (
    SELECT FROM pg_temp.audit_orphan l
    WHERE md5(l.target_id) = md5(r.value) AND l.row_id = r.root_id
      AND l.table_name = (%(tables)s::text[])[r.site + 1] AND l.column_name = (%(columns)s::text[])[r.site + 1]) AS known
FROM pg_temp.audit_row r WHERE NOT r.document

-- name: count_rows
-- References of rows that lead to no row, by site: what leads to a document, then what leads to nothing.
SELECT site, document, pending IS NOT NULL, count(*) FROM pg_temp.audit_row GROUP BY 1, 2, 3

-- name: count_row_known
-- Those that lead to nothing, by site and whether a ledger has them.
SELECT site, pending, known, count(*) FROM pg_temp.audit_row_dangling GROUP BY 1, 2, 3

-- name: list_rows
-- The first of each site: those that no ledger has before the others.
SELECT site, row_key, value, pending, known FROM (
    SELECT d.*, row_number() OVER (PARTITION BY site ORDER BY known, row_key, value) AS place_in_line
    FROM pg_temp.audit_row_dangling d) AS d
WHERE place_in_line <= %(most)s ORDER BY site, place_in_line

-- name: count_lettered
-- How many of some documents of a collection are dead letters as they stand.
SELECT count(*) FROM unnest(%(digests)s::bytea[]) AS one
WHERE EXISTS (SELECT FROM pg_temp.audit_letter d WHERE d.document_digest = one AND d.collection = %(collection)s)
