-- name: forget
-- Drop the tables of a search.
DROP TABLE IF EXISTS pg_temp.thing_document, pg_temp.thing_key, pg_temp.thing_link, pg_temp.thing_hit,
    pg_temp.thing_dropped, pg_temp.thing_same, pg_temp.thing_named, pg_temp.thing_key_edge, pg_temp.thing_flag,
    pg_temp.thing_mixed, pg_temp.thing_of, pg_temp.thing_found, pg_temp.edge, pg_temp.component

-- name: lay_out
-- Tables of one session for what is known of the documents: one row a document, of members and of what is linked.
-- Documents are numbered; `part` is the place of their collection in the identity, members first.
CREATE TEMP TABLE thing_document (
    node bigint NOT NULL,
    part smallint NOT NULL,
    source_id bytea NOT NULL,
    own_id text COLLATE "C" NOT NULL,
    shown text NOT NULL,                     -- JSON: [[field, value], …], sensitive values hidden
    keys bytea[] NOT NULL,
    listed boolean NOT NULL DEFAULT true,    -- whether the source has it; else only an earlier map knows it
    known text COLLATE "C",                  -- of which thing an earlier map knows it
    known_why text
);
CREATE TEMP TABLE thing_key (node bigint NOT NULL, key smallint NOT NULL, digest bytea NOT NULL);
CREATE TEMP TABLE thing_link (          -- what a link may mean: the id of a document of one part, or of a thing (-1)
    node bigint NOT NULL, link smallint NOT NULL, part smallint NOT NULL, id text COLLATE "C" NOT NULL
);
CREATE TEMP TABLE thing_hit (node bigint NOT NULL, link smallint NOT NULL, hit bigint NOT NULL);
CREATE TEMP TABLE thing_dropped (node bigint NOT NULL, reason text NOT NULL);
CREATE TEMP TABLE thing_same (a bigint NOT NULL, b bigint NOT NULL);
CREATE TEMP TABLE thing_named (node bigint NOT NULL);
CREATE TEMP TABLE thing_key_edge (a bigint NOT NULL, b bigint NOT NULL);
CREATE TEMP TABLE thing_flag (node bigint NOT NULL);
CREATE TEMP TABLE thing_mixed (root bigint PRIMARY KEY, documents bigint NOT NULL);
CREATE TEMP TABLE thing_of (
    node bigint NOT NULL, canonical_id text COLLATE "C", place integer NOT NULL, why text NOT NULL
);
CREATE TEMP TABLE edge (a bigint NOT NULL, b bigint NOT NULL)

-- name: add_documents
-- Documents as they were read.
COPY pg_temp.thing_document (node, part, source_id, own_id, shown, keys) FROM STDIN

-- name: add_links
-- What their links may mean.
COPY pg_temp.thing_link (node, link, part, id) FROM STDIN

-- name: take_keys
-- The keys of the documents, a row each.
INSERT INTO pg_temp.thing_key
SELECT d.node, k.number - 1, k.digest
FROM pg_temp.thing_document d CROSS JOIN unnest(d.keys) WITH ORDINALITY AS k (digest, number)
WHERE k.digest IS NOT NULL

-- name: index_documents
-- Let documents be found by number and by _id.
CREATE UNIQUE INDEX ON pg_temp.thing_document (node);
CREATE INDEX ON pg_temp.thing_document USING hash (source_id);
CREATE INDEX ON pg_temp.thing_document USING hash (own_id);
ANALYZE pg_temp.thing_document;
ANALYZE pg_temp.thing_key;
ANALYZE pg_temp.thing_link

-- name: know_listed
-- Say of each document of which thing the live map knows it.
UPDATE pg_temp.thing_document d SET known = m.canonical_id, known_why = m.why
FROM isthmus.identity_member m
WHERE m.name = %(name)s AND m.mode = 'live' AND m.collection = (%(collections)s::text[])[d.part + 1]
    AND m.key_digest = sha256(d.source_id) AND m.canonical_id IS NOT NULL

-- name: add_known
-- Add members that the live map knows and the source has not (any more). Their keys speak only where their collection
-- was not read at all: what was deleted recognises nobody.
WITH gone AS (
    SELECT row_number() OVER () + %(last)s AS node, p.part - 1 AS part, m.source_id, m.own_id, m.keys, m.canonical_id,
        m.why, m.why <> 'gone' AND NOT p.part - 1 = ANY(%(read)s::integer[]) AS speaks
    FROM isthmus.identity_member m
    JOIN unnest(%(collections)s::text[]) WITH ORDINALITY AS p (collection, part) ON p.collection = m.collection
    WHERE m.name = %(name)s AND m.mode = 'live' AND m.canonical_id IS NOT NULL AND p.part <= %(members)s
        AND NOT EXISTS (SELECT FROM pg_temp.thing_document d WHERE d.source_id = m.source_id AND d.part = p.part - 1)
), added AS (
    INSERT INTO pg_temp.thing_document (node, part, source_id, own_id, shown, keys, listed, known, known_why)
    SELECT node, part, source_id, own_id, '[]', keys, false, canonical_id, CASE WHEN speaks THEN why ELSE 'gone' END
    FROM gone
)
INSERT INTO pg_temp.thing_key
SELECT gone.node, k.number - 1, k.digest FROM gone CROSS JOIN unnest(gone.keys) WITH ORDINALITY AS k (digest, number)
WHERE gone.speaks AND k.digest IS NOT NULL

-- name: find_named
-- Find a document that an answer names, by its _id as it stands or by the id that is derived from it.
SELECT node, listed FROM pg_temp.thing_document
WHERE part = %(part)s AND (source_id = ANY(%(source_ids)s) OR own_id = ANY(%(own_ids)s))
ORDER BY source_id = ANY(%(source_ids)s) DESC, node LIMIT 1

-- name: is_known
-- Whether the live map knows a document that is not in the source: answered, and gone since.
SELECT EXISTS (
    SELECT FROM isthmus.identity_member WHERE name = %(name)s AND mode = 'live' AND collection = %(collection)s
        AND (source_id = ANY(%(source_ids)s) OR own_id = ANY(%(own_ids)s))
)

-- name: take_dropped_out
-- What is dropped is no part of anything.
DELETE FROM pg_temp.thing_key k USING pg_temp.thing_dropped d WHERE k.node = d.node;
DELETE FROM pg_temp.thing_link l USING pg_temp.thing_dropped d WHERE l.node = d.node

-- name: follow_links
-- Find what the links lead to: a document of a part by its own id, or the thing that an earlier map knows by this id.
INSERT INTO pg_temp.thing_hit
SELECT l.node, l.link, d.node FROM pg_temp.thing_link l
JOIN pg_temp.thing_document d ON d.own_id = l.id AND d.part = l.part
WHERE d.node <> l.node AND d.node NOT IN (SELECT node FROM pg_temp.thing_dropped)
UNION
SELECT l.node, l.link, min(d.node) FROM pg_temp.thing_link l
JOIN pg_temp.thing_document d ON d.known = l.id AND d.part < %(members)s
WHERE l.part = -1 AND d.node <> l.node AND d.node NOT IN (SELECT node FROM pg_temp.thing_dropped)
GROUP BY l.node, l.link

-- name: connect
-- All that makes documents one: keys, links, answers, and what an earlier map says of members. Equal ids are no reason
-- for that, but of those documents a person must be asked, so they are looked at together.
INSERT INTO pg_temp.thing_key_edge
SELECT first, node FROM (
    SELECT min(node) OVER (PARTITION BY key, digest) AS first, node FROM pg_temp.thing_key
) AS near WHERE first <> node;
INSERT INTO pg_temp.edge SELECT a, b FROM pg_temp.thing_key_edge;
INSERT INTO pg_temp.edge SELECT node, hit FROM pg_temp.thing_hit;
INSERT INTO pg_temp.edge SELECT a, b FROM pg_temp.thing_same;
INSERT INTO pg_temp.edge
SELECT first, node FROM (
    SELECT min(node) OVER (PARTITION BY known) AS first, node FROM pg_temp.thing_document
    WHERE known IS NOT NULL AND part < %(members)s AND node NOT IN (SELECT node FROM pg_temp.thing_dropped)
) AS near WHERE first <> node;
WITH rivals AS (
    SELECT min(node) OVER (PARTITION BY own_id) AS first, node FROM pg_temp.thing_document
    WHERE part < %(members)s AND node NOT IN (SELECT node FROM pg_temp.thing_dropped)
    UNION
    SELECT o.node, d.node FROM pg_temp.thing_document o JOIN pg_temp.thing_document d ON d.known = o.own_id
    WHERE o.part < %(members)s AND d.part < %(members)s AND o.known IS DISTINCT FROM o.own_id
        AND o.node NOT IN (SELECT node FROM pg_temp.thing_dropped)
        AND d.node NOT IN (SELECT node FROM pg_temp.thing_dropped)
), joined AS (
    INSERT INTO pg_temp.edge SELECT first, node FROM rivals WHERE first <> node
)
INSERT INTO pg_temp.thing_flag SELECT node FROM rivals WHERE first <> node

-- name: flag
-- Documents that a plain look does not settle: named in answers, linked to others whose keys differ and agree in none,
-- linked to nothing. What an earlier map has settled stays settled.
INSERT INTO pg_temp.thing_flag SELECT node FROM pg_temp.thing_named;
INSERT INTO pg_temp.thing_flag
SELECT h.node FROM pg_temp.thing_hit h
JOIN pg_temp.thing_document p ON p.node = h.node
JOIN pg_temp.thing_document d ON d.node = h.hit
JOIN pg_temp.thing_key pk ON pk.node = h.node
JOIN pg_temp.thing_key dk ON dk.node = h.hit AND dk.key = pk.key
WHERE p.known IS NULL OR p.known IS DISTINCT FROM d.known
GROUP BY h.node, h.hit HAVING NOT bool_or(pk.digest = dk.digest);
INSERT INTO pg_temp.thing_flag
SELECT node FROM pg_temp.thing_link EXCEPT SELECT node FROM pg_temp.thing_hit

-- name: find_mixed
-- The components that are not plain: several documents of one collection, several known things, or one that is flagged.
INSERT INTO pg_temp.thing_mixed
SELECT c.root, count(*) FROM pg_temp.component c
JOIN pg_temp.thing_document d ON d.node = c.node
LEFT JOIN (SELECT DISTINCT node FROM pg_temp.thing_flag) f ON f.node = c.node
GROUP BY c.root
HAVING count(*) > count(DISTINCT d.part) OR count(f.node) > 0
    OR count(DISTINCT d.known) FILTER (WHERE d.part < %(members)s) > 1;
ANALYZE pg_temp.thing_mixed

-- name: settle_plain
-- What belongs to whom, where nothing has to be decided: a thing keeps the id that an earlier map knows it by, else it
-- takes that of its first member.
WITH head AS (
    SELECT c.root, max(d.known) FILTER (WHERE d.part < %(members)s) AS known,
        (array_agg(d.own_id ORDER BY d.part) FILTER (WHERE d.part < %(members)s))[1] AS own
    FROM pg_temp.component c JOIN pg_temp.thing_document d ON d.node = c.node
    WHERE NOT EXISTS (SELECT FROM pg_temp.thing_mixed m WHERE m.root = c.root) GROUP BY c.root
), linked AS (
    SELECT node FROM pg_temp.thing_hit UNION SELECT hit FROM pg_temp.thing_hit
), keyed AS (
    SELECT a AS node FROM pg_temp.thing_key_edge UNION SELECT b FROM pg_temp.thing_key_edge
)
INSERT INTO pg_temp.thing_of
SELECT d.node, coalesce(head.known, head.own),
    row_number() OVER (PARTITION BY head.root ORDER BY d.part) - 1,
    CASE WHEN head.known IS NULL AND head.own IS NULL THEN 'alone'
         WHEN linked.node IS NOT NULL THEN 'link' WHEN keyed.node IS NOT NULL THEN 'key' ELSE 'known' END
FROM head JOIN pg_temp.component c ON c.root = head.root JOIN pg_temp.thing_document d ON d.node = c.node
LEFT JOIN linked ON linked.node = d.node LEFT JOIN keyed ON keyed.node = d.node
UNION ALL
SELECT d.node, CASE WHEN d.part < %(members)s THEN coalesce(d.known, d.own_id) END, 0, 'alone'
FROM pg_temp.thing_document d
WHERE NOT EXISTS (SELECT FROM pg_temp.component c WHERE c.node = d.node)
    AND NOT EXISTS (SELECT FROM pg_temp.thing_dropped x WHERE x.node = d.node)

-- name: mixed_documents
-- The documents of components that are not plain, one component after the other; of huge ones the first.
SELECT x.root, x.documents, x.node, x.part, x.source_id, x.own_id, x.known, x.listed, x.shown,
    ARRAY(SELECT k.key FROM pg_temp.thing_key k WHERE k.node = x.node ORDER BY k.key) AS keys,
    ARRAY(SELECT k.digest FROM pg_temp.thing_key k WHERE k.node = x.node ORDER BY k.key) AS digests,
    ARRAY(SELECT h.hit FROM pg_temp.thing_hit h WHERE h.node = x.node ORDER BY h.hit) AS hits,
    EXISTS (SELECT FROM pg_temp.thing_link l WHERE l.node = x.node) AS has_link
FROM (
    SELECT m.root, m.documents, d.*, row_number() OVER (PARTITION BY m.root ORDER BY d.node) AS number
    FROM pg_temp.thing_mixed m JOIN pg_temp.component c ON c.root = m.root
    JOIN pg_temp.thing_document d ON d.node = c.node
) AS x
WHERE x.documents <= %(most)s OR x.number <= %(shown)s
ORDER BY x.root, x.node

-- name: index_lists
-- Let keys and links be found by the number of their document.
CREATE INDEX ON pg_temp.thing_key (node);
CREATE INDEX ON pg_temp.thing_hit (node);
CREATE INDEX ON pg_temp.thing_link (node);
ANALYZE pg_temp.thing_hit

-- name: settle
-- What was decided of documents of such components.
COPY pg_temp.thing_of (node, canonical_id, place, why) FROM STDIN

-- name: leave_huge_open
-- Nothing is decided of components that are too large to be looked at.
INSERT INTO pg_temp.thing_of
SELECT c.node, NULL, 0, 'open' FROM pg_temp.component c JOIN pg_temp.thing_mixed m ON m.root = c.root
WHERE m.documents > %(most)s

-- name: put_together
-- What was found out of every document, in the form in which it is kept.
CREATE TEMP TABLE thing_found AS
SELECT p.collection, d.source_id, d.own_id, o.canonical_id, coalesce(o.place, 0) AS place,
    CASE WHEN x.node IS NOT NULL THEN 'dropped' WHEN d.listed THEN o.why ELSE coalesce(d.known_why, 'gone') END AS why,
    x.reason, d.keys, d.listed
FROM pg_temp.thing_document d
JOIN unnest(%(collections)s::text[]) WITH ORDINALITY AS p (collection, part) ON p.part = d.part + 1
LEFT JOIN pg_temp.thing_dropped x ON x.node = d.node
LEFT JOIN pg_temp.thing_of o ON o.node = d.node

-- name: count_documents
-- By collection: documents in the source, how many of them are joined into another one, linked, alone, left behind.
SELECT collection, count(*),
    count(*) FILTER (WHERE canonical_id IS NOT NULL AND place > 0),
    count(*) FILTER (WHERE canonical_id IS NOT NULL),
    count(*) FILTER (WHERE why = 'alone'),
    count(*) FILTER (WHERE why = 'apart'),
    count(*) FILTER (WHERE why = 'dropped'),
    count(*) FILTER (WHERE why = 'open')
FROM pg_temp.thing_found WHERE listed GROUP BY collection

-- name: count_things
-- How many things there are that the source has a document of.
SELECT count(DISTINCT canonical_id) FROM pg_temp.thing_found WHERE listed

-- name: mark_gone
-- Linked documents of collections that were read and that are not there any more.
UPDATE isthmus.identity_member m SET why = 'gone', changed_at = now()
WHERE m.name = %(name)s AND m.mode = 'live' AND m.collection = ANY(%(collections)s) AND m.why <> 'gone'
    AND NOT EXISTS (
        SELECT FROM pg_temp.thing_found f WHERE f.collection = m.collection AND sha256(f.source_id) = m.key_digest
    )
