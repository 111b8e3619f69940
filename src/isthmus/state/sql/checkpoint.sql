-- name: insert_partition
-- Plan one partition.
INSERT INTO isthmus.partition (run_id, collection, number, start_position, end_position, counts)
VALUES (%(run)s, %(collection)s, %(number)s, %(start)s, %(end)s, %(counts)s)

-- name: read_partitions
-- Every partition of a run with its checkpoint.
SELECT collection, number, start_position, end_position, position, batches, done, counts
FROM isthmus.partition WHERE run_id = %(run)s ORDER BY collection, number

-- name: read_partition
-- One partition's checkpoint, after a connection was lost.
SELECT position, batches, counts FROM isthmus.partition
WHERE run_id = %(run)s AND collection = %(collection)s AND number = %(number)s

-- name: advance
-- Compare-and-set: moves only from the checkpoint this process knows.
UPDATE isthmus.partition
SET position = %(after)s, batches = batches + 1, counts = %(counts)s
WHERE run_id = %(run)s AND collection = %(collection)s AND number = %(number)s AND NOT done
  AND batches = %(batches)s AND position IS NOT DISTINCT FROM %(before)s

-- name: finish_partition
-- Mark a partition as read to its end, from the checkpoint this process knows.
UPDATE isthmus.partition SET done = true
WHERE run_id = %(run)s AND collection = %(collection)s AND number = %(number)s AND batches = %(batches)s

-- name: read_carried
-- The committed batches of each partition: sums, where they begin and end, and how often one does not follow another.
SELECT collection, partition_number, count(*), sum(documents), sum(source_bytes),
       (array_agg(start_position ORDER BY number))[1], (array_agg(end_position ORDER BY number DESC))[1],
       count(*) FILTER (WHERE number <> place OR start_position <> before)
FROM (SELECT collection, partition_number, number, documents, source_bytes, start_position, end_position,
             row_number() OVER w - 1 AS place, lag(end_position) OVER w AS before
      FROM isthmus.batch WHERE run_id = %(run)s
      WINDOW w AS (PARTITION BY collection, partition_number ORDER BY number)) AS b
GROUP BY collection, partition_number

-- name: insert_batch
-- What was read in one batch: digests for a later resume or second copy.
INSERT INTO isthmus.batch (run_id, collection, partition_number, number, start_position, end_position, documents,
                           source_bytes, digest, document_digests)
VALUES (%(run)s, %(collection)s, %(partition)s, %(number)s, %(start)s, %(end)s, %(documents)s,
        %(source_bytes)s, %(digest)s, %(digests)b)

-- name: read_batches
-- The batches of one partition in order, without the per-document digests.
SELECT number, start_position, end_position, documents, source_bytes, digest FROM isthmus.batch
WHERE run_id = %(run)s AND collection = %(collection)s AND partition_number = %(partition)s ORDER BY number

-- name: add_tally
-- Add to a named counter.
INSERT INTO isthmus.tally AS t (run_id, kind, name, amount) VALUES (%(run)s, %(kind)s, %(name)s, %(amount)s)
ON CONFLICT (run_id, kind, name) DO UPDATE SET amount = t.amount + EXCLUDED.amount

-- name: read_tallies
-- Every named counter of a run.
SELECT kind, name, amount FROM isthmus.tally WHERE run_id = %(run)s
